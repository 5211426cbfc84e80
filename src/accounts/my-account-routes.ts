import { invalid } from "../kernel/errors.ts";
import { clearedCookie } from "../kernel/http/cookie.ts";
import type { Incoming } from "../kernel/http/incoming.ts";
import { jsonBody, noBody } from "../kernel/http/input.ts";
import { anyone, route, type Guard, type Limit, type Route } from "../kernel/http/route.ts";
import type { Principal } from "./account.ts";
import {
  confirmedAnswer,
  endedAnswer,
  myAccountAnswer,
  myAuditAnswer,
  mySessionsAnswer,
  successAnswer,
} from "./answers.ts";
import { peerOf } from "./authenticate.ts";
import { addressBody, changeEmailBody } from "./bodies.ts";
import { sessionCookieName } from "./sessions.ts";
import type { AccountUseCases } from "./use-cases.ts";

const success = { success: true };

/** @throws Refusal input_invalid */
const beforeOf = (incoming: Incoming): number | undefined => {
  const text = incoming.query("before");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalid("before", "type", "before must be a whole number");
  return Number(text);
};

/** What people see and change of their own account: the JSON behind the pages. */
export const myAccountRoutes = (
  use: AccountUseCases,
  cookieOrPassword: Guard<Principal>,
  limit: Limit<Principal>,
): readonly Route[] => {
  const guarded = { wire: "accounts", guard: cookieOrPassword, limit } as const;
  return [
    route({
      ...guarded,
      method: "GET",
      path: "/api/me",
      summary: "The caller's account",
      input: noBody,
      answers: { means: "What the account says of its owner.", schema: myAccountAnswer },
      run: async ({ principal }) => ({ json: await use.readMyAccount(principal) }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/me/sessions",
      summary: "Where the caller is signed in",
      input: noBody,
      answers: { means: "The sessions that live, the one seen last first.", schema: mySessionsAnswer },
      run: async ({ principal }) => ({ json: await use.listMySessions(principal) }),
    }),
    route({
      ...guarded,
      method: "DELETE",
      path: "/api/me/sessions",
      summary: "End all other sessions; with Basic alone, all of them",
      input: noBody,
      answers: { means: "They have ended.", schema: endedAnswer },
      run: async ({ principal, incoming }) => ({
        json: { ...success, ended: await use.endOtherSessions(principal, peerOf(incoming)) },
      }),
    }),
    route({
      ...guarded,
      method: "DELETE",
      path: "/api/me/sessions/{session_id}",
      summary: "End one session of the caller",
      input: noBody,
      answers: {
        means: "It has ended; when it was the call's own, the cookie is cleared.",
        schema: successAnswer,
      },
      run: async ({ principal, incoming }) => {
        const id = incoming.param("session_id");
        await use.endMySession(principal, id, peerOf(incoming));
        return id === principal.sessionId
          ? { json: success, cookie: clearedCookie(sessionCookieName) }
          : { json: success };
      },
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/me/audit",
      summary: "What happened to the caller's account lately",
      input: noBody,
      answers: { means: "At most 50 events, the newest first.", schema: myAuditAnswer },
      run: async ({ principal, incoming }) => ({
        json: await use.listMyAudit(principal, beforeOf(incoming)),
      }),
    }),
    route({
      ...guarded,
      method: "POST",
      path: "/api/me/email_change/request",
      summary: "Ask for another e-mail address; a code is mailed there",
      input: jsonBody(changeEmailBody),
      answers: {
        means: "Nothing changes until the code is confirmed; the old address is told.",
        schema: successAnswer,
      },
      run: async ({ input, principal, incoming }) => {
        const { email, current_password: currentPassword } = input;
        await use.requestEmailChange(principal, { email, currentPassword }, peerOf(incoming));
        return { json: success };
      },
    }),
    route({
      ...guarded,
      method: "DELETE",
      path: "/api/me/email_change",
      summary: "Drop a change of the e-mail address that is not confirmed yet",
      input: noBody,
      answers: { means: "No change is pending.", schema: successAnswer },
      run: async ({ principal, incoming }) => {
        await use.dropEmailChange(principal, peerOf(incoming));
        return { json: success };
      },
    }),
    route({
      method: "POST",
      path: "/api/me/email_verification/request",
      summary: "Ask for a new code to verify the e-mail address",
      wire: "accounts",
      guard: anyone,
      input: jsonBody(addressBody),
      answers: {
        means: "A code is mailed, if there is such an account and it needs one.",
        schema: successAnswer,
      },
      run: async ({ input, incoming }) => {
        await use.requestVerification(input.email, peerOf(incoming));
        return { json: success };
      },
    }),
    route({
      method: "POST",
      path: "/api/me/email_verification/confirm/{code}",
      summary: "Confirm the e-mail address that the code was mailed to",
      wire: "accounts",
      guard: anyone,
      input: noBody,
      answers: {
        means: "The account has this address, and it is verified.",
        schema: confirmedAnswer,
      },
      run: async ({ incoming }) => ({
        json: { ...success, email: await use.confirmEmail(incoming.param("code"), peerOf(incoming)) },
      }),
    }),
  ];
};
