import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf } from "../wire/actor.ts";
import { doneAnswer, integrationAnswer, integrationsAnswer } from "../wire/answers.ts";
import { changedIntegrationBody, newIntegrationBody } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, noQuery, parseQuery } from "../wire/input.ts";
import type { shownIntegration } from "./shown-integration.ts";

const part = z.enum(["webhook", "credentials"]);
const oneQuery = z.strictObject({
  include: z.union([part, z.array(part)], "must be webhook or credentials").optional(),
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
    wire: "connect",
    guard: keyOrSession("environment:integrations:list"),
    input: noBody,
    answers: {
      means: "The integrations, in the order in which they were made.",
      schema: integrationsAnswer,
    },
    run: async ({ principal, incoming }) => {
      noQuery(incoming);
      const found = await use.listIntegrations(principal);
      return { json: { data: found.map((integration) => shown(integration)) } };
    },
  }),
  route({
    method: "POST",
    path: "/integrations",
    summary: "Let people link a provider",
    wire: "connect",
    guard: key("environment:integrations:create"),
    input: connectBody(newIntegrationBody),
    answers: { means: "The integration.", schema: integrationAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      const made = await use.createIntegration(principal.environment, input, actorOf(principal, incoming));
      return { json: { data: shown(made, { config: true }) } };
    },
  }),
  route({
    method: "GET",
    path: "/integrations/{integration_key}",
    summary: "Read an integration",
    wire: "connect",
    guard: key("environment:integrations:read"),
    input: noBody,
    answers: {
      means: "The integration, without what is secret of its configuration.",
      schema: integrationAnswer,
    },
    run: async ({ principal, incoming }) => {
      const asked = [parseQuery(oneQuery, incoming).include ?? []].flat();
      const integration = await use.readIntegration(principal.environment, incoming.param("integration_key"));
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
    wire: "connect",
    guard: key("environment:integrations:update"),
    input: connectBody(changedIntegrationBody),
    answers: { means: "The integration as it is now.", schema: integrationAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      const wanted = { key: incoming.param("integration_key"), wanted: input };
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
    wire: "connect",
    guard: key("environment:integrations:delete"),
    input: noBody,
    answers: { means: "It is gone, and the credentials of its connections with it.", schema: doneAnswer },
    run: async ({ principal, incoming }) => {
      noQuery(incoming);
      const named = incoming.param("integration_key");
      await use.deleteIntegration(principal.environment, named, actorOf(principal, incoming));
      return { json: { success: true } };
    },
  }),
];
