import { Refusal } from "../../kernel/errors.ts";
import type { Connection } from "../model/connection.ts";
import type { Environment } from "../model/environment.ts";
import { connectionByKeys } from "./connections.ts";
import { integrationByKey } from "./integrations.ts";
import type { Queries } from "./tables.ts";
import { asBadRequest, refusals } from "../model/refusals.ts";

/** A connection as the wire names it: of an integration, by the id that the app knows. */
export type Named = { readonly integrationKey: string; readonly connectionId: string };

/** As recorded. */
export const noConnection = (): Refusal =>
  new Refusal(refusals.not_found, { text: "Failed to find connection" });

/** Which of the two it is that is not there, with the statuses that were recorded. */
export const nothingNamed = async (
  query: Queries,
  environment: Environment,
  { integrationKey }: Named,
): Promise<Refusal> =>
  (await integrationByKey(query, environment.id, integrationKey))
    ? noConnection()
    : new Refusal(asBadRequest.unknown_provider_config, { text: "Provider does not exist" });

/** @throws Refusal unknown_provider_config, not_found */
export const namedConnection = async (
  query: Queries,
  environment: Environment,
  named: Named,
): Promise<Connection> => {
  const { integrationKey, connectionId } = named;
  const connection = await connectionByKeys(query, environment.id, integrationKey, connectionId);
  if (!connection) throw await nothingNamed(query, environment, named);
  return connection;
};
