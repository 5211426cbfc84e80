import { z } from "zod";
import { Refusal, type RefusalKind } from "../kernel/errors.ts";
import { jsonBody, namedQuery, noBody } from "../kernel/http/input.ts";
import { anyone, route, type Guard, type Route } from "../kernel/http/route.ts";
import { jsonType } from "../kernel/http/content-types.ts";
import type { PublicJwk } from "../kernel/crypto/jwt/signing-keys.ts";
import { readFlag } from "../kernel/text/flag.ts";
import type { Caller } from "./caller.ts";
import { changeMeBody } from "./change-me.ts";
import type { Metering } from "./metering.ts";
import type { TrackUseCases } from "./use-cases.ts";
import { refusals } from "./refusals.ts";
import { plainWire, type Wire } from "../kernel/http/wire.ts";

/** Other servers may keep the public keys for a minute; a revoked one is gone from here at once. */
const keysHeaders = { "cache-control": "public, max-age=60" };

const me = z.object({ id: z.int(), api_token: z.string().optional(), email: z.string() }).loose();
const workspace = z.object({ id: z.int(), organization_id: z.int(), name: z.string() }).loose();
const organization = z.object({ id: z.int(), name: z.string() }).loose();
const quotaState = z.object({
  organization_id: z.int().nullable(),
  remaining: z.int(),
  resets_in_secs: z.int(),
  total: z.int(),
});
const keySet = z.object({ keys: z.array(z.object({ kid: z.string(), x: z.string() }).loose()) });

const meQuery = z.object({
  with_related_data: z.string().describe("`true` adds what belongs to the caller").optional(),
});

/** Clients write the flag as `true`, `1`, or JSON. */
const isSet = (flag: string | undefined): boolean => flag === "" || readFlag(flag ?? "") === true;

const workspaceIdOf = (text: string): number => {
  // Longer numbers are no ids, and would lose digits.
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Refusal(refusals.not_found);
  return Number(text);
};

/** Toggl Track's API v9: so far what it says of the caller, and of the one workspace that everybody has. */
export const trackRoutes = <Principal extends Caller>(
  use: TrackUseCases<Principal>,
  deps: {
    readonly caller: Guard<Principal>;
    readonly metering: Metering<Principal>;
    readonly publicKeys: () => Promise<readonly PublicJwk[]>;
    readonly passwordMin: number;
    /** How a change of the account is refused that is well-formed. */
    readonly changeRefuses: readonly RefusalKind[];
    readonly closeRefuses: readonly RefusalKind[];
    readonly wire: Wire;
  },
): readonly Route[] => {
  const { wire } = deps;
  const guarded = { wire, guard: deps.caller, limit: deps.metering.count } as const;
  const keys = async () => ({ json: { keys: await deps.publicKeys() }, headers: keysHeaders });
  return [
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me",
      summary: "The caller, with the API token; `with_related_data=true` adds what belongs to them",
      input: noBody,
      query: namedQuery(meQuery),
      answers: { means: "The caller.", schema: me },
      run: async ({ principal, query }) =>
        isSet(query.with_related_data)
          ? { json: await use.meWithRelatedData(principal) }
          : { content: { type: jsonType, body: await use.me(principal) } },
    }),
    route({
      ...guarded,
      limit: deps.metering.countOnly,
      method: "PUT",
      path: "/api/v9/me",
      summary: "Change the caller's profile; e-mail and password need `current_password`",
      input: jsonBody(changeMeBody(deps.passwordMin)),
      refuses: deps.changeRefuses,
      answers: { means: "The caller as they are now.", schema: me },
      run: async ({ input, principal, incoming }) => ({
        json: await use.changeMe(principal, input, incoming),
      }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/logged",
      summary: "Check the credentials",
      input: noBody,
      answers: { means: "They are good. The body is empty." },
      run: () => ({}),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/id",
      summary: "The caller's number",
      input: noBody,
      answers: { means: "The number.", schema: z.int() },
      run: ({ principal }) => ({ json: principal.account.id }),
    }),
    route({
      ...guarded,
      limit: deps.metering.countOnly,
      method: "POST",
      path: "/api/v9/me/reset_token",
      summary: "Replace the API token; the old one stops working",
      input: noBody,
      answers: { means: "The new token.", schema: z.string() },
      run: async ({ principal, incoming }) => ({ json: await use.resetToken(principal, incoming) }),
    }),
    route({
      ...guarded,
      limit: deps.metering.countOnly,
      method: "POST",
      path: "/api/v9/me/close_account",
      summary: "Close the account",
      input: noBody,
      refuses: deps.closeRefuses,
      answers: { means: "The account is closed.", schema: z.string() },
      run: async ({ principal, incoming }) => {
        await use.closeAccount(principal, incoming);
        return { json: "Account closed" };
      },
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/quota",
      summary: "How many calls are left this hour",
      input: noBody,
      answers: { means: "One entry for the caller.", schema: z.array(quotaState) },
      run: ({ principal }) => {
        const state = deps.metering.state(principal);
        const entry = {
          organization_id: null,
          remaining: state.remaining,
          resets_in_secs: state.resetsInSeconds,
          total: state.total,
        };
        return { json: [entry] };
      },
    }),
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
        json: await use.workspace(principal, workspaceIdOf(params.workspace_id)),
      }),
    }),
    route({
      method: "GET",
      path: "/api/v9/status",
      summary: "Whether the API answers",
      wire,
      guard: anyone,
      input: noBody,
      answers: { means: "It does.", schema: z.object({ status: z.literal("OK") }) },
      run: () => ({ json: { status: "OK" } }),
    }),
    route({
      method: "GET",
      path: "/api/v9/keys",
      summary: "The public keys of session tokens (JWKS)",
      wire,
      guard: anyone,
      input: noBody,
      answers: { means: "Every key that still verifies.", schema: keySet },
      run: keys,
    }),
    route({
      method: "GET",
      path: "/.well-known/jwks.json",
      summary: "The public keys of session tokens (JWKS)",
      wire: plainWire,
      guard: anyone,
      input: noBody,
      answers: { means: "Every key that still verifies.", schema: keySet },
      run: keys,
    }),
  ];
};
