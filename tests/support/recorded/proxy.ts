// The recordings, §6: the proxy.

import { expect } from "vitest";
import type { Exchange } from "./exchange.ts";
import { identity, type RecordedScene } from "./scene.ts";

/** Through a new connection. */
const proxied =
  (path: string, sent?: Parameters<RecordedScene["proxied"]>[2]): Exchange["ask"] =>
  async (at) =>
    at.proxied(await at.link(), path, sent);

const answered = {
  status: 200,
  headers: { "content-type": "application/json; charset=utf-8", "x-request-id": "fake-1" },
  body: identity,
};

const withOwnId = {
  why: "ownId",
  headers: { ...answered.headers, "x-request-id": expect.stringMatching(/^[0-9a-f]{20,}$/) },
} as const;

const missing = (name: string) => [name, "invalid_type"] as const;

export const proxy: readonly Exchange[] = [
  {
    title: "GET through the proxy",
    ask: proxied("/api/v9/me"),
    recorded: answered,
    repaired: { why: "wholeAnswer", headers: { ...withOwnId.headers, "x-toggl-quota-remaining": "29" } },
  },
  {
    title: "Query string and a forwarded header",
    ask: proxied("/api/v9/echo?a=1&b=two%20words", { headers: { "nango-proxy-x-custom": "hello" } }),
    recorded: answered,
    repaired: withOwnId,
  },
  {
    title: "POST through the proxy",
    ask: proxied("/api/v9/echo", { method: "POST", json: { hello: "world" } }),
    recorded: answered,
    repaired: withOwnId,
  },
  {
    title: "Upstream 404",
    ask: proxied("/api/v9/none"),
    recorded: {
      status: 404,
      headers: { "content-type": expect.stringContaining("application/json") },
      body: {},
    },
  },
  {
    title: "Headers missing",
    ask: ({ app }) => app.get("/proxy/api/v9/me"),
    recorded: {
      status: 400,
      error: { code: "invalid_headers", issues: [missing("provider-config-key"), missing("connection-id")] },
    },
  },
  {
    title: "Unknown connection",
    ask: (at) => at.proxied("nope", "/api/v9/me"),
    recorded: { status: 400, error: { code: "server_error" } },
    repaired: { why: "unknownConnection", status: 400, error: { code: "unknown_connection" } },
  },
  {
    title: "Unknown integration",
    ask: proxied("/api/v9/me", { headers: { "provider-config-key": "nope" } }),
    recorded: { status: 404, error: { code: "unknown_provider_config" } },
  },
  {
    title: "Base-Url-Override to loopback",
    ask: proxied("/api/v9/me", { headers: { "base-url-override": "http://127.0.0.1:1" } }),
    recorded: { status: 400, error: { code: "base_url_override_not_allowed" } },
  },
  {
    title: "No key",
    ask: proxied("/api/v9/me", { headers: { authorization: [] } }),
    recorded: { status: 401, error: { code: "missing_auth_header" } },
  },
];
