import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf } from "../wire/actor.ts";
import { doneAnswer, integrationAnswer, integrationsAnswer } from "../wire/answers.ts";
import { changedIntegrationBody, newIntegrationBody } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, connectQuery } from "../wire/input.ts";
import type { shownIntegration } from "./shown-integration.ts";
import { connectWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";

const part = z.enum(["webhook", "credentials"]);
const oneQuery = z.strictObject({
  include: z
    .union([part, z.array(part)], "must be webhook or credentials")
    .describe("Of both there is none here: null")
    .optional(),
});

/** Which providers the people of an app may link, and how (contract nango §1.8). */
export const integrationRoutes = (
  use: ConnectUseCases,
  { key, keyOrSession }: Gates,
  shown: ReturnType<typeof shownIntegration>,
): readonly Route[] => [
  route({
    method: "GET",
    path: "/integrations",
    summary: "List the integrations of the environment, or those that a connect session is for",
    wire: connectWire,
    guard: keyOrSession("environment:integrations:list"),
    input: noBody,
    answers: {
      means: "The integrations, in the order in which they were made.",
      schema: integrationsAnswer,
    },
    run: async ({ principal }) => {
      const found = await use.listIntegrations(principal);
      return { json: { data: found.map((integration) => shown(integration)) } };
    },
  }),
  route({
    method: "POST",
    path: "/integrations",
    summary: "Let people link a provider",
    wire: connectWire,
    guard: key("environment:integrations:create"),
    input: connectBody(newIntegrationBody),
    answers: { means: "The integration.", schema: integrationAnswer },
    run: async ({ input, principal, incoming }) => {
      const made = await use.createIntegration(principal.environment, input, actorOf(principal, incoming));
      return { json: { data: shown(made, { config: true }) } };
    },
  }),
  route({
    method: "GET",
    path: "/integrations/{integration_key}",
    summary: "Read an integration",
    wire: connectWire,
    guard: key("environment:integrations:read"),
    input: noBody,
    query: connectQuery(oneQuery),
    refuses: [refusals.not_found],
    answers: {
      means: "The integration, without what is secret of its configuration.",
      schema: integrationAnswer,
    },
    run: async ({ params, query, principal }) => {
      const asked = [query.include ?? []].flat();
      const integration = await use.readIntegration(principal.environment, params.integration_key);
      const include = {
        config: true,
        webhook: asked.includes("webhook"),
        credentials: asked.includes("credentials"),
      };
      return { json: { data: shown(integration, include) } };
    },
  }),
  route({
    method: "PATCH",
    path: "/integrations/{integration_key}",
    summary: "Change an integration",
    wire: connectWire,
    guard: key("environment:integrations:update"),
    input: connectBody(changedIntegrationBody),
    refuses: [refusals.not_found, refusals.unknown_provider_template, refusals.connection_failing],
    answers: { means: "The integration as it is now.", schema: integrationAnswer },
    run: async ({ params, input, principal, incoming }) => {
      const wanted = { key: params.integration_key, wanted: input };
      const changed = await use.changeIntegration(
        principal.environment,
        wanted,
        actorOf(principal, incoming),
      );
      return { json: { data: shown(changed, { config: true }) } };
    },
  }),
  route({
    method: "DELETE",
    path: "/integrations/{integration_key}",
    summary: "Delete an integration, and every connection of it",
    wire: connectWire,
    guard: key("environment:integrations:delete"),
    input: noBody,
    refuses: [refusals.not_found],
    answers: { means: "It is gone, and the credentials of its connections with it.", schema: doneAnswer },
    run: async ({ params, principal, incoming }) => {
      const { integration_key: named } = params;
      await use.deleteIntegration(principal.environment, named, actorOf(principal, incoming));
      return { json: { success: true } };
    },
  }),
];
