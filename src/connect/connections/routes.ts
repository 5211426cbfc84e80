import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf } from "../wire/actor.ts";
import { connectionAnswer, connectionsAnswer, doneAnswer } from "../wire/answers.ts";
import { changedConnectionBody, integrationKey } from "../wire/bodies.ts";
import { changeConnection } from "./change-connection.ts";
import type { changeCredentials } from "./change-credentials.ts";
import type { ConnectionReads } from "./connection-reads.ts";
import type { ConnectionUse } from "./connection-use.ts";
import { deleteConnection } from "./delete-connection.ts";
import type { RoomDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import { connectBody, parseQuery } from "../wire/input.ts";
import { connectionsQuery, listConnections } from "./list-connections.ts";
import { connectionQuery, readConnection } from "./read-connection.ts";
import { shownInList } from "./shown-connection.ts";
import { webhookOverrideOf } from "../webhooks/address.ts";

/** The older of the two is the original's too, and its old clients call it. */
const prefixes = [
  ["/connections", ""],
  ["/connection", " (the older path)"],
] as const;

const namedQuery = z.strictObject({ provider_config_key: integrationKey });

export type ConnectionRouteDeps = Pick<
  RoomDeps,
  "store" | "clock" | "rootKeys" | "log" | "audit" | "policy" | "tell"
> & {
  readonly reads: ConnectionReads;
  readonly uses: ConnectionUse;
  readonly changeCredentials: ReturnType<typeof changeCredentials>;
};

/** Linked accounts: their credentials, whose they are, and whether they work (contract nango §1.9). */
export const connectionRoutes = (deps: ConnectionRouteDeps, keys: EnvironmentKeys): readonly Route[] => {
  const list = listConnections(deps);
  const read = readConnection(deps);
  const change = changeConnection(deps);
  const destroy = deleteConnection(deps);

  return prefixes.flatMap(([prefix, note]) => [
    route({
      method: "GET",
      path: prefix,
      summary: `List connections${note}`,
      wire: "connect",
      guard: keys.guard("environment:connections:list"),
      input: noBody,
      answers: {
        means: "A page of connections, newest first, without credentials.",
        schema: connectionsAnswer,
      },
      run: async ({ principal, incoming }) => {
        const found = await list(principal.environment, parseQuery(connectionsQuery, incoming));
        return { json: { connections: found.map(shownInList) } };
      },
    }),
    route({
      method: "GET",
      path: `${prefix}/{connection_id*}`,
      summary: `Read a connection and its credentials${note}`,
      wire: "connect",
      guard: keys.guard("environment:connections:read", "environment:connections:read_credentials"),
      input: noBody,
      answers: {
        means: "The connection; `credentials` is empty for a key that may not read them.",
        schema: connectionAnswer,
      },
      run: async ({ principal, incoming }) => {
        const query = parseQuery(connectionQuery, incoming);
        return { json: await read(principal, incoming.param("*"), query, incoming) };
      },
    }),
    route({
      method: "PATCH",
      path: `${prefix}/{connection_id*}`,
      summary: `Change what is said of a connection${note}`,
      wire: "connect",
      guard: keys.guard("environment:connections:update"),
      input: connectBody(changedConnectionBody),
      answers: { means: "It is changed.", schema: doneAnswer },
      run: async ({ input, principal, incoming }) => {
        const { provider_config_key: key } = parseQuery(namedQuery, incoming);
        const named = { integrationKey: key, connectionId: incoming.param("*") };
        // Refused before anything is changed: the provider is asked in between.
        webhookOverrideOf(input.webhook_url_override, deps.policy);
        if (input.credentials !== undefined) {
          const who = { holder: principal, address: incoming.client.address };
          await deps.changeCredentials(who, named, input.credentials);
        }
        await change(principal.environment, { named, wanted: input }, actorOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
    route({
      method: "DELETE",
      path: `${prefix}/{connection_id*}`,
      summary: `Delete a connection and its credentials${note}`,
      wire: "connect",
      guard: keys.guard("environment:connections:delete"),
      input: noBody,
      answers: { means: "It is gone, and its credentials with it.", schema: doneAnswer },
      run: async ({ principal, incoming }) => {
        const { provider_config_key: key } = parseQuery(namedQuery, incoming);
        const named = { integrationKey: key, connectionId: incoming.param("*") };
        await destroy(principal.environment, named, actorOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
  ]);
};
