import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { Caller } from "../caller.ts";
import { refusals } from "../refusals.ts";
import type { TrackUseCases } from "../use-cases.ts";
import { guardedBy, type Gates } from "../wire/gates.ts";
import { idOf } from "../wire/ids.ts";

const workspace = z.object({ id: z.int(), organization_id: z.int(), name: z.string() }).loose();
const organization = z.object({ id: z.int(), name: z.string() }).loose();

/** Where the caller works. */
export const workspaceRoutes = <Principal extends Caller>(
  use: TrackUseCases<Principal>,
  gates: Gates<Principal>,
): readonly Route[] => {
  const guarded = guardedBy(gates);
  return [
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/organizations",
      summary: "The caller's organizations",
      input: noBody,
      answers: { means: "All of them.", schema: z.array(organization) },
      run: async ({ principal }) => ({ json: await use.organizations(principal) }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/workspaces",
      summary: "The caller's workspaces",
      input: noBody,
      answers: { means: "All of them.", schema: z.array(workspace) },
      run: async ({ principal }) => ({ json: await use.workspaces(principal) }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/workspaces",
      summary: "The caller's workspaces, as older clients ask for them",
      input: noBody,
      answers: { means: "All of them.", schema: z.array(workspace) },
      run: async ({ principal }) => ({ json: await use.workspaces(principal) }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/workspaces/{workspace_id}",
      summary: "One of the caller's workspaces",
      input: noBody,
      refuses: [refusals.not_found],
      answers: { means: "The workspace.", schema: workspace },
      run: async ({ params, principal }) => ({
        json: await use.workspace(principal, idOf(params.workspace_id)),
      }),
    }),
  ];
};
