import type { z } from "zod";
import type { RoomDeps } from "../deps.ts";
import type { Import, ImportConnection } from "../linking/import-connection.ts";
import { importTarget } from "../linking/submission.ts";
import { openKept } from "../vault/vault.ts";
import { webhookOverrideOf } from "../webhooks/address.ts";
import type { KeyCaller } from "../wire/actor.ts";
import type { connectionAnswer } from "../wire/answers.ts";
import { shownConnection } from "./shown-connection.ts";

type Deps = Pick<
  RoomDeps,
  "store" | "clock" | "rootKeys" | "destinationKey" | "log" | "catalogue" | "policy"
>;

export type Brought = Pick<
  Import,
  "connectionId" | "config" | "metadata" | "tags" | "endUser" | "verified"
> & {
  readonly integrationKey: string;
  /** With the `type` of the wire, where the call has one. */
  readonly credentials: Readonly<Record<string, unknown>>;
  /** Empty: none. */
  readonly webhookUrlOverride?: string | undefined;
};

/**
 * A connection that an app brings along, as it is kept. What a key brings it may not always read: a password may have
 * been swapped for a token meanwhile.
 *
 * @throws Refusal as submission.ts and import-connection.ts
 */
export const bringConnection =
  (deps: Deps, bring: ImportConnection) =>
  async (caller: KeyCaller, brought: Brought): Promise<z.output<typeof connectionAnswer>> => {
    const { integrationKey, credentials, webhookUrlOverride: override, ...labels } = brought;
    const { environment, scopes } = caller.holder;
    const target = await importTarget(deps, environment, { integrationKey, credentials });
    const webhookUrlOverride = webhookOverrideOf(override, deps.policy);
    const connection = await bring({ ...target, ...caller, ...labels, webhookUrlOverride });
    const mayRead = scopes.has("environment:connections:read_credentials");
    return shownConnection(connection, mayRead ? openKept(deps, connection) : undefined, {
      fetchedAt: deps.clock.now(),
      form: "zulu",
    });
  };
