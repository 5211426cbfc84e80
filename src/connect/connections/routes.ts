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
  whichIntegration,
} from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, connectQuery, keyInHeader, namingQuery } from "../wire/input.ts";
import { connectionsQuery } from "./list-connections.ts";
import { connectionQuery } from "./read-connection.ts";
import { shownInList } from "./shown-connection.ts";
import { connectWire } from "../wire/wire.ts";
import { verificationRefuses } from "../verification/verify-credentials.ts";
import { asBadRequest, refusals } from "../model/refusals.ts";

/** The older of the two is the original's too, and its old clients call it. */
const prefixes = [
  ["/connections", ""],
  ["/connection", " (the older path)"],
] as const;

const namedQuery = namingQuery(
  z.strictObject({ provider_config_key: integrationKey.describe(whichIntegration) }),
);

const oldImportRefuses = [refusals.not_found, refusals.unknown_provider_template, refusals.busy];
const importRefuses = [...new Set([...oldImportRefuses, ...verificationRefuses])];
const notFound = [asBadRequest.unknown_provider_config, refusals.not_found];
const readRefuses = [...notFound, refusals.connection_failing];
const changeRefuses = [
  ...readRefuses,
  // Of one that is taken away while the provider is asked.
  refusals.unknown_provider_config,
  refusals.unknown_connection,
  refusals.busy,
  ...verificationRefuses,
];
const deleteRefuses = [asBadRequest.unknown_connection];

const importRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/connections",
    summary: "Bring a connection along; the provider is asked first, unless `verify` is false",
    wire: connectWire,
    guard: key("environment:connections:create"),
    input: connectBody(importBody),
    refuses: importRefuses,
    status: 201,
    answers: { means: "The connection with its credentials.", schema: connectionAnswer },
    run: async ({ input, principal, incoming }) => {
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
      return { json: connection };
    },
  }),
  route({
    method: "POST",
    path: "/connection",
    summary: "Bring a connection along without asking the provider (the older path)",
    wire: connectWire,
    guard: key("environment:connections:create"),
    input: connectBody(oldImportBody),
    refuses: oldImportRefuses,
    status: 201,
    answers: { means: "The connection with its credentials.", schema: connectionAnswer },
    run: async ({ input, principal, incoming }) => {
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
      return { json: connection };
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
      wire: connectWire,
      guard: gates.key("environment:connections:list"),
      input: noBody,
      query: connectQuery(connectionsQuery),
      answers: {
        means: "A page of connections, newest first, without credentials.",
        schema: connectionsAnswer,
      },
      run: async ({ query, principal }) => {
        const found = await use.listConnections(principal.environment, query);
        return { json: { connections: found.map(shownInList) } };
      },
    }),
    route({
      method: "GET",
      path: `${prefix}/{connection_id*}`,
      summary: `Read a connection and its credentials${note}`,
      wire: connectWire,
      guard: gates.key("environment:connections:read", "environment:connections:read_credentials"),
      input: noBody,
      query: namingQuery(connectionQuery),
      headers: keyInHeader,
      refuses: readRefuses,
      answers: {
        means: "The connection; `credentials` is empty for a key that may not read them.",
        schema: connectionAnswer,
      },
      run: async ({ params, query, principal, incoming }) => ({
        json: await use.readConnection(principal, params.connection_id, query, incoming),
      }),
    }),
    route({
      method: "PATCH",
      path: `${prefix}/{connection_id*}`,
      summary: `Change what is said of a connection${note}`,
      wire: connectWire,
      guard: gates.key("environment:connections:update"),
      input: connectBody(changedConnectionBody),
      query: namedQuery,
      headers: keyInHeader,
      refuses: changeRefuses,
      answers: { means: "It is changed.", schema: doneAnswer },
      run: async ({ params, query, input, principal, incoming }) => {
        const named = { integrationKey: query.provider_config_key, connectionId: params.connection_id };
        await use.changeConnection(keyCallerOf(principal, incoming), named, input);
        return { json: { success: true } };
      },
    }),
    route({
      method: "DELETE",
      path: `${prefix}/{connection_id*}`,
      summary: `Delete a connection and its credentials${note}`,
      wire: connectWire,
      guard: gates.key("environment:connections:delete"),
      input: noBody,
      query: namedQuery,
      headers: keyInHeader,
      refuses: deleteRefuses,
      answers: { means: "It is gone, and its credentials with it.", schema: doneAnswer },
      run: async ({ params, query, principal, incoming }) => {
        const named = { integrationKey: query.provider_config_key, connectionId: params.connection_id };
        await use.deleteConnection(principal.environment, named, actorOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
  ]),
];
