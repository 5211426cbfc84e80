import { jsonBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { peerOf } from "../sessions/authenticate.ts";
import type { AccountUseCases } from "../use-cases.ts";
import { done, success, welcome } from "../wire/answers.ts";
import { addressBody, confirmResetBody } from "../wire/bodies.ts";

/** A lost password, and the mail that helps. */
export const recoveryRoutes = (use: AccountUseCases, passwordMin: number): readonly Route[] => [
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
