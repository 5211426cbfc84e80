import type { z } from "zod";
import { clearedCookie } from "../../kernel/http/cookie.ts";
import { jsonBody, type Input } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { peerOf, shownDevice } from "../sessions/authenticate.ts";
import { sessionCookieName } from "../sessions/sessions.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { closeAccountRefuses } from "./close-account.ts";
import { closedAnswer, done, instantOf, recoveredAnswer, success, welcome } from "../wire/answers.ts";
import { closeBody, signUpBody, undoCloseBody } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { accountsWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";
import { codeRefuses } from "../mailing/mail-codes.ts";

const optionalBody = <Value>(schema: z.ZodType<Value>): Input<Value> => ({
  ...jsonBody(schema),
  optional: true,
});

/** How an account begins and ends. */
export const membershipRoutes = (
  use: AccountUseCases,
  { cookieOrPassword, limit }: Gates,
  passwordMin: number,
): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/signup",
    summary: "Sign up for an account",
    wire: accountsWire,
    sameSite: true,
    guard: anyone,
    input: jsonBody(signUpBody(passwordMin)),
    refuses: [refusals.sign_up_throttled, refusals.busy],
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
            device: shownDevice(incoming),
          },
          peerOf(incoming),
        ),
      ),
  }),
  route({
    method: "POST",
    path: "/api/me/close_account/track",
    summary: "Close the account; `current_password`, when it is sent, must be right",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: optionalBody(closeBody),
    refuses: closeAccountRefuses,
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
    summary: "Take a closed account back with the code that was mailed, and a new password",
    wire: accountsWire,
    guard: anyone,
    input: jsonBody(undoCloseBody(passwordMin)),
    refuses: [...codeRefuses, refusals.busy],
    answers: {
      means: "The account is open, under the new password. Its API token was replaced.",
      schema: recoveredAnswer,
    },
    run: async ({ params, input, incoming }) => {
      const tokenReplaced = await use.undoClose(params.code, input.password, peerOf(incoming));
      return { json: { ...success, token_replaced: tokenReplaced } };
    },
  }),
];
