import { describe, expect, test } from "vitest";
import { codeOf } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import { askedAt, errorOf, linkedTo, proxySuite, type Linked } from "../support/proxied.ts";
import { fieldsOf } from "../support/shapes.ts";
import type { Upstream } from "../support/upstream.ts";

/** Calls that the proxy does not make, and those that get no answer. */

let upstream: Upstream;
let house: TestHouse;
let key: string;
let linked: Linked;
proxySuite((proxied) => {
  ({ upstream, house, key, linked } = proxied);
});

describe("Without an answer of the provider", () => {
  test.for([
    ["reset", { instead: "reset" }, "provider_unavailable"],
    ["closed", { instead: "close" }, "provider_unavailable"],
    ["no HTTP", { instead: { bytes: "SSH-2.0-OpenSSH\r\n\r\n" } }, "provider_unavailable"],
    ["sent in a circle", { status: 302, headers: { location: "/bad" } }, "unexpected_answer"],
  ] as const)("the sentence says so, in JSON: %s", async ([, script, code]) => {
    upstream.answers("/bad", script);
    const reply = await linked.call("GET", "/bad");
    expect(reply.status).toBe(502);
    expect(errorOf(reply)["code"]).toBe(code);
    expect(errorOf(reply)["message"]).toContain(`127.0.0.1:${upstream.port}`);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(reply.headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("A call is refused", () => {
  test.for(["decompress", "forward-headers-on-redirect"])(
    "with a switch that is neither on nor off: %s",
    async (name) => {
      const reply = await linked.call("GET", "/api/v9/me", { headers: { [name]: "perhaps" } });
      expect(codeOf(reply)).toEqual([400, "invalid_headers"]);
      expect(errorOf(reply)["message"]).toBe(`${name}: must be true or false`);
    },
  );

  test("without its two headers, in the words of the original", async () => {
    const before = upstream.asked.length;
    const reply = await house.send("GET", "/proxy/api/v9/me", {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(reply.status).toBe(400);
    const message = "Invalid input: expected string, received undefined";
    expect(fieldsOf(reply.json())["error"]).toEqual({
      code: "invalid_headers",
      message: `provider-config-key: ${message}; connection-id: ${message}`,
      errors: ["provider-config-key", "connection-id"].map((name) => ({
        code: "invalid_type",
        message,
        path: [name],
      })),
    });
    expect(upstream.asked).toHaveLength(before);
  });

  test.for([
    ["retries", "many"],
    ["retries", "-1"],
    ["retry-on", "409;425"],
    ["decompress", "2"],
    ["forward-headers-on-redirect", "ja"],
    ["base-url-override", "not an address"],
    ["base-url-override", "ftp://example.com"],
    ["base-url-override", "https://user:pw@example.com"],
    ["base-url-override", "https://example.com/?a=1"],
    ["connection-id", "x".repeat(256)],
  ] as const)("with %s: %s", async ([name, value]) => {
    const before = upstream.asked.length;
    const reply = await linked.call("GET", "/api/v9/me", { headers: { [name]: value } });
    expect(reply.status).toBe(400);
    expect(errorOf(reply)["code"]).toBe("invalid_headers");
    expect(errorOf(reply)["message"]).toContain(name);
    expect(upstream.asked).toHaveLength(before);
  });

  test("for what is not there, by the statuses of the original", async () => {
    const integration = await linked.call("GET", "/x", { headers: { "provider-config-key": "nope" } });
    expect(codeOf(integration)).toEqual([404, "unknown_provider_config"]);
    const connection = await linked.call("GET", "/x", { headers: { "connection-id": "nope" } });
    expect(codeOf(connection)).toEqual([400, "unknown_connection"]);
  });

  test("without a key, in JSON", async () => {
    const reply = await linked.call("GET", "/api/v9/me", { headers: { authorization: [] } });
    expect(codeOf(reply)).toEqual([401, "missing_auth_header"]);
  });

  test("when twenty are under way through the same connection", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    upstream.answers("/slow", { after: promise, body: "done" });
    const running = Array.from({ length: 20 }, () => linked.call("GET", "/slow"));
    await expect.poll(() => askedAt(upstream, "/slow").length).toBe(20);
    const reply = await linked.call("GET", "/api/v9/me");
    expect([reply.status, errorOf(reply)["code"], reply.headers["retry-after"]]).toEqual([
      429,
      "connection_busy",
      "1",
    ]);
    const other = await linkedTo(house, upstream, key);
    expect((await other.call("GET", "/api/v9/me")).status).toBe(200);
    resolve(undefined);
    for (const { status } of await Promise.all(running)) expect(status).toBe(200);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
  });
});
