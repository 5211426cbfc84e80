import { z } from "zod";
import type { RefusalKind } from "../../kernel/errors.ts";
import { jsonType } from "../../kernel/http/content-types.ts";
import { jsonBody, namedQuery, noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { Caller } from "../caller.ts";
import type { TrackUseCases } from "../use-cases.ts";
import { isSet } from "../wire/flags.ts";
import { guardedBy, type Gates } from "../wire/gates.ts";
import { changeMeBody } from "./change-me.ts";

const me = z.object({ id: z.int(), api_token: z.string().optional(), email: z.string() }).loose();
const quotaState = z.object({
  organization_id: z.int().nullable(),
  remaining: z.int(),
  resets_in_secs: z.int(),
  total: z.int(),
});

const meQuery = z.object({
  with_related_data: z.string().describe("`true` adds what belongs to the caller").optional(),
});

export type AccountRules = {
  readonly passwordMin: number;
  /** How a change of the account is refused that is well-formed. */
  readonly changeRefuses: readonly RefusalKind[];
  readonly closeRefuses: readonly RefusalKind[];
};

/** The caller. */
export const meRoutes = <Principal extends Caller>(
  use: TrackUseCases<Principal>,
  gates: Gates<Principal>,
  rules: AccountRules,
): readonly Route[] => {
  const guarded = guardedBy(gates);
  const { metering } = gates;
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
      limit: metering.countOnly,
      method: "PUT",
      path: "/api/v9/me",
      summary: "Change the caller's profile; e-mail and password need `current_password`",
      input: jsonBody(changeMeBody(rules.passwordMin)),
      refuses: rules.changeRefuses,
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
      limit: metering.countOnly,
      method: "POST",
      path: "/api/v9/me/reset_token",
      summary: "Replace the API token; the old one stops working",
      input: noBody,
      answers: { means: "The new token.", schema: z.string() },
      run: async ({ principal, incoming }) => ({ json: await use.resetToken(principal, incoming) }),
    }),
    route({
      ...guarded,
      limit: metering.countOnly,
      method: "POST",
      path: "/api/v9/me/close_account",
      summary: "Close the account",
      input: noBody,
      refuses: rules.closeRefuses,
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
        const state = metering.state(principal);
        const entry = {
          organization_id: null,
          remaining: state.remaining,
          resets_in_secs: state.resetsInSeconds,
          total: state.total,
        };
        return { json: [entry] };
      },
    }),
  ];
};
