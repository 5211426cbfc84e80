import { jsonBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { cookieIn, peerOf, shownDevice } from "../sessions/authenticate.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { done, recoveredAnswer, success, welcome } from "../wire/answers.ts";
import { addressBody, confirmResetBody } from "../wire/bodies.ts";
import { accountsWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";
import { codeRefuses } from "../mailing/mail-codes.ts";

/** A lost password, and the mail that helps. */
export const recoveryRoutes = (use: AccountUseCases, passwordMin: number): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/me/password_reset/request",
    summary: "Ask for a password reset code by mail",
    wire: accountsWire,
    guard: anyone,
    input: { ...jsonBody(addressBody), readsCookie: true },
    refuses: [refusals.code_throttled, refusals.mail_throttled],
    answers: done("A code is mailed, if there is such an account."),
    run: async ({ input, incoming }) => {
      await use.requestReset(input.email, { cookie: cookieIn(incoming) }, peerOf(incoming));
      return { json: success };
    },
  }),
  route({
    method: "POST",
    path: "/api/me/password_reset/confirm/{code}",
    summary: "Set a new password with the code",
    wire: accountsWire,
    sameSite: true,
    guard: anyone,
    input: jsonBody(confirmResetBody(passwordMin)),
    refuses: [...codeRefuses, refusals.busy],
    answers: {
      means:
        "The password is changed, all sessions ended, the API token replaced, and a new session cookie set.",
      schema: recoveredAnswer,
    },
    run: async ({ params, input, incoming }) => {
      const wanted = {
        password: input.password,
        keepToken: input.keep_token ?? false,
        device: shownDevice(incoming),
      };
      const { entered, tokenReplaced } = await use.confirmReset(params.code, wanted, peerOf(incoming));
      return welcome(entered, { ...success, token_replaced: tokenReplaced });
    },
  }),
];
