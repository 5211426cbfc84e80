import type { Tx } from "../../kernel/db/store.ts";
import { changeEvent, type Actor } from "../wire/actor.ts";
import { noIntegration } from "./change-integration.ts";
import type { RoomDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import type { Connection, Integration } from "../model/connection.ts";
import { someConnectionsOf } from "../store/connections.ts";
import { deleteConnections } from "../store/delete-connections.ts";
import {
  countConnections,
  deleteIntegration as deleteRow,
  markDeleted,
} from "../store/delete-integrations.ts";
import { integrationByKey } from "../store/integrations.ts";

type Deps = Pick<RoomDeps, "store" | "clock" | "audit" | "tell">;

/** So many connections go in one transaction, and the app is told of each of them. */
const mostAtOnce = 20;

const deleteFew = async (
  { tell }: Pick<Deps, "tell">,
  tx: Tx,
  { id }: Integration,
  few: readonly Connection[],
): Promise<void> => {
  await tell(tx, ...few.map((connection) => ({ connection, operation: "deletion", success: true }) as const));
  await deleteConnections(
    tx.query,
    few.map(({ id: row }) => row),
  );
  await deleteRow(tx.query, id);
};

/**
 * With its connections, their credentials and their data keys. Of many connections nothing can be found or used from now
 * on; they are erased piece by piece (erase-integrations.ts), and the app is told of all of them at once.
 *
 * @throws Refusal not_found
 */
export const deleteIntegration =
  (deps: Deps) =>
  (environment: Environment, key: string, actor: Actor): Promise<void> =>
    deps.store.transaction(async (tx) => {
      await tx.alone();
      const integration = await integrationByKey(tx.query, environment.id, key);
      if (!integration) throw noIntegration(key);
      const some = await someConnectionsOf(tx.query, integration.id, mostAtOnce + 1);
      const isFew = some.length <= mostAtOnce;
      const connections = isFew ? some.length : await countConnections(tx.query, integration.id);
      if (isFew) await deleteFew(deps, tx, integration, some);
      else {
        await markDeleted(tx.query, integration.id, deps.clock.now());
        await deps.tell(tx, { integration, connections, operation: "deletion", success: true });
      }
      await deps.audit.record(
        tx.query,
        changeEvent("integration_deleted", environment, actor, { integration: key, connections }),
      );
      tx.changed(feedIdOf(environment.id));
    });
