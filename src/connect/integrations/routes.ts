import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf } from "../wire/actor.ts";
import { doneAnswer, integrationAnswer, integrationsAnswer } from "../wire/answers.ts";
import { changedIntegrationBody, newIntegrationBody } from "../wire/bodies.ts";
import { changeIntegration, noIntegration } from "./change-integration.ts";
import { createIntegration } from "./create-integration.ts";
import { deleteIntegration } from "./delete-integration.ts";
import type { RoomDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import { connectBody, noQuery, parseQuery } from "../wire/input.ts";
import { environmentOfCaller, keyOrSession, type Caller } from "../sessions/session-tokens.ts";
import { shownIntegration } from "./shown-integration.ts";
import { integrationByKey, integrationsOf } from "../store/integrations.ts";

const part = z.enum(["webhook", "credentials"]);
const oneQuery = z.strictObject({
  include: z.union([part, z.array(part)], "must be webhook or credentials").optional(),
});

/** A form sees what its session is for. */
const mayBeSeen = (caller: Caller, key: string): boolean => {
  if (caller.kind === "key") return true;
  const { allowedIntegrations } = caller.session.terms;
  return allowedIntegrations.length === 0 || allowedIntegrations.includes(key);
};

type Deps = Pick<
  RoomDeps,
  "store" | "clock" | "random" | "rootKeys" | "log" | "audit" | "catalogue" | "policy" | "tell"
>;

/** Which providers the people of an app may link, and how (contract nango §1.8). */
export const integrationRoutes = (deps: Deps, keys: EnvironmentKeys): readonly Route[] => {
  const { store } = deps;
  const create = createIntegration(deps);
  const change = changeIntegration(deps);
  const destroy = deleteIntegration(deps);
  return [
    route({
      method: "GET",
      path: "/integrations",
      summary: "List the integrations of the environment, or those that a connect session is for",
      wire: "connect",
      guard: keyOrSession(deps, keys, "environment:integrations:list"),
      input: noBody,
      answers: {
        means: "The integrations, in the order in which they were made.",
        schema: integrationsAnswer,
      },
      run: async ({ principal, incoming }) => {
        noQuery(incoming);
        const all = await integrationsOf(store.query, environmentOfCaller(principal).id);
        const seen = all.filter(({ uniqueKey }) => mayBeSeen(principal, uniqueKey));
        return { json: { data: seen.map((integration) => shownIntegration(deps, integration)) } };
      },
    }),
    route({
      method: "POST",
      path: "/integrations",
      summary: "Let people link a provider",
      wire: "connect",
      guard: keys.guard("environment:integrations:create"),
      input: connectBody(newIntegrationBody),
      answers: { means: "The integration.", schema: integrationAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        const made = await create(principal.environment, input, actorOf(principal, incoming));
        return { json: { data: shownIntegration(deps, made, { config: true }) } };
      },
    }),
    route({
      method: "GET",
      path: "/integrations/{integration_key}",
      summary: "Read an integration",
      wire: "connect",
      guard: keys.guard("environment:integrations:read"),
      input: noBody,
      answers: {
        means: "The integration, without what is secret of its configuration.",
        schema: integrationAnswer,
      },
      run: async ({ principal, incoming }) => {
        const asked = [parseQuery(oneQuery, incoming).include ?? []].flat();
        const key = incoming.param("integration_key");
        const integration = await integrationByKey(store.query, principal.environment.id, key);
        if (!integration) throw noIntegration(key);
        const include = {
          config: true,
          webhook: asked.includes("webhook"),
          credentials: asked.includes("credentials"),
        };
        return { json: { data: shownIntegration(deps, integration, include) } };
      },
    }),
    route({
      method: "PATCH",
      path: "/integrations/{integration_key}",
      summary: "Change an integration",
      wire: "connect",
      guard: keys.guard("environment:integrations:update"),
      input: connectBody(changedIntegrationBody),
      answers: { means: "The integration as it is now.", schema: integrationAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        const wanted = { key: incoming.param("integration_key"), wanted: input };
        const changed = await change(principal.environment, wanted, actorOf(principal, incoming));
        return { json: { data: shownIntegration(deps, changed, { config: true }) } };
      },
    }),
    route({
      method: "DELETE",
      path: "/integrations/{integration_key}",
      summary: "Delete an integration, and every connection of it",
      wire: "connect",
      guard: keys.guard("environment:integrations:delete"),
      input: noBody,
      answers: { means: "It is gone, and the credentials of its connections with it.", schema: doneAnswer },
      run: async ({ principal, incoming }) => {
        noQuery(incoming);
        const key = incoming.param("integration_key");
        await destroy(principal.environment, key, actorOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
  ];
};
