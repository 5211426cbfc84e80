import { changeEvent, type Actor } from "./actor.ts";
import { noIntegration } from "./change-integration.ts";
import type { RoomDeps } from "./deps.ts";
import { feedIdOf, type Environment } from "./environment.ts";
import { connectionsOfIntegration } from "./store/connections.ts";
import { deleteIntegration as deleteRow, integrationByKey } from "./store/integrations.ts";

type Deps = Pick<RoomDeps, "store" | "audit" | "tell">;

/** With its connections, their credentials and their data keys. @throws Refusal not_found */
export const deleteIntegration =
  (deps: Deps) =>
  (environment: Environment, key: string, actor: Actor): Promise<void> =>
    deps.store.transaction(async (tx) => {
      await tx.alone();
      const integration = await integrationByKey(tx.query, environment.id, key);
      if (!integration) throw noIntegration(key);
      for (const connection of await connectionsOfIntegration(tx.query, integration.id)) {
        await deps.tell(tx, { connection, operation: "deletion", success: true });
      }
      await deleteRow(tx.query, integration.id);
      await deps.audit.record(
        tx.query,
        changeEvent("integration_deleted", environment, actor, { integration: key }),
      );
      tx.changed(feedIdOf(environment.id));
    });
