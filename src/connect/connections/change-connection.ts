import { changeEvent, type KeyCaller } from "../wire/actor.ts";
import { endUserOf, type ChangedConnectionBody } from "../wire/bodies.ts";
import type { Connection } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import type { ChangeCredentials } from "./change-credentials.ts";
import { tagsOf } from "../model/end-user.ts";
import { feedIdOf } from "../model/environment.ts";
import { namedConnection, noConnection, type Named } from "../store/named-connection.ts";
import { relabelConnection, type ConnectionLabels } from "../store/write-connections.ts";
import { webhookOverrideOf } from "../webhooks/address.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "audit" | "policy">;

/** Tags that a former end user brought go with them; the app's own stay, unless the whole set is given. */
const tagsAfter = (
  { endUser: former, tags }: Connection,
  {
    endUser,
    given,
  }: { readonly endUser: Connection["endUser"]; readonly given: Connection["tags"] | undefined },
): Connection["tags"] => {
  if (endUser === null) return given ?? tags;
  if (given !== undefined) return tagsOf(endUser, given);
  const brought = tagsOf(former, {});
  const own = Object.entries(tags).filter(([key, value]) => brought[key] !== value);
  return tagsOf(endUser, Object.fromEntries(own));
};

/**
 * What an app says of a connection, and new credentials for it.
 * @throws Refusal input_invalid, unknown_provider_config, not_found, and all of change-credentials.ts
 */
export const changeConnection =
  (deps: Deps, changeCredentials: ChangeCredentials) =>
  async (caller: KeyCaller, named: Named, wanted: ChangedConnectionBody): Promise<void> => {
    const { holder, address } = caller;
    const { environment, keyName } = holder;
    const endUser = endUserOf(wanted);
    // Refused before anything is changed: the provider is asked in between.
    const override = webhookOverrideOf(wanted.webhook_url_override, deps.policy);
    if (wanted.credentials !== undefined) await changeCredentials(caller, named, wanted.credentials);
    const actor = { channel: "key", keyName, address } as const;
    await deps.store.transaction(async (tx) => {
      // What is not named stays, also when somebody else changes that at the same time.
      await tx.alone();
      const connection = await namedConnection(tx.query, environment, named);
      const labels: ConnectionLabels = {
        connectionId: connection.connectionId,
        endUser: endUser ?? connection.endUser,
        tags: tagsAfter(connection, { endUser, given: wanted.tags }),
        webhookUrlOverride: override === undefined ? connection.webhookUrlOverride : override,
      };
      if (!(await relabelConnection(tx.query, connection.id, labels, deps.clock.now()))) throw noConnection();
      await deps.audit.record(
        tx.query,
        changeEvent("connection_changed", environment, actor, {
          integration: named.integrationKey,
          connection: named.connectionId,
        }),
      );
      tx.changed(feedIdOf(environment.id));
    });
  };
