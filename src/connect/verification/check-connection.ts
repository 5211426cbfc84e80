import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import { prepareRequest } from "../catalogue/request-parts.ts";
import type { Connection, ConnectionState, ProviderAccount } from "../model/connection.ts";
import type { ConnectDeps, RoomDeps } from "../deps.ts";
import { feedIdOf } from "../model/environment.ts";
import { integrationByKey } from "../store/integrations.ts";
import { setConnectionState } from "../store/connection-changes.ts";
import { connectionByRow } from "../store/connections.ts";
import { unusableOf } from "./unusable-connection.ts";
import { openConfig, openKept } from "../vault/vault.ts";
import { verifyCredentials } from "./verify-credentials.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  RoomDeps,
  "store" | "clock" | "rootKeys" | "destinationKey" | "catalogue" | "log" | "outbound" | "ownApi" | "tell"
>;

export type Finding = {
  readonly state: ConnectionState;
  readonly reason: string | null;
  /** The state was another before. */
  readonly changed: boolean;
};

type Found = Omit<Finding, "changed"> & {
  /** Whose account it is, as the provider says now; null when it does not. */
  readonly account: ProviderAccount | null;
};

/** @param from the address of whoever asks; left out when nobody did */
export type CheckConnection = (connection: Connection, from?: string) => Promise<Finding>;

const sentences: Readonly<Record<string, string>> = {
  credentials_refused: "The provider refuses the credentials.",
  origin_changed: "The integration points somewhere else than where the credentials were accepted.",
};

/**
 * Asks the provider whether a connection's credentials still work, and writes down what it says. A provider that is
 * down, or out of quota, says nothing about credentials: then the state stays, and the refusal tells why.
 *
 * @throws Refusal provider_quota, provider_rate_limited, provider_unavailable, unexpected_answer, address_refused,
 * unknown_provider_template, connection_failing
 */
export const checkConnection = (deps: Deps): CheckConnection => {
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

  const settle = async (connection: Connection, found: Found): Promise<Finding> => {
    const { state, reason } = found;
    // Where the provider has no call that tells, nobody was asked. An account that is another one now is no news of this one.
    const account = found.account?.id === (connection.account ?? found.account)?.id ? found.account : null;
    const verifiedAt = found.account === null ? null : clock.now();
    const changed = await store.transaction(async (tx) => {
      const isNew = await setConnectionState(tx.query, connection, { state, reason, verifiedAt, account });
      if (isNew) {
        const told = { ...connection, state, stateReason: reason, account: account ?? connection.account };
        await tellOf(tx, told);
      }
      tx.changed(feedIdOf(connection.environmentId));
      return isNew;
    });
    return { state, reason, changed };
  };

  return async (connection, from) => {
    const provider = catalogue.get(connection.provider);
    const shape = provider?.shapes.find(({ name }) => name === connection.shape);
    const integration = await integrationByKey(
      store.query,
      connection.environmentId,
      connection.integrationKey,
    );
    if (!provider || !shape || !integration) throw new Refusal(refusals.unknown_provider_template);
    const kept = openKept(deps, connection);
    const values = {
      credentials: kept.credentials,
      connectionConfig: { ...connection.config, ...kept.config },
      integrationConfig: { ...integration.config, ...openConfig(deps, integration) },
    };
    try {
      const prepared = prepareRequest(provider, values);
      // Asking there would be sending them there.
      if (prepared.origin !== connection.origin) {
        return await settle(connection, { state: "failing", reason: "origin_changed", account: null });
      }
      // What is kept is not swapped once more.
      const asker = { group: `checks of ${connection.environmentId}`, member: String(connection.id) };
      const { account } = await verify({ prepared, shape, integration, keepPassword: true, from, asker });
      return await settle(connection, { state: "live", reason: null, account });
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "connection_test_failed") throw unusableOf(error);
      return settle(connection, { state: "failing", reason: "credentials_refused", account: null });
    }
  };
};

/** The connection as it is after a check. @throws Refusal unknown_connection */
export const connectionAfter = async (
  { store }: Pick<ConnectDeps, "store">,
  { id }: Connection,
): Promise<Connection> => {
  const now = await connectionByRow(store.query, id);
  if (!now) throw new Refusal(refusals.unknown_connection);
  return now;
};
