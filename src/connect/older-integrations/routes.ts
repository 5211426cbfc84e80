import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { Integration } from "../model/connection.ts";
import { refusals } from "../model/refusals.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import { actorOf } from "../wire/actor.ts";
import { integrationKey } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, connectQuery, invalidBody } from "../wire/input.ts";
import { connectWire } from "../wire/wire.ts";

/** What integrations were called before, and are by the original's SDK up to 0.58. */

const configShown = z.object({
  unique_key: z.string(),
  provider: z.string(),
  /** Of functions, which are not here. */
  syncs: z.array(z.never()),
  actions: z.array(z.never()),
});
const configAnswer = z.object({ config: configShown });
const configsAnswer = z.object({ configs: z.array(configShown) });

const shown = ({ uniqueKey, provider }: Integration): z.output<typeof configShown> => ({
  unique_key: uniqueKey,
  provider,
  syncs: [],
  actions: [],
});

/** What the SDK lays beside them is for OAuth. */
const configBody = z.strictObject({
  provider: z.string().min(1).max(255),
  provider_config_key: integrationKey,
});

const oneQuery = connectQuery(
  z.strictObject({ include_creds: z.enum(["true", "false"]).describe("Does nothing").optional() }),
);

const wire = connectWire;

export const olderIntegrationRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => [
  route({
    method: "GET",
    path: "/config",
    summary: "List the integrations of the environment (the older path)",
    wire,
    guard: key("environment:integrations:list"),
    input: noBody,
    answers: { means: "The integrations, in the order in which they were made.", schema: configsAnswer },
    run: async ({ principal }) => {
      const found = await use.listIntegrations({ kind: "key", holder: principal });
      return { json: { configs: found.map(shown) } };
    },
  }),
  route({
    method: "POST",
    path: "/config",
    summary: "Let people link a provider (the older path)",
    wire,
    guard: key("environment:integrations:create"),
    input: connectBody(configBody),
    answers: { means: "The integration.", schema: configAnswer },
    run: async ({ input, principal, incoming }) => {
      const wanted = { provider: input.provider, unique_key: input.provider_config_key };
      const actor = actorOf(principal, incoming);
      return { json: { config: shown(await use.createIntegration(principal.environment, wanted, actor)) } };
    },
  }),
  route({
    method: "PUT",
    path: "/config",
    summary: "Change the credentials of an integration, of which there are none here (the older path)",
    wire,
    guard: key("environment:integrations:update"),
    input: connectBody(configBody),
    refuses: [refusals.not_found],
    answers: { means: "The integration as it was.", schema: configAnswer },
    run: async ({ input, principal }) => {
      const found = await use.readIntegration(principal.environment, input.provider_config_key);
      if (found.provider !== input.provider) {
        throw invalidBody(["provider"], "An integration stays with its provider");
      }
      return { json: { config: shown(found) } };
    },
  }),
  route({
    method: "GET",
    path: "/config/{integration_key}",
    summary: "Read an integration (the older path)",
    wire,
    guard: key("environment:integrations:read"),
    input: noBody,
    query: oneQuery,
    refuses: [refusals.not_found],
    answers: { means: "The integration.", schema: configAnswer },
    run: async ({ params, principal }) => ({
      json: { config: shown(await use.readIntegration(principal.environment, params.integration_key)) },
    }),
  }),
  route({
    method: "DELETE",
    path: "/config/{integration_key}",
    summary: "Delete an integration, and every connection of it (the older path)",
    wire,
    guard: key("environment:integrations:delete"),
    input: noBody,
    status: 204,
    refuses: [refusals.not_found],
    answers: { means: "It is gone, and the credentials of its connections with it." },
    run: async ({ params, principal, incoming }) => {
      const actor = actorOf(principal, incoming);
      await use.deleteIntegration(principal.environment, params.integration_key, actor);
      return {};
    },
  }),
];
