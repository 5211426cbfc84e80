import { invalid } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { myAccountAnswer, myAuditAnswer } from "../wire/answers.ts";
import type { Gates } from "../wire/gates.ts";

/** @throws Refusal input_invalid */
const beforeOf = (incoming: Incoming): number | undefined => {
  const text = incoming.query("before");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalid("before", "type", "before must be a whole number");
  return Number(text);
};

/** What people see of their own account. */
export const profileRoutes = (use: AccountUseCases, { cookieOrPassword, limit }: Gates): readonly Route[] => [
  route({
    method: "GET",
    path: "/api/me",
    summary: "The caller's account",
    wire: "accounts",
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
    wire: "accounts",
    guard: cookieOrPassword,
    limit,
    input: noBody,
    answers: { means: "At most 50 events, the newest first.", schema: myAuditAnswer },
    run: async ({ principal, incoming }) => ({
      json: await use.listMyAudit(principal, beforeOf(incoming)),
    }),
  }),
];
