import type { z } from "zod";
import { Refusal } from "../kernel/errors.ts";
import { clearedCookie } from "../kernel/http/cookie.ts";
import { jsonBody, noBody, parseInput } from "../kernel/http/input.ts";
import {
  anyone,
  route,
  type Answer,
  type Guard,
  type Input,
  type Limit,
  type Route,
} from "../kernel/http/route.ts";
import type { Principal } from "./account.ts";
import { closedAnswer, instantOf, successAnswer } from "./answers.ts";
import { isTokenPair, peerOf } from "./authenticate.ts";
import { addressBody, closeBody, confirmResetBody, rememberBody, signInBody, signUpBody } from "./bodies.ts";
import { sessionCookieName } from "./sessions.ts";
import type { SignInFacts } from "./sign-in.ts";
import type { AccountUseCases } from "./use-cases.ts";

const success = { success: true };
const done = (means: string) => ({ means, schema: successAnswer });
const welcome = (cookie: string | undefined): Answer =>
  cookie === undefined ? { json: success } : { json: success, cookie };

const namesCredentials = (body: unknown): boolean =>
  typeof body !== "object" || body === null || "email" in body || "password" in body;

export type AccountGuards = {
  readonly anyCredential: Guard<Principal>;
  readonly cookieOrPassword: Guard<Principal>;
};

/** Sign-in by JSON; or by Basic, with an empty body or one that has `remember_me` at the most. */
const signInInput: Input<SignInFacts> = {
  schema: signInBody,
  optional: true,
  read: (incoming) => {
    const body = incoming.json() ?? {};
    const basic = namesCredentials(body) ? undefined : incoming.basic();
    if (basic === undefined) {
      const { email, password, remember_me: remember = false } = parseInput(signInBody, body);
      return { email, password, remember };
    }
    const { remember_me: remember = false } = parseInput(rememberBody, body);
    if (basic === "malformed") throw new Refusal("credentials_wrong");
    if (isTokenPair(basic)) throw new Refusal("token_makes_no_session");
    return { email: basic.user, password: basic.password, remember };
  },
};

const optionalBody = <Value>(schema: z.ZodType<Value>): Input<Value> => ({
  ...jsonBody(schema),
  optional: true,
});

/**
 * The Accounts API. Every good answer is `{"success":true}`; what matters is in the cookie.
 */
export const accountRoutes = (
  use: AccountUseCases,
  guards: AccountGuards,
  limit: Limit<Principal>,
  passwordMin: number,
): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/signup",
    summary: "Sign up for an account",
    wire: "accounts",
    sameSite: true,
    guard: anyone,
    input: jsonBody(signUpBody(passwordMin)),
    answers: done("The account exists; the session cookie is set."),
    run: async ({ input, incoming }) =>
      welcome(
        await use.signUp(
          {
            email: input.email,
            password: input.password,
            displayName: input.display_name,
            timezone: input.timezone,
            remember: input.remember_me ?? false,
          },
          peerOf(incoming),
        ),
      ),
  }),
  route({
    method: "POST",
    path: "/api/sessions",
    summary: "Sign in: by a JSON body, or by Basic with e-mail and password and an empty body",
    wire: "accounts",
    sameSite: true,
    guard: anyone,
    input: signInInput,
    answers: done("The session cookie is set."),
    run: async ({ input, incoming }) => welcome(await use.signIn(input, peerOf(incoming))),
  }),
  route({
    method: "GET",
    path: "/api/sessions",
    summary: "Check whether the credentials are good",
    wire: "accounts",
    guard: guards.anyCredential,
    limit,
    input: noBody,
    answers: done("They are."),
    run: () => ({ json: success }),
  }),
  route({
    method: "DELETE",
    path: "/api/sessions",
    summary: "Sign out: the cookie's session, or with Basic alone every session of the account",
    wire: "accounts",
    guard: guards.anyCredential,
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
    method: "POST",
    path: "/api/me/close_account/track",
    summary: "Close the account; `current_password`, when it is sent, must be right",
    wire: "accounts",
    guard: guards.cookieOrPassword,
    limit,
    input: optionalBody(closeBody),
    answers: {
      means: "No credential works any more; a mail says how to take the account back.",
      schema: closedAnswer,
    },
    run: async ({ input, principal, incoming }) => {
      const peer = peerOf(incoming);
      if (input.current_password) await use.proveOwner(principal, input.current_password, peer);
      const until = await use.closeAccount(principal.account, { channel: principal.via, peer });
      return {
        json: { ...success, undo_until: until === undefined ? null : instantOf(until) },
        cookie: clearedCookie(sessionCookieName),
      };
    },
  }),
  route({
    method: "POST",
    path: "/api/me/close_account/undo/{code}",
    summary: "Take a closed account back with the code that was mailed",
    wire: "accounts",
    guard: anyone,
    input: noBody,
    answers: done("Password and token work again."),
    run: async ({ incoming }) => {
      await use.undoClose(incoming.param("code"), peerOf(incoming));
      return { json: success };
    },
  }),
  route({
    method: "POST",
    path: "/api/me/password_reset/request",
    summary: "Ask for a password reset code by mail",
    wire: "accounts",
    guard: anyone,
    input: jsonBody(addressBody),
    answers: done("A code is mailed, if there is such an account."),
    run: async ({ input, incoming }) => {
      await use.requestReset(input.email, peerOf(incoming));
      return { json: success };
    },
  }),
  route({
    method: "POST",
    path: "/api/me/password_reset/confirm/{code}",
    summary: "Set a new password with the code",
    wire: "accounts",
    sameSite: true,
    guard: anyone,
    input: jsonBody(confirmResetBody(passwordMin)),
    answers: done("The password is changed, all sessions ended, and a new session cookie set."),
    run: async ({ input, incoming }) =>
      welcome(await use.confirmReset(incoming.param("code"), input.password, peerOf(incoming))),
  }),
];
