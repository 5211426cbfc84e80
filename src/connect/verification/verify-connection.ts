import { Refusal } from "../../kernel/errors.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Connection } from "../model/connection.ts";
import { namedConnection, type Named } from "../store/named-connection.ts";
import type { KeyCaller } from "../wire/actor.ts";
import { connectionAfter, type CheckConnection } from "./check-connection.ts";
import { refusals } from "../model/refusals.ts";

/**
 * The connection as it is once its provider was asked.
 * @throws Refusal not_found, unknown_provider_config, and all of check-connection.ts
 */
export const verifyConnection =
  (deps: Pick<ConnectDeps, "store">, check: CheckConnection) =>
  async ({ holder, address }: KeyCaller, named: Named): Promise<Connection> => {
    const connection = await namedConnection(deps.store.query, holder.environment, named);
    if (connection.state === "revoked") throw new Refusal(refusals.connection_failing);
    await check(connection, address);
    return connectionAfter(deps, connection);
  };
