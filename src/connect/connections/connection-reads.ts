import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import { feedIdOf } from "../model/environment.ts";
import { connectionByKeys } from "../store/connections.ts";
import { integrationByKey } from "../store/integrations.ts";

/** A connection with what it is linked by. Credentials stay sealed here. */
export type FoundConnection = { readonly integration: Integration; readonly connection: Connection };

export type ConnectionKeys = {
  readonly environmentId: number;
  readonly integrationKey: string;
  readonly connectionId: string;
};

export type ConnectionReads = {
  /** Undefined when there is no such integration, or no such connection of it. */
  readonly find: (keys: ConnectionKeys) => FoundConnection | undefined | Promise<FoundConnection | undefined>;
};

const mostKept = 4000;
/** Of one connection, in characters: what an app keeps in metadata may be large. */
const mostOfOne = 32 * 1024;

/** Connections as they are read on every call of an app, kept until their environment changes. */
export const createConnectionReads = ({ store }: Pick<ConnectDeps, "store">): ConnectionReads => {
  const cache = createFreshCache<FoundConnection>(store.changes, { max: mostKept });

  const read = async (keys: ConnectionKeys): Promise<FoundConnection | undefined> => {
    const { environmentId, integrationKey, connectionId } = keys;
    const integration = await integrationByKey(store.query, environmentId, integrationKey);
    const connection =
      integration && (await connectionByKeys(store.query, environmentId, integrationKey, connectionId));
    return integration && connection && { integration, connection };
  };

  const load = async (name: string, keys: ConnectionKeys): Promise<FoundConnection | undefined> => {
    let found: FoundConnection | undefined;
    await cache.load(name, async () => {
      found = await read(keys);
      return found && JSON.stringify(found).length <= mostOfOne
        ? { accountId: feedIdOf(keys.environmentId), value: found }
        : undefined;
    });
    return found;
  };

  return {
    find: (keys) => {
      // No key and no id has a line break in it.
      const name = `${keys.environmentId}\n${keys.integrationKey}\n${keys.connectionId}`;
      return cache.get(name) ?? load(name, keys);
    },
  };
};
