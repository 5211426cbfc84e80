import { expect, test } from "vitest";
import { judgeAnswer, type ProviderAnswer, type Verdict } from "./judge-answer.ts";
import { catalogue, shipped } from "./providers.fixture.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

const answer = (status: number, body: unknown, headers: ProviderAnswer["headers"] = {}): ProviderAnswer => ({
  status,
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const html = "<!doctype html><title>Sign in</title>";
const account = (id: string, name: string | null, email: string | null, workspace: string | null) => ({
  id,
  name,
  email,
  workspace,
});

type Row = readonly [
  of: string,
  what: string,
  answer: ProviderAnswer,
  verdict: { readonly outcome: Verdict["outcome"] } & Readonly<Record<string, unknown>>,
];

const says: string = expect.any(String);

/** What each provider really answers, in the fields that matter. */
const recorded: readonly Row[] = [
  [
    "toggl",
    "the account",
    answer(200, {
      id: 7654321,
      api_token: "1971800d4d82861d8f2c1651fea4d212",
      email: "ada@example.com",
      fullname: "Ada Lovelace",
      default_workspace_id: 1234,
    }),
    { outcome: "accepted", account: account("7654321", "Ada Lovelace", "ada@example.com", "1234") },
  ],
  [
    "toggl",
    "a wrong password",
    answer(403, "Incorrect username and/or password"),
    { outcome: "wrong_credentials", says },
  ],
  [
    "toggl",
    "the quota used up",
    answer(402, "You have hit your hourly limit", {
      "x-toggl-quota-remaining": "0",
      "x-toggl-quota-resets-in": "1803",
    }),
    { outcome: "quota", waitSeconds: 1803, says },
  ],
  ["toggl", "too fast", answer(429, "slow down"), { outcome: "rate_limited" }],
  ["toggl", "an endpoint that is gone", answer(410, "gone"), { outcome: "unexpected" }],
  [
    "latchkey",
    "the account",
    answer(200, {
      id: 1,
      toggl_accounts_id: "8kZmH2",
      email: "ada@example.com",
      fullname: "Ada",
      default_workspace_id: 3,
    }),
    { outcome: "accepted", account: account("8kZmH2", "Ada", "ada@example.com", "3") },
  ],
  [
    "latchkey",
    "a wrong token",
    answer(403, '"User does not have access to this resource."'),
    { outcome: "wrong_credentials" },
  ],
  [
    "freshdesk",
    "the agent",
    answer(200, { id: 6000812345, available: true, contact: { name: "Ada", email: "ada@example.com" } }),
    { outcome: "accepted", account: account("6000812345", "Ada", "ada@example.com", null) },
  ],
  [
    "freshdesk",
    "a wrong key",
    answer(401, { code: "invalid_credentials", message: "You have to be logged in to perform this action." }),
    { outcome: "wrong_credentials" },
  ],
  [
    "freshdesk",
    "an agent without rights",
    answer(403, { code: "access_denied", message: "You are not authorized to perform this action." }),
    { outcome: "wrong_credentials", says },
  ],
  ["freshdesk", "no such address", answer(404, html), { outcome: "wrong_credentials", says }],
  [
    "freshdesk",
    "too fast",
    answer(429, "", { "retry-after": "57" }),
    { outcome: "rate_limited", waitSeconds: 57 },
  ],
  [
    "zendesk-api-key",
    "the user",
    answer(200, { user: { id: 35436, name: "Ada", email: "ada@example.com", role: "agent" } }),
    { outcome: "accepted", account: account("35436", "Ada", "ada@example.com", null) },
  ],
  [
    "zendesk-api-key",
    "200, but anonymous",
    answer(200, {
      user: { id: null, name: "Anonymous user", email: "invalid@example.com", role: "end-user" },
    }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "zendesk-api-key",
    "a wrong token",
    answer(401, { error: "Couldn't authenticate you" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "ashby",
    "the key",
    answer(200, {
      success: true,
      results: { title: "Latchkey", createdAt: "2026-01-01T00:00:00Z", scopes: ["apiKeysRead"] },
    }),
    { outcome: "accepted", account: account("Latchkey", "Latchkey", null, null) },
  ],
  [
    "ashby",
    "a key without the permission",
    answer(403, {
      success: false,
      errors: ["missing_endpoint_permission"],
      errorInfo: { code: "missing_endpoint_permission" },
    }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "ashby",
    "the same with 200",
    answer(200, { success: false, errorInfo: { code: "missing_endpoint_permission" } }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "ashby",
    "200, but failed",
    answer(200, { success: false, errorInfo: { code: "other" } }),
    { outcome: "unexpected" },
  ],
  [
    "ashby",
    "a wrong key",
    answer(403, { success: false, errors: ["forbidden"] }),
    { outcome: "wrong_credentials" },
  ],
  [
    "slack-token",
    "the bot",
    answer(200, {
      ok: true,
      url: "https://acme.slack.com/",
      team: "Acme",
      user: "bot",
      team_id: "T1",
      user_id: "U1",
    }),
    { outcome: "accepted", account: account("U1", "bot", null, "Acme") },
  ],
  [
    "slack-token",
    "200, but wrong",
    answer(200, { ok: false, error: "invalid_auth" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "slack-token",
    "200, but revoked",
    answer(200, { ok: false, error: "token_revoked" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "slack-token",
    "200, but locked out",
    answer(200, { ok: false, error: "access_denied" }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "slack-token",
    "200, but too fast",
    answer(200, { ok: false, error: "ratelimited" }, { "retry-after": "30" }),
    { outcome: "rate_limited", waitSeconds: 30 },
  ],
  [
    "slack-token",
    "200, but broken",
    answer(200, { ok: false, error: "internal_error" }),
    { outcome: "unavailable" },
  ],
  [
    "slack-token",
    "200, but who knows",
    answer(200, { ok: false, error: "new_kind" }),
    { outcome: "unexpected" },
  ],
  [
    "gitlab-token",
    "the user",
    answer(200, { id: 1, username: "ada", name: "Ada", email: "ada@example.com" }),
    { outcome: "accepted", account: account("1", "Ada", "ada@example.com", null) },
  ],
  [
    "gitlab-token",
    "a wrong token",
    answer(401, { message: "401 Unauthorized" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "gitlab-token",
    "too few scopes",
    answer(403, { error: "insufficient_scope" }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "gitlab-token",
    "a blocked user",
    answer(403, { message: "403 Forbidden - Your account has been blocked." }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "gitlab-token",
    "too fast",
    answer(429, "Retry later", { "ratelimit-reset": String(now / 1000 + 44) }),
    { outcome: "rate_limited", waitSeconds: 44 },
  ],
  [
    "pipedrive-token",
    "the user",
    answer(200, {
      success: true,
      data: { id: 1, name: "Ada", email: "ada@example.com", company_name: "Acme" },
    }),
    { outcome: "accepted", account: account("1", "Ada", "ada@example.com", "Acme") },
  ],
  [
    "pipedrive-token",
    "a wrong token",
    answer(401, { success: false, error: "unauthorized access" }),
    { outcome: "wrong_credentials" },
  ],
  ["pipedrive-token", "an unpaid company", answer(402, { success: false }), { outcome: "unavailable", says }],
  [
    "pipedrive-token",
    "too fast",
    answer(429, "", { "x-ratelimit-reset": "2" }),
    { outcome: "rate_limited", waitSeconds: 2 },
  ],
  [
    "posthog",
    "the user",
    answer(200, {
      uuid: "095be615-a8ad-4c33-8e9c-c7612fbf6c9f",
      first_name: "Ada",
      email: "ada@example.com",
      organization: { name: "Acme" },
    }),
    {
      outcome: "accepted",
      account: account("095be615-a8ad-4c33-8e9c-c7612fbf6c9f", "Ada", "ada@example.com", "Acme"),
    },
  ],
  [
    "posthog",
    "a wrong key",
    answer(401, { type: "authentication_error", code: "authentication_failed" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "posthog",
    "a key without the scope",
    answer(403, { code: "permission_denied" }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "jira-basic",
    "the user",
    answer(200, {
      accountId: "5b10a2844c20165700ede21g",
      displayName: "Ada",
      emailAddress: "ada@example.com",
    }),
    { outcome: "accepted", account: account("5b10a2844c20165700ede21g", "Ada", "ada@example.com", null) },
  ],
  [
    "jira-basic",
    "a wrong token",
    answer(401, html, { "x-seraph-loginreason": "AUTHENTICATED_FAILED" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "jira-basic",
    "200, but not looked at",
    answer(200, {}, { "x-seraph-loginreason": "AUTHENTICATED_FAILED" }),
    { outcome: "wrong_credentials" },
  ],
  [
    "jira-basic",
    "a check for humans",
    answer(403, html, { "x-seraph-loginreason": ["OUT", "AUTHENTICATION_DENIED"] }),
    { outcome: "wrong_credentials", says },
  ],
  [
    "jira-basic",
    "no such address",
    answer(404, { errorMessage: "Site temporarily unavailable" }),
    { outcome: "wrong_credentials", says },
  ],
];

test.each(recorded)("%s: %s", (of, _, given, verdict) => {
  expect(judgeAnswer(shipped(of), given, now)).toEqual(verdict);
});

const isRecorded = (provider: string, outcome: Verdict["outcome"]): boolean =>
  recorded.some(([of, , , verdict]) => of === provider && verdict.outcome === outcome);

test.each(["accepted", "wrong_credentials"] as const)(
  "every provider has a recorded answer: %s",
  (outcome) => {
    const asked = catalogue.all().filter(({ verification }) => verification !== undefined);
    expect(asked.map(({ name }) => name).filter((name) => !isRecorded(name, outcome))).toEqual([]);
  },
);
