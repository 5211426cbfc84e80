import type { Clock } from "../kernel/clock.ts";
import type { RootKeys } from "../kernel/crypto/root-keys.ts";
import type { Store, Tx } from "../kernel/db/store.ts";
import type { Outbound } from "../kernel/outbound/outbound.ts";
import type { Random } from "../kernel/ids.ts";
import type { Tries } from "../kernel/limits/tries.ts";
import type { ByteBudget } from "../kernel/memory/byte-budget.ts";
import type { Audit } from "../kernel/telemetry/audit.ts";
import type { Log } from "../kernel/telemetry/log.ts";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { ConnectAudit } from "./model/audit-events.ts";
import type { Told } from "./model/event.ts";

/** What an operator may decide about Connect. */
export type ConnectPolicy = {
  readonly origin: URL;
  readonly connectSessionMinutes: number;
  /** A success does not finish a session, as in the original. */
  readonly connectReusable: boolean;
  /** Origins that may be called although they are private, on this machine, or plain http. */
  readonly outboundAllow: readonly string[];
};

/** A call of this server's own Track API, made in this process. */
export type OwnApi = (request: {
  /** The address of whom it is made for: it counts where tries are counted. Left out when nobody asked. */
  readonly from?: string | undefined;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}>;

/** Everything that use cases of this room may touch; each one names what it takes with `Pick`. */
export type ConnectDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rootKeys: RootKeys;
  /** Of vault.ts. */
  readonly destinationKey: Buffer;
  readonly tries: Tries;
  readonly audit: Audit<ConnectAudit>;
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly outbound: Outbound;
  readonly ownApi: OwnApi;
  /** What bodies hold together that are kept for a call through the proxy. */
  readonly keptBodies: ByteBudget;
  readonly policy: ConnectPolicy;
  /** Of the form, which takes a session's token behind `#`. */
  readonly formAddress: string;
};

/** The same inside the room, where apps can be told of what happens. */
export type RoomDeps = ConnectDeps & {
  /** All of one environment. */
  readonly tell: (tx: Tx, ...told: readonly Told[]) => Promise<void>;
};
