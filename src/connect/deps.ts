import type { Clock } from "../kernel/clock.ts";
import type { RootKeys } from "../kernel/crypto/root-keys.ts";
import type { Store } from "../kernel/db/store.ts";
import type { Random } from "../kernel/ids.ts";
import type { Audit } from "../kernel/telemetry/audit.ts";
import type { Log } from "../kernel/telemetry/log.ts";

/** What an operator may decide about Connect. */
export type ConnectPolicy = {
  readonly origin: URL;
  readonly connectSessionMinutes: number;
  /** A success does not finish a session, as in the original. */
  readonly connectReusable: boolean;
};

/** Everything that use cases of this room may touch; each one names what it takes with `Pick`. */
export type ConnectDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rootKeys: RootKeys;
  readonly audit: Audit;
  readonly log: Log;
  readonly policy: ConnectPolicy;
};
