import type { RefusalCode } from "#kernel/errors.ts";

export type Details = {
  readonly refuses?: readonly RefusalCode[];
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Open to anyone, and yet Basic is read there. */
  readonly readsBasic?: true;
};

/** Of the Connect wire: which query its rows read, and how else they refuse. */

const connectionFilters = {
  connectionId: "Of this id",
  search: "With this text in the id, or in the end user's name or address",
  endUserId: "Of this end user",
  endUserOrganizationId: "Of this organization",
  integrationId: "Of these integrations, with commas between",
  "tags[name]": "With this value of the tag; several tags must all be there",
  limit: "How many, from 1 to 2000; 10000 unless said",
  page: "Which page of that size, from 0 on",
};

const whichIntegration = { provider_config_key: "The integration's key; required" };

const refreshFlags = {
  force_refresh: "Taken, and of no effect: nothing here expires",
  refresh_token: "As `force_refresh`",
  refresh_github_app_jwt_token: "As `force_refresh`",
};

const asksProvider: readonly RefusalCode[] = [
  ...(["unknown_provider_template", "connection_test_failed", "token_not_available"] as const),
  ...(["provider_quota", "provider_rate_limited", "provider_unavailable"] as const),
  ...(["unexpected_answer", "address_refused"] as const),
];

/** Rows of connections, which the original has by two paths. */
const connectionRows = (prefix: string): Readonly<Record<string, Details>> => ({
  [`GET ${prefix}`]: { query: connectionFilters, refuses: ["invalid_query_params"] },
  [`GET ${prefix}/{connection_id*}`]: {
    query: { ...whichIntegration, ...refreshFlags },
    refuses: ["invalid_query_params", "unknown_provider_config", "not_found"],
  },
  [`PATCH ${prefix}/{connection_id*}`]: {
    query: whichIntegration,
    refuses: ["invalid_query_params", "unknown_provider_config", "not_found", "busy", ...asksProvider],
  },
  [`DELETE ${prefix}/{connection_id*}`]: {
    query: whichIntegration,
    refuses: ["invalid_query_params", "unknown_connection"],
  },
  [`POST ${prefix}/metadata`]: { refuses: ["invalid_query_params", "unknown_connection", "busy"] },
  [`PATCH ${prefix}/metadata`]: { refuses: ["invalid_query_params", "unknown_connection", "busy"] },
});

const olderMetadata: Details = {
  query: whichIntegration,
  refuses: ["invalid_query_params", "unknown_connection", "busy"],
};

const brings: Details = {
  refuses: ["invalid_query_params", "unknown_provider_config", "busy", ...asksProvider],
};

const submission: Details = {
  query: {
    connect_session_token: "The session's token, where it is not in the Authorization header",
    "params[name]": "A field of the connection's configuration",
    confirm_account_change: "`true`: it may be another account than before",
  },
  refuses: [
    ...(["missing_public_key", "deprecated_authentication", "connect_session_finished"] as const),
    ...(["invalid_query_params", "unknown_provider_config", "invalid_auth_mode"] as const),
    ...(["integration_not_allowed", "invalid_connection", "different_account", "rate_limited"] as const),
    ...asksProvider,
  ],
};

const proxied: Details = {
  headers: {
    "Provider-Config-Key": "The integration's key; required",
    "Connection-Id": "The connection; required",
    "Nango-Proxy-*":
      "Goes to the provider without `Nango-Proxy-`. No other header does, but those of the body",
    Retries: "How often the call is made again at most, 10 of them: after no answer, 429 and 5xx",
    "Retry-On": "Further statuses to try again at, with commas between. 401 is never tried again",
    "Base-Url-Override":
      "Another address than the provider's. Another origin needs a key that may read credentials",
    Decompress: "`true` asks the provider for a body that is not compressed",
    "Forward-Headers-On-Redirect":
      "`true`: the `Nango-Proxy-` headers go along when the provider sends to another origin. Credentials never do",
  },
  refuses: [
    ...(["invalid_headers", "unknown_provider_config", "unknown_connection"] as const),
    ...(["unknown_provider_template", "connection_failing", "connection_busy"] as const),
    ...(["base_url_override_not_allowed", "address_refused", "provider_unavailable"] as const),
    ...(["unexpected_answer", "not_found", "body_too_large"] as const),
  ],
};

export const connectDetails: Readonly<Record<string, Details>> = {
  "POST /connect/sessions": { refuses: ["invalid_query_params"] },
  "POST /connect/sessions/reconnect": { refuses: ["invalid_query_params"] },
  "GET /connect/demo/connection": { refuses: ["not_found"] },
  "DELETE /connect/demo/connection": { refuses: ["not_found"] },
  "POST /connect/demo/session": { refuses: ["not_found", "unknown_provider_config"] },
  "GET /connect/demo/me": {
    refuses: ["not_found", "unknown_connection", "connection_failing", "connection_busy"],
  },
  "GET /connect/session": { refuses: ["invalid_query_params"] },
  "POST /api-auth/basic/{integration_key}": submission,
  "POST /api-auth/api-key/{integration_key}": submission,
  "POST /auth/unauthenticated/{integration_key}": submission,
  "GET /providers": { query: { search: "Part of a provider's name" }, refuses: ["invalid_query_params"] },
  "GET /providers/{provider}": { refuses: ["invalid_query_params", "not_found"] },
  "GET /integrations": { refuses: ["invalid_query_params"] },
  "POST /integrations": { refuses: ["invalid_query_params"] },
  "GET /integrations/{integration_key}": {
    query: { include: "`webhook` and `credentials`, of which there are none here: null" },
    refuses: ["invalid_query_params", "not_found"],
  },
  "PATCH /integrations/{integration_key}": {
    refuses: ["invalid_query_params", "not_found", "unknown_provider_template"],
  },
  "DELETE /integrations/{integration_key}": { refuses: ["invalid_query_params", "not_found"] },
  ...connectionRows("/connections"),
  ...connectionRows("/connection"),
  "POST /connection/{connection_id}/metadata": olderMetadata,
  "PATCH /connection/{connection_id}/metadata": olderMetadata,
  "POST /connections": brings,
  "POST /connection": brings,
  "POST /connections/verify": {
    refuses: [
      ...(["invalid_query_params", "unknown_provider_config", "not_found", "connection_failing"] as const),
      ...asksProvider,
    ],
  },
  "ANY /proxy": proxied,
  "ANY /proxy/{path*}": proxied,
  "POST /environment/webhooks/secret/rotate": { refuses: ["not_found"] },
  "GET /environment/webhooks/deliveries": {
    query: {
      state: "`pending`, `delivered` or `failed`; without it, all",
      before: "The `next` of the page before: shows what is older",
      limit: "How many, from 1 to 100; 50 unless said",
    },
    refuses: ["invalid_query_params"],
  },
  "POST /environment/webhooks/deliveries/{id}/redeliver": { refuses: ["not_found", "delivery_erased"] },
};
