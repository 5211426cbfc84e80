import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf, keyCallerOf } from "../wire/actor.ts";
import { connectionAnswer, connectionsAnswer, doneAnswer } from "../wire/answers.ts";
import {
  changedConnectionBody,
  endUserOf,
  importBody,
  integrationKey,
  oldImportBody,
} from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, noQuery, parseQuery } from "../wire/input.ts";
import { connectionsQuery } from "./list-connections.ts";
import { connectionQuery } from "./read-connection.ts";
import { shownInList } from "./shown-connection.ts";

/** The older of the two is the original's too, and its old clients call it. */
const prefixes = [
  ["/connections", ""],
  ["/connection", " (the older path)"],
] as const;

const namedQuery = z.strictObject({ provider_config_key: integrationKey });

const importRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/connections",
    summary: "Bring a connection along; the provider is asked first, unless `verify` is false",
    wire: "connect",
    guard: key("environment:connections:create"),
    input: connectBody(importBody),
    answers: { means: "201: the connection with its credentials.", schema: connectionAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      const connection = await use.bringConnection(keyCallerOf(principal, incoming), {
        integrationKey: input.provider_config_key,
        credentials: input.credentials,
        connectionId: input.connection_id,
        config: input.connection_config,
        metadata: input.metadata,
        tags: input.tags,
        endUser: endUserOf(input) ?? undefined,
        webhookUrlOverride: input.webhook_url_override,
        verified: input.verify !== false,
      });
      return { status: 201, json: connection };
    },
  }),
  route({
    method: "POST",
    path: "/connection",
    summary: "Bring a connection along without asking the provider (the older path)",
    wire: "connect",
    guard: key("environment:connections:create"),
    input: connectBody(oldImportBody),
    answers: { means: "201: the connection with its credentials.", schema: connectionAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      const { username, password, api_key: apiKey } = input;
      const given = Object.entries({ username, password, apiKey });
      const connection = await use.bringConnection(keyCallerOf(principal, incoming), {
        integrationKey: input.provider_config_key,
        credentials: Object.fromEntries(given.filter(([, value]) => value !== undefined)),
        connectionId: input.connection_id,
        config: input.connection_config,
        metadata: input.metadata,
        verified: false,
      });
      return { status: 201, json: connection };
    },
  }),
];

/** Linked accounts: their credentials, and whose they are (contract nango §1.9). */
export const connectionRoutes = (use: ConnectUseCases, gates: Gates): readonly Route[] => [
  ...importRoutes(use, gates),
  ...prefixes.flatMap(([prefix, note]) => [
    route({
      method: "GET",
      path: prefix,
      summary: `List connections${note}`,
      wire: "connect",
      guard: gates.key("environment:connections:list"),
      input: noBody,
      answers: {
        means: "A page of connections, newest first, without credentials.",
        schema: connectionsAnswer,
      },
      run: async ({ principal, incoming }) => {
        const found = await use.listConnections(
          principal.environment,
          parseQuery(connectionsQuery, incoming),
        );
        return { json: { connections: found.map(shownInList) } };
      },
    }),
    route({
      method: "GET",
      path: `${prefix}/{connection_id*}`,
      summary: `Read a connection and its credentials${note}`,
      wire: "connect",
      guard: gates.key("environment:connections:read", "environment:connections:read_credentials"),
      input: noBody,
      answers: {
        means: "The connection; `credentials` is empty for a key that may not read them.",
        schema: connectionAnswer,
      },
      run: async ({ principal, incoming }) => {
        const query = parseQuery(connectionQuery, incoming);
        return { json: await use.readConnection(principal, incoming.param("*"), query, incoming) };
      },
    }),
    route({
      method: "PATCH",
      path: `${prefix}/{connection_id*}`,
      summary: `Change what is said of a connection${note}`,
      wire: "connect",
      guard: gates.key("environment:connections:update"),
      input: connectBody(changedConnectionBody),
      answers: { means: "It is changed.", schema: doneAnswer },
      run: async ({ input, principal, incoming }) => {
        const { provider_config_key: key } = parseQuery(namedQuery, incoming);
        const named = { integrationKey: key, connectionId: incoming.param("*") };
        await use.changeConnection(keyCallerOf(principal, incoming), named, input);
        return { json: { success: true } };
      },
    }),
    route({
      method: "DELETE",
      path: `${prefix}/{connection_id*}`,
      summary: `Delete a connection and its credentials${note}`,
      wire: "connect",
      guard: gates.key("environment:connections:delete"),
      input: noBody,
      answers: { means: "It is gone, and its credentials with it.", schema: doneAnswer },
      run: async ({ principal, incoming }) => {
        const { provider_config_key: key } = parseQuery(namedQuery, incoming);
        const named = { integrationKey: key, connectionId: incoming.param("*") };
        await use.deleteConnection(principal.environment, named, actorOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
  ]),
];
