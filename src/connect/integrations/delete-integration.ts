import { setImmediate } from "node:timers/promises";
import type { Tx } from "../../kernel/db/store.ts";
import { changeEvent, type Actor } from "../wire/actor.ts";
import { noIntegration } from "./change-integration.ts";
import type { RoomDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import type { Integration } from "../model/connection.ts";
import { someConnectionsOf } from "../store/connections.ts";
import { deleteConnections } from "../store/delete-connections.ts";
import { deleteIntegration as deleteRow, integrationByKey } from "../store/integrations.ts";

type Deps = Pick<RoomDeps, "store" | "audit" | "tell">;

type Wanted = {
  readonly environment: Environment;
  readonly key: string;
  readonly actor: Actor;
  /** What the pieces before this one were of. */
  readonly begun: Integration | undefined;
};

/** Connections of one transaction: all else that wants to write waits for it. */
const atOnce = 250;

/**
 * With its connections, their credentials and their data keys, piece by piece. One that is cut short in the middle is
 * gone on with by asking again.
 *
 * @throws Refusal not_found
 */
export const deleteIntegration = (deps: Deps) => {
  /** @returns whether there are more of them */
  const deleteSome = async (tx: Tx, integrationId: number): Promise<boolean> => {
    const some = await someConnectionsOf(tx.query, integrationId, atOnce);
    const told = some.map((connection) => ({
      connection,
      operation: "deletion" as const,
      success: true as const,
    }));
    await deps.tell(tx, ...told);
    await deleteConnections(
      tx.query,
      some.map(({ id }) => id),
    );
    return some.length === atOnce;
  };

  /** @returns the integration when there is more of it to delete */
  const deletePiece = async (
    tx: Tx,
    { environment, key, actor, begun }: Wanted,
  ): Promise<Integration | undefined> => {
    await tx.alone();
    const integration = await integrationByKey(tx.query, environment.id, key);
    if (!begun) {
      if (!integration) throw noIntegration(key);
      // With the first piece: nothing is to be gone without a word of it.
      await deps.audit.record(
        tx.query,
        changeEvent("integration_deleted", environment, actor, { integration: key }),
      );
      // Somebody else was faster, and the key may be another integration's already.
    } else if (integration?.id !== begun.id) return undefined;
    tx.changed(feedIdOf(environment.id));
    if (await deleteSome(tx, integration.id)) return integration;
    await deleteRow(tx.query, integration.id);
    return undefined;
  };

  return async (environment: Environment, key: string, actor: Actor): Promise<void> => {
    let begun: Integration | undefined;
    do {
      const wanted = { environment, key, actor, begun };
      begun = await deps.store.transaction((tx) => deletePiece(tx, wanted));
      // SQLite answers without waiting: in between, others must get their turn.
      if (begun) await setImmediate();
    } while (begun);
  };
};
