/**
 * Everything this server refuses, as data: one table from code to status and text. A `Refusal` is an
 * expected ending and is told to the caller; any other thrown thing is a bug and becomes a 500.
 */

type Row = {
  readonly status: number;
  /** The sentence told on the Accounts wire, and as `detail` of a problem document. */
  readonly text: string;
  /** Where the Track wire has a sentence of its own. */
  readonly track?: string;
  /** Where the Connect wire has a code of its own (recorded from the original). */
  readonly connect?: string;
};

export const refusals = {
  credentials_missing: { status: 401, text: "Authentication is required" },
  credentials_wrong: {
    status: 403,
    text: "Incorrect email and/or password",
    track: "User does not have access to this resource.",
  },
  session_not_current: {
    status: 403,
    text: "The session has ended. Sign in again.",
    track: "User does not have access to this resource.",
  },
  email_unverified: {
    status: 403,
    text: "Confirm your e-mail address first: open the link in the mail we sent, or ask for a new one.",
  },
  token_makes_no_session: { status: 403, text: "Incorrect email and/or password" },
  password_needed: { status: 403, text: "Use the session cookie, or the account's email and password" },
  cross_site: { status: 403, text: "Requests from another site can't use this session" },
  input_invalid: { status: 400, text: "The request is not valid", connect: "invalid_body" },
  json_invalid: { status: 400, text: "The body is not valid JSON", connect: "invalid_json" },
  request_malformed: { status: 400, text: "The request is not valid HTTP" },
  encoding_invalid: { status: 400, text: "The body can't be decompressed with its Content-Encoding" },
  code_refused: { status: 400, text: "The code is not valid or has expired. Request a new one." },
  quota_exceeded: { status: 402, text: "The hourly quota of this account is used up" },
  not_found: { status: 404, text: "Not found" },
  request_timeout: { status: 408, text: "The request took too long to arrive" },
  method_not_allowed: { status: 405, text: "This path does not know that method" },
  body_too_large: { status: 413, text: "The body is larger than this path accepts" },
  content_type_unsupported: {
    status: 415,
    text: "The body must be sent as application/json",
    connect: "invalid_content_type",
  },
  encoding_unsupported: { status: 415, text: "The body's Content-Encoding must be gzip, or none" },
  host_unknown: { status: 421, text: "This host name is not served here; use the configured origin" },
  login_throttled: { status: 429, text: "Too many failed attempts. Wait, or reset the password." },
  sign_up_throttled: { status: 429, text: "Too many sign-ups from this network. Try again later." },
  mail_throttled: { status: 429, text: "Too many mails to this address. Try again later." },
  code_throttled: { status: 429, text: "Too many codes tried from this network. Try again later." },
  rate_limited: { status: 429, text: "Too many requests. Slow down.", connect: "too_many_request" },
  headers_too_large: { status: 431, text: "The request's headers are too large" },
  internal: { status: 500, text: "Internal Server Error", connect: "server_error" },
  busy: { status: 503, text: "The server is busy. Try again in a moment." },
  store_unavailable: { status: 503, text: "The store can't be reached. Try again in a moment." },

  // The Connect wire. Codes and statuses as recorded from the original, and our own where it lumps things together.
  missing_auth_header: { status: 401, text: "The Authorization header is missing" },
  malformed_auth_header: { status: 401, text: "The Authorization header must be: Bearer <key>" },
  unknown_account: { status: 401, text: "This key opens no environment" },
  invalid_connect_session_token_format: { status: 401, text: "This is not a connect session token" },
  unknown_connect_session_token: {
    status: 401,
    text: "This connect session is unknown or has expired. Ask the app for a new link.",
  },
  connect_session_finished: {
    status: 401,
    text: "This connect session is finished: it has linked an account. Ask the app for a new link.",
  },
  missing_public_key: { status: 401, text: "The parameter connect_session_token is missing" },
  deprecated_authentication: {
    status: 401,
    text: "Public keys are not supported: use a connect session token",
  },
  origin_not_allowed: {
    status: 403,
    text: "The page that opened this form may not do so: its origin is not one of those that the app has listed",
  },
  forbidden: { status: 403, text: "This key lacks the scope for the call" },
  invalid_query_params: { status: 400, text: "The query is not valid" },
  invalid_headers: { status: 400, text: "The headers are not valid" },
  invalid_auth_mode: { status: 400, text: "This integration takes other credentials" },
  integration_not_allowed: { status: 400, text: "This connect session is not for this integration" },
  invalid_connection: { status: 400, text: "The connection to link anew is gone" },
  unknown_provider_config: { status: 404, text: "There is no such integration" },
  unknown_connection: { status: 404, text: "There is no such connection" },
  unknown_provider_template: {
    status: 404,
    text: "The provider of this integration is not in the catalogue",
  },
  not_supported: { status: 501, text: "Latchkey does not have this call" },
  connection_test_failed: {
    status: 400,
    text: "The provider refused these credentials. Check them and try again.",
  },
  token_not_available: {
    status: 400,
    text: "The provider accepted the password but gave no API token for it. Use an API token instead.",
  },
  provider_quota: {
    status: 402,
    text: "The provider's quota for this account is used up, so the credentials could not be checked yet.",
  },
  provider_rate_limited: {
    status: 429,
    text: "The provider takes no more calls at the moment, so the credentials could not be checked yet.",
  },
  provider_unavailable: {
    status: 502,
    text: "The provider does not answer, so the credentials could not be checked. Try again later.",
  },
  unexpected_answer: {
    status: 502,
    text: "The provider answered something that does not tell whose account it is.",
  },
  delivery_erased: {
    status: 410,
    text: "What this delivery said is erased: it can be sent again for three days after its end",
  },
  base_url_override_not_allowed: {
    status: 400,
    text: "This connection's credentials may not be sent to that address",
  },
  address_refused: { status: 400, text: "This address may not be called from here" },
  different_account: {
    status: 409,
    text: "This is another account than the one that was linked before",
  },
  connection_failing: { status: 424, text: "The credentials of this connection do not work: link it anew" },
  connection_busy: { status: 429, text: "Too many calls at once through this connection" },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof refusals;

/** One thing that is wrong with an input: which field, which rule, and the sentence that says so. */
export type Issue = {
  readonly field: string;
  /** A short stable name of the broken rule, such as `required` or `too_short`. */
  readonly rule: string;
  readonly message: string;
};

export type RefusalDetails = {
  readonly issues?: readonly Issue[];
  /** Replaces the table's sentence, where the case has more to say. */
  readonly text?: string;
  /** Whole seconds, sent as `Retry-After`. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another status than the table's, where a path of the Connect wire was recorded with one. */
  readonly status?: number;
  /** Facts that go with the refusal, on the Connect wire only. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** What made it so; logged, never shown. */
  readonly cause?: unknown;
};

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly issues: readonly Issue[];
  readonly text: string | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  readonly payload: Readonly<Record<string, unknown>> | undefined;

  constructor(code: RefusalCode, details: RefusalDetails = {}) {
    super(details.text ?? refusals[code].text, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "Refusal";
    this.code = code;
    this.issues = details.issues ?? [];
    this.text = details.text;
    this.retryAfter = details.retryAfter;
    this.headers = details.headers ?? {};
    this.status = details.status ?? refusals[code].status;
    this.payload = details.payload;
  }
}

/** The refusal of one field of an input. */
export const invalid = (field: string, rule: string, message: string): Refusal =>
  new Refusal("input_invalid", { issues: [{ field, rule, message }] });

/** A fault of the set-up, for the operator: one sentence that says what to do. Ends the process with code 1. */
export class SetupFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "SetupFault";
  }
}

/** What an error of the system or of a driver says, for a sentence to the operator. */
export const reasonOf = (error: unknown): string => {
  // Of a host with several addresses, each of which failed.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
};
