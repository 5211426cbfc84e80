import { Refusal } from "../../kernel/errors.ts";
import { clearedCookie } from "../../kernel/http/cookie.ts";
import { type Input, noBody, ofFields, parseInput } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { done, endedAnswer, mySessionsAnswer, success, successAnswer, welcome } from "../wire/answers.ts";
import { rememberBody, signInBody } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { isTokenPair, peerOf, shownDevice } from "./authenticate.ts";
import { sessionCookieName } from "./sessions.ts";
import type { SignInFacts } from "./sign-in.ts";
import { refusals } from "../model/refusals.ts";
import { accountsWire } from "../wire/wire.ts";

const namesCredentials = (body: unknown): boolean =>
  typeof body !== "object" || body === null || "email" in body || "password" in body;

/** Sign-in by JSON; or by Basic, with an empty body or one that has `remember_me` at the most. */
const signInInput: Input<SignInFacts> = {
  schema: signInBody,
  optional: true,
  readsBasic: true,
  refuses: [...ofFields, refusals.credentials_wrong, refusals.token_makes_no_session],
  read: (incoming) => {
    const body = incoming.json() ?? {};
    const basic = namesCredentials(body) ? undefined : incoming.basic();
    if (basic === undefined) {
      const { email, password, remember_me: remember = false } = parseInput(signInBody, body);
      return { email, password, remember, device: shownDevice(incoming) };
    }
    const { remember_me: remember = false } = parseInput(rememberBody, body);
    if (basic === "malformed") throw new Refusal(refusals.credentials_wrong);
    if (isTokenPair(basic)) throw new Refusal(refusals.token_makes_no_session);
    return { email: basic.user, password: basic.password, remember, device: undefined };
  },
};

/** Signing in and out, and where the caller is signed in. */
export const sessionRoutes = (
  use: AccountUseCases,
  { anyCredential, cookieOrPassword, limit }: Gates,
): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/sessions",
    summary: "Sign in: by a JSON body, or by Basic with e-mail and password and an empty body",
    wire: accountsWire,
    sameSite: true,
    guard: anyone,
    input: signInInput,
    refuses: [refusals.email_unverified, refusals.login_throttled, refusals.busy],
    answers: done(
      "The session cookie is set. A browser gets a second one, by which it is known the next time.",
    ),
    run: async ({ input, incoming }) => welcome(await use.signIn(input, peerOf(incoming))),
  }),
  route({
    method: "GET",
    path: "/api/sessions",
    summary: "Check whether the credentials are good",
    wire: accountsWire,
    guard: anyCredential,
    limit,
    input: noBody,
    answers: done("They are."),
    run: () => ({ json: success }),
  }),
  route({
    method: "DELETE",
    path: "/api/sessions",
    summary: "Sign out: the cookie's session, or with Basic alone every session of the account",
    wire: accountsWire,
    guard: anyCredential,
    limit,
    input: noBody,
    answers: done("The session has ended and the cookie is cleared; or all sessions have ended."),
    run: async ({ principal, incoming }) => {
      const cookie = incoming.cookie(sessionCookieName);
      if (cookie.kind === "none") {
        await use.endOtherSessions(principal, peerOf(incoming));
        return { json: success };
      }
      if (cookie.kind === "one") await use.endSessionOfCookie(cookie.value, peerOf(incoming));
      return { json: success, cookie: clearedCookie(sessionCookieName) };
    },
  }),
  route({
    method: "GET",
    path: "/api/me/sessions",
    summary: "Where the caller is signed in",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: noBody,
    answers: { means: "The sessions that live, the one seen last first.", schema: mySessionsAnswer },
    run: async ({ principal }) => ({ json: await use.listMySessions(principal) }),
  }),
  route({
    method: "DELETE",
    path: "/api/me/sessions",
    summary: "End all other sessions; with Basic alone, all of them",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: noBody,
    answers: { means: "They have ended.", schema: endedAnswer },
    run: async ({ principal, incoming }) => ({
      json: { ...success, ended: await use.endOtherSessions(principal, peerOf(incoming)) },
    }),
  }),
  route({
    method: "DELETE",
    path: "/api/me/sessions/{session_id}",
    summary: "End one session of the caller",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: noBody,
    refuses: [refusals.not_found],
    answers: {
      means: "It has ended; when it was the call's own, the cookie is cleared.",
      schema: successAnswer,
    },
    run: async ({ params, principal, incoming }) => {
      const id = params.session_id;
      await use.endMySession(principal, id, peerOf(incoming));
      return id === principal.sessionId
        ? { json: success, cookie: clearedCookie(sessionCookieName) }
        : { json: success };
    },
  }),
];
