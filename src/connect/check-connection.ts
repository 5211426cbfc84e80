import type { Tx } from "../kernel/db/store.ts";
import { Refusal } from "../kernel/errors.ts";
import { originOf, requestPartsOf } from "./catalogue/request-parts.ts";
import type { Connection, ConnectionState } from "./connection.ts";
import type { ConnectDeps, RoomDeps } from "./deps.ts";
import { feedIdOf } from "./environment.ts";
import { integrationByKey } from "./store/integrations.ts";
import { connectionByRow, setConnectionState } from "./store/connections.ts";
import { openConfig, openKept } from "./vault.ts";
import { verifyCredentials } from "./verify-credentials.ts";

type Deps = Pick<RoomDeps, "store" | "clock" | "rootKeys" | "catalogue" | "outbound" | "ownApi" | "tell">;

export type Finding = {
  readonly state: ConnectionState;
  readonly reason: string | null;
  /** The state was another before. */
  readonly changed: boolean;
};

const sentences: Readonly<Record<string, string>> = {
  credentials_refused: "The provider refuses the credentials.",
  origin_changed: "The integration points somewhere else than where the credentials were accepted.",
};

/**
 * Asks the provider whether a connection's credentials still work, and writes down what it says. A provider that is
 * down, or out of quota, says nothing about credentials: then the state stays, and the refusal tells why.
 *
 * @throws Refusal provider_quota, provider_rate_limited, provider_unavailable, unexpected_answer, address_refused,
 * unknown_provider_template
 */
export const checkConnection = (deps: Deps) => {
  const { store, clock, catalogue } = deps;
  const verify = verifyCredentials(deps);

  const tellOf = (tx: Tx, connection: Connection): Promise<void> =>
    deps.tell(
      tx,
      connection.state === "live"
        ? { connection, operation: "refresh", success: true }
        : {
            connection,
            operation: "refresh",
            success: false,
            error: {
              type: connection.stateReason ?? connection.state,
              description: sentences[connection.stateReason ?? ""] ?? "The connection does not work.",
            },
          },
    );

  const settle = async (
    connection: Connection,
    state: ConnectionState,
    reason: string | null,
  ): Promise<Finding> => {
    const changed = await store.transaction(async (tx) => {
      const isNew = await setConnectionState(tx.query, connection, {
        state,
        reason,
        verifiedAt: state === "live" ? clock.now() : null,
      });
      if (isNew) await tellOf(tx, { ...connection, state, stateReason: reason });
      tx.changed(feedIdOf(connection.environmentId));
      return isNew;
    });
    return { state, reason, changed };
  };

  return async (connection: Connection): Promise<Finding> => {
    const provider = catalogue.get(connection.provider);
    const shape = provider?.shapes.find(({ name }) => name === connection.shape);
    const integration = await integrationByKey(
      store.query,
      connection.environmentId,
      connection.integrationKey,
    );
    if (!provider || !shape || !integration) throw new Refusal("unknown_provider_template");
    const kept = openKept(deps, connection);
    const values = {
      credentials: kept.credentials,
      connectionConfig: { ...connection.config, ...kept.config },
      integrationConfig: { ...integration.config, ...openConfig(deps, integration) },
    };
    // Asking there would be sending them there.
    if (originOf(requestPartsOf(provider, values).baseUrl) !== connection.origin) {
      return settle(connection, "failing", "origin_changed");
    }
    try {
      // What is kept is not swapped once more.
      await verify({ provider, shape, ...values, keepPassword: true });
      return await settle(connection, "live", null);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "connection_test_failed") throw error;
      return settle(connection, "failing", "credentials_refused");
    }
  };
};

/** The connection as it is after a check. @throws Refusal unknown_connection */
export const connectionAfter = async (
  { store }: Pick<ConnectDeps, "store">,
  { id }: Connection,
): Promise<Connection> => {
  const now = await connectionByRow(store.query, id);
  if (!now) throw new Refusal("unknown_connection");
  return now;
};
