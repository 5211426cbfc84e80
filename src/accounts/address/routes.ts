import { jsonBody, noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { peerOf } from "../sessions/authenticate.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { confirmedAnswer, success, successAnswer } from "../wire/answers.ts";
import { addressBody, changeEmailBody } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { accountsWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";
import { codeRefuses } from "../mailing/mail-codes.ts";

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
    input: jsonBody(addressBody),
    refuses: [refusals.code_throttled],
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
    wire: accountsWire,
    guard: anyone,
    input: noBody,
    refuses: [...codeRefuses, refusals.input_invalid],
    answers: {
      means: "The account has this address, and it is verified.",
      schema: confirmedAnswer,
    },
    run: async ({ params, incoming }) => ({
      json: { ...success, email: await use.confirmEmail(params.code, peerOf(incoming)) },
    }),
  }),
];
