import { Refusal } from "../../kernel/errors.ts";
import { changeEvent, type Actor } from "../wire/actor.ts";
import type { RoomDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { connectionByKeys } from "../store/connections.ts";
import { deleteConnection as deleteRow } from "../store/delete-connections.ts";
import { asBadRequest } from "../model/refusals.ts";

type Deps = Pick<RoomDeps, "store" | "audit" | "tell">;

/**
 * The row goes, and with it the data key that opens its credentials.
 * @throws Refusal unknown_connection, with the status that was recorded here
 */
export const deleteConnection =
  (deps: Deps) =>
  (
    environment: Environment,
    named: { readonly integrationKey: string; readonly connectionId: string },
    actor: Actor,
  ): Promise<void> =>
    deps.store.transaction(async (tx) => {
      const { integrationKey, connectionId } = named;
      const connection = await connectionByKeys(tx.query, environment.id, integrationKey, connectionId);
      const gone = connection && (await deleteRow(tx.query, connection.id));
      if (!connection || !gone) throw new Refusal(asBadRequest.unknown_connection);
      await deps.tell(tx, { connection, operation: "deletion", success: true });
      await deps.audit.record(
        tx.query,
        changeEvent("connection_deleted", environment, actor, {
          integration: integrationKey,
          connection: connectionId,
        }),
      );
      tx.changed(feedIdOf(environment.id));
    });
