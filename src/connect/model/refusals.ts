import { refusalKinds, refusals as anyServers } from "../../kernel/errors.ts";

/** What this room refuses, beyond what any server does. Codes and statuses as recorded from the original, and our own where it lumps things together. */
export const connectRefusals = refusalKinds({
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
});

/** The same, with the status that some calls of the original have for them (recorded). */
export const asBadRequest = {
  unknown_provider_config: { ...connectRefusals.unknown_provider_config, status: 400 },
  unknown_connection: { ...connectRefusals.unknown_connection, status: 400 },
};

/** All that this room refuses with. */
export const refusals = { ...anyServers, ...connectRefusals };
