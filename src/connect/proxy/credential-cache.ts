import { minute } from "../../kernel/clock.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import { requestPartsOf, type RequestParts } from "../catalogue/request-parts.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { connectionByKeys } from "../store/connections.ts";
import { integrationByKey } from "../store/integrations.ts";
import { unusableOf } from "../verification/unusable-connection.ts";
import { openConfig, openKept } from "../vault/vault.ts";
import { asBadRequest, refusals } from "../model/refusals.ts";

/** A connection as the proxy needs it: what to send, and whether it may be sent. */
export type ReadyConnection = Pick<
  Connection,
  "id" | "integrationKey" | "connectionId" | "state" | "stateReason" | "origin"
> & {
  readonly provider: Provider;
  /** Holds the credentials, filled in. Not for a log. */
  readonly parts: RequestParts;
};

export type CredentialCache = {
  /** @throws Refusal unknown_provider_config, unknown_connection, unknown_provider_template, connection_failing */
  readonly find: (
    environment: Environment,
    integrationKey: string,
    connectionId: string,
  ) => ReadyConnection | Promise<ReadyConnection>;
  /** Drops what is old. To be called now and then. */
  readonly age: () => void;
};

const mostConnections = 2000;
/** So long opened credentials may stay, used or not. */
const openMs = 10 * minute;

type Deps = Pick<ConnectDeps, "store" | "clock" | "rootKeys" | "destinationKey" | "log" | "catalogue">;

const partsOf = (
  deps: Deps,
  provider: Provider,
  { connection, integration }: { readonly connection: Connection; readonly integration: Integration },
): RequestParts => {
  const kept = openKept(deps, connection);
  try {
    return requestPartsOf(provider, {
      credentials: kept.credentials,
      connectionConfig: { ...connection.config, ...kept.config },
      integrationConfig: { ...integration.config, ...openConfig(deps, integration) },
    });
  } catch (error) {
    throw unusableOf(error);
  }
};

/**
 * Opened credentials of connections that are in use, so that a call neither asks the database nor opens a seal. This is
 * the only place where they stay in memory: as the headers and the query that go to the provider, for so many
 * connections and so long at most, and only until the change feed names the environment. They are opened by vault.ts.
 */
export const createCredentialCache = (deps: Deps): CredentialCache => {
  const { store, clock, catalogue } = deps;
  const cache = createFreshCache<ReadyConnection>(store.changes, { max: mostConnections });
  let agedAt = clock.now();

  const read = async (environment: Environment, integrationKey: string, connectionId: string) => {
    const integration = await integrationByKey(store.query, environment.id, integrationKey);
    if (!integration) throw new Refusal(refusals.unknown_provider_config);
    const connection = await connectionByKeys(store.query, environment.id, integrationKey, connectionId);
    // The status that was recorded for this path.
    if (!connection) throw new Refusal(asBadRequest.unknown_connection);
    const provider = catalogue.get(integration.provider);
    if (!provider) throw new Refusal(refusals.unknown_provider_template);
    const { id, state, stateReason, origin } = connection;
    const parts = partsOf(deps, provider, { connection, integration });
    const value = { id, integrationKey, connectionId, state, stateReason, origin, provider, parts };
    return { accountId: feedIdOf(environment.id), value };
  };

  return {
    find: (environment, integrationKey, connectionId) => {
      // No header holds a line break, so no two of them make the same name.
      const name = `${environment.id}\n${integrationKey}\n${connectionId}`;
      const known = cache.get(name);
      if (known) return known;
      return cache
        .load(name, () => read(environment, integrationKey, connectionId))
        .then((found) => {
          if (!found) throw new Refusal(asBadRequest.unknown_connection);
          return found;
        });
    },
    age: () => {
      const now = clock.now();
      if (now - agedAt < openMs) return;
      agedAt = now;
      cache.clear();
    },
  };
};
