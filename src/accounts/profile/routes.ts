import { z } from "zod";
import { namedQuery, noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { AuditVocabulary } from "../../kernel/telemetry/audit.ts";
import { refusals } from "../model/refusals.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { myAccountAnswer, myAuditAnswer } from "../wire/answers.ts";
import { report } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { accountsWire } from "../wire/wire.ts";

const auditQuery = z.object({
  before: z
    .string()
    .meta({ type: "integer", minimum: 0 })
    .describe("The `next` of the page before: shows what is older")
    .transform((text, context) =>
      /^\d{1,15}$/.test(text)
        ? Number(text)
        : report(context, { field: "before", rule: "type", message: "before must be a whole number" }),
    )
    .optional(),
});

/** What people see of their own account. */
export const profileRoutes = (
  use: AccountUseCases,
  { cookieOrPassword, limit }: Gates,
  vocabulary: AuditVocabulary,
): readonly Route[] => [
  route({
    method: "GET",
    path: "/api/me",
    summary: "The caller's account",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: noBody,
    answers: { means: "What the account says of its owner.", schema: myAccountAnswer },
    run: async ({ principal }) => ({ json: await use.readMyAccount(principal) }),
  }),
  route({
    method: "GET",
    path: "/api/me/audit",
    summary: "What happened to the caller's account lately",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: noBody,
    query: namedQuery(auditQuery, [refusals.input_invalid]),
    answers: { means: "At most 50 events, the newest first.", schema: myAuditAnswer(vocabulary) },
    run: async ({ principal, query }) => ({ json: await use.listMyAudit(principal, query.before) }),
  }),
];
