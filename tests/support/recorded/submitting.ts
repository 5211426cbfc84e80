// The recordings, §4 and §9: credentials as the SDK for browsers submits them.

import { expect } from "vitest";
import { connectClient } from "../connect.ts";
import type { Exchange, Told } from "./exchange.ts";
import { demo, wrong, type RecordedScene } from "./scene.ts";
import { unknownToken } from "./sessions.ts";

const linked = { connectionId: expect.stringMatching(/^[0-9a-f-]{36}$/), providerConfigKey: "toggl" };

/** With a new session. @param query behind its token */
const submitted =
  (json: unknown, { integration = "toggl", query = "", way = "basic" } = {}) =>
  async ({ house, session }: RecordedScene) =>
    house.send("POST", `/api-auth/${way}/${integration}?connect_session_token=${await session()}${query}`, {
      json,
    });

const withQuery =
  (query: string) =>
  ({ house }: RecordedScene) =>
    house.send("POST", `/api-auth/basic/toggl${query}`, { json: demo });

const refuses = (title: string, ask: Exchange["ask"], status: number, error: Told): Exchange => ({
  title,
  ask,
  recorded: { status, error },
});

const field = (name: string, rule: string): Told => ({ code: "invalid_body", issues: [[name, rule]] });

const testFailed = { status: 400, error: { code: "connection_test_failed" } } as const;

const impossible = (title: string, json: object, name: string): Exchange => ({
  title,
  ask: submitted(json),
  recorded: testFailed,
  repaired: {
    why: "impossible",
    status: 400,
    error: { code: "invalid_body", issues: [[name, expect.stringMatching(/^[a-z_]+$/)]] },
  },
});

export const submitting: readonly Exchange[] = [
  {
    title: "CORS preflight",
    ask: ({ house }) =>
      house.send("OPTIONS", "/api-auth/basic/toggl?connect_session_token=x", {
        headers: {
          origin: "http://app.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      }),
    recorded: {
      status: 204,
      headers: {
        "access-control-allow-methods": expect.stringContaining("GET,HEAD,PUT,PATCH,POST,DELETE"),
        "access-control-allow-headers": expect.stringContaining(
          "Authorization, Content-Type, Accept, Origin, X-Requested-With, Nango-Activity-Log-Id, " +
            "Nango-Is-Dry-Run, Nango-Is-Sync, Provider-Config-Key, Connection-Id",
        ),
        "access-control-max-age": "600",
      },
    },
  },
  refuses("No token at all", withQuery(""), 401, { code: "missing_public_key" }),
  refuses("Unknown token", withQuery(`?connect_session_token=${unknownToken}`), 401, {
    code: "unknown_connect_session_token",
  }),
  refuses("Malformed token", withQuery("?connect_session_token=nope"), 401, {
    code: "invalid_connect_session_token_format",
  }),
  refuses("Public key only", withQuery("?public_key=11111111-1111-4111-8111-111111111111"), 401, {
    code: "deprecated_authentication",
  }),
  refuses("Missing username", submitted({ password: "p" }), 400, field("username", "invalid_type")),
  refuses("Missing password", submitted({ username: "u" }), 400, field("password", "invalid_type")),
  refuses(
    "Extra property in the body",
    submitted({ ...demo, extra: 1 }),
    400,
    field("", "unrecognized_keys"),
  ),
  refuses(
    "connection_id in the query of a session",
    submitted(demo, { query: "&connection_id=my-own-id" }),
    400,
    { code: "invalid_query_params", issues: [["connection_id", "custom"]] },
  ),
  refuses("Integration unknown", submitted(demo, { integration: "nope" }), 404, {
    code: "unknown_provider_config",
  }),
  { title: "Credentials the upstream refuses", ask: submitted(wrong), recorded: testFailed },
  {
    title: "Credentials the upstream accepts",
    ask: submitted(demo),
    recorded: { status: 200, body: linked },
  },
  {
    title: "The same session token a second time",
    ask: async ({ session, submit }) => {
      const token = await session();
      await submit(token, demo);
      return submit(token, demo);
    },
    recorded: { status: 200, body: linked },
    repaired: { why: "finished", status: 401, error: { code: "connect_session_finished" } },
  },
  {
    title: "Use it after deletion",
    ask: async ({ house, session, submit }) => {
      const token = await session();
      await connectClient(house, token).delete("/connect/session");
      return submit(token, demo);
    },
    recorded: { status: 401, error: { code: "unknown_connect_session_token" } },
  },
];

export const edges: readonly Exchange[] = [
  impossible("Empty username", { ...demo, username: "" }, "username"),
  impossible("Empty password", { ...demo, password: "" }, "password"),
  impossible("Colon in the user name", { username: "a:b", password: "c" }, "username"),
  {
    title: "Non-ASCII password",
    ask: submitted({ ...demo, password: "pässwörd €" }),
    recorded: testFailed,
  },
  impossible("Line break in the password", { ...demo, password: "a\r\nX-Evil: 1" }, "password"),
  {
    title: "Surrounding spaces",
    ask: submitted({ ...demo, username: ` ${demo.username} ` }),
    recorded: testFailed,
    repaired: { why: "blanks", status: 200, body: linked },
  },
  refuses(
    "Password of 2,000 characters",
    submitted({ ...demo, password: "x".repeat(2000) }),
    400,
    field("password", "too_big"),
  ),
  {
    title: "Upstream answers 429",
    ask: submitted({ username: "rate@example.com", password: "x" }),
    recorded: testFailed,
    repaired: { why: "outcomes", status: 429, error: { code: "provider_rate_limited" } },
  },
  {
    title: "Upstream answers 500",
    ask: submitted({ username: "boom@example.com", password: "x" }),
    recorded: testFailed,
    repaired: { why: "outcomes", status: 502, error: { code: "provider_unavailable" } },
  },
  {
    title: "Upstream answers 200 with HTML",
    ask: submitted({ username: "html@example.com", password: "x" }),
    recorded: { status: 200, body: linked },
    repaired: { why: "identity", status: 502, error: { code: "unexpected_answer" } },
  },
  {
    title: "Upstream answers 302 to a page on the same host",
    ask: submitted({ username: "redir@example.com", password: "x" }),
    recorded: testFailed,
  },
  {
    title: "Upstream drops the connection",
    ask: submitted({ username: "drop@example.com", password: "x" }),
    recorded: testFailed,
    repaired: { why: "outcomes", status: 502, error: { code: "provider_unavailable" } },
  },
  refuses(
    "A second integration, with a session of the first",
    async ({ app, session, submit }) => {
      await app.post("/integrations", { unique_key: "toggl-2", provider: "toggl" });
      return submit(await session(), demo, "toggl-2");
    },
    400,
    { code: "integration_not_allowed" },
  ),
  refuses(
    "API-key submission against a BASIC provider",
    submitted({ apiKey: "k" }, { way: "api-key" }),
    400,
    {
      code: "invalid_auth_mode",
    },
  ),
  {
    title: "Session token in the Authorization header instead of the query",
    ask: async ({ house, session }) =>
      connectClient(house, await session()).post("/api-auth/basic/toggl", demo),
    recorded: { status: 401, error: { code: "missing_public_key" } },
    repaired: { why: "tokenInHeader", status: 200, body: linked },
  },
  refuses(
    "Form-encoded body",
    async ({ house, session }) =>
      house.send("POST", `/api-auth/basic/toggl?connect_session_token=${await session()}`, {
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "username=a&password=b",
      }),
    415,
    { code: "invalid_content_type" },
  ),
];
