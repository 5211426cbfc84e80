import { Refusal } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { jsonBody, noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { cookieIn, isTokenPair, peerOf } from "../sessions/authenticate.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { confirmedAnswer, success, successAnswer } from "../wire/answers.ts";
import { addressBody, changeEmailBody } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { accountsWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";
import { codeRefuses } from "../mailing/mail-codes.ts";
import type { ShownWithCode } from "./confirm-email.ts";

/** A session that has ended is none; but wrong Basic credentials must not pass for none, which ends more. */
const shownIn = (incoming: Incoming): ShownWithCode => {
  const basic = incoming.basic();
  if (basic === "malformed") throw new Refusal(refusals.credentials_wrong);
  if (basic && isTokenPair(basic)) throw new Refusal(refusals.password_needed);
  return { basic, cookie: cookieIn(incoming) };
};

/** The e-mail address: proving it, and moving to another. */
export const addressRoutes = (use: AccountUseCases, { cookieOrPassword, limit }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/me/email_change/request",
    summary: "Ask for another e-mail address; a code is mailed there",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
    input: jsonBody(changeEmailBody),
    refuses: [refusals.sign_up_throttled, refusals.mail_throttled],
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
    method: "DELETE",
    path: "/api/me/email_change",
    summary: "Drop a change of the e-mail address that is not confirmed yet",
    wire: accountsWire,
    guard: cookieOrPassword,
    limit,
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
    wire: accountsWire,
    guard: anyone,
    input: { ...jsonBody(addressBody), readsCookie: true },
    refuses: [refusals.code_throttled, refusals.mail_throttled],
    answers: {
      means: "A code is mailed, if there is such an account and it needs one.",
      schema: successAnswer,
    },
    run: async ({ input, incoming }) => {
      await use.requestVerification(input.email, { cookie: cookieIn(incoming) }, peerOf(incoming));
      return { json: success };
    },
  }),
  route({
    method: "POST",
    path: "/api/me/email_verification/confirm/{code}",
    summary:
      "Confirm the e-mail address that the code was mailed to; with the session cookie or Basic, credentials stay",
    wire: accountsWire,
    guard: anyone,
    input: { ...noBody, readsBasic: true, readsCookie: true },
    refuses: [
      ...codeRefuses,
      refusals.input_invalid,
      refusals.credentials_wrong,
      refusals.password_needed,
      refusals.login_throttled,
      refusals.busy,
    ],
    answers: {
      means:
        "The account has this address, and it is verified. If that was its first proof, and came without a session or the password of the account, sessions ended and the API token was replaced.",
      schema: confirmedAnswer,
    },
    run: async ({ params, incoming }) => {
      const { email, tokenReplaced } = await use.confirmEmail(
        params.code,
        shownIn(incoming),
        peerOf(incoming),
      );
      return { json: { ...success, email, token_replaced: tokenReplaced } };
    },
  }),
];
