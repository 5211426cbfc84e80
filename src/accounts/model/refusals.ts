import { refusalKinds, refusals as anyServers } from "../../kernel/errors.ts";

/** What this room refuses, beyond what any server does. */
export const accountRefusals = refusalKinds({
  credentials_missing: {
    status: 401,
    text: "Authentication is required",
    headers: { "x-authorization-missing": "true" },
    wordless: true,
  },
  credentials_wrong: {
    status: 403,
    text: "Incorrect email and/or password",
  },
  session_not_current: {
    status: 403,
    text: "The session has ended. Sign in again.",
  },
  email_unverified: {
    status: 403,
    text: "Confirm your e-mail address first: open the link in the mail we sent, or ask for a new one.",
  },
  token_makes_no_session: { status: 403, text: "Incorrect email and/or password" },
  password_needed: { status: 403, text: "Use the session cookie, or the account's email and password" },
  code_refused: { status: 400, text: "The code is not valid or has expired. Request a new one." },
  login_throttled: { status: 429, text: "Too many failed attempts. Wait, or reset the password." },
  sign_up_throttled: { status: 429, text: "Too many sign-ups from this network. Try again later." },
  mail_throttled: { status: 429, text: "Too many mails to this address. Try again later." },
  code_throttled: { status: 429, text: "Too many codes tried from this network. Try again later." },
});

/** All that this room refuses with. */
export const refusals = { ...anyServers, ...accountRefusals };
