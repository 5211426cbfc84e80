import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  codeOf,
  connectClient,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { exchange, lines } from "../support/raw-http.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type Scene } from "../support/webhooks.ts";

/** What clients, documents and tests of the original ask for, of any age. */

let receiver: Upstream;
let house: TestHouse;
beforeAll(async () => {
  receiver = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
});
afterAll(async () => {
  await stopHouses();
  await receiver.stop();
});

const credentials = { type: "BASIC", username: "0".repeat(32), password: "api_token" };

let scene: Scene;
let app: ConnectClient;
beforeEach(async () => {
  scene = await openScene(house, receiver);
  app = connectClient(house, scene.app.key);
  const config = { base_url: receiver.origin };
  await done(
    app.post("/integrations", { provider: "toggl", unique_key: "toggl", integration_config: config }),
  );
});

const bring = (rest: object = {}) =>
  app.post("/connections", {
    provider_config_key: "toggl",
    connection_id: "one",
    credentials,
    verify: false,
    ...rest,
  });

describe("the integration's key in a header", () => {
  const headers = { "provider-config-key": "toggl" };

  test("is taken where the query does not name it", async () => {
    await bring();
    const sent = { headers, json: { plan: "free" } };
    expect((await app.send("POST", "/connection/one/metadata", sent)).status).toBe(201);
    expect((await app.send("PATCH", "/connection/one/metadata", { headers, json: { b: 1 } })).status).toBe(
      200,
    );
    for (const prefix of ["/connection/one", "/connections/one"]) {
      expect(await done(app.send("GET", prefix, { headers }))).toMatchObject({
        connection_id: "one",
        metadata: { plan: "free", b: 1 },
      });
      await done(app.send("PATCH", prefix, { headers, json: { tags: { a: "b" } } }));
    }
    await done(app.send("DELETE", "/connection/one", { headers }));
  });

  test("counts for nothing where the query has one", async () => {
    await bring();
    const other = { headers: { "provider-config-key": "other" } };
    await done(app.send("GET", "/connection/one?provider_config_key=toggl", other));
    expect(codeOf(await app.send("GET", "/connection/one", other))).toEqual([400, "unknown_provider_config"]);
    expect(codeOf(await app.get("/connection/one"))).toEqual([400, "invalid_query_params"]);
  });
});

test("a webhook carries the signature of the original's older SDKs", async () => {
  const secret = await setUpWebhooks(scene.app, { primary_url: scene.hook });
  await scene.tell(scene.creation());
  await scene.deliver();
  const [one] = scene.arrived();
  // As verifyWebhookSignature does, with the secret in the place of the SDK's key.
  const expected = createHash("sha256")
    .update(`${secret}${JSON.stringify(JSON.parse(one?.body ?? ""))}`)
    .digest("hex");
  expect(one?.asked.headers["x-nango-signature"]).toBe(expected);
});

describe("credentials that are brought along", () => {
  test.each([
    [
      { type: "BASIC" },
      [
        [["credentials", "username"], "invalid_type"],
        [["credentials", "password"], "invalid_type"],
      ],
    ],
    [{ type: "API_KEY" }, [[["credentials", "apiKey"], "invalid_type"]]],
    [{ type: "BASIC", username: "a", password: "b", more: 1 }, [[["credentials"], "unrecognized_keys"]]],
    [{}, [[["credentials", "type"], "invalid_union"]]],
    [{ type: "OAUTH2", access_token: "a" }, [[["credentials", "type"], "invalid_union"]]],
  ])("as %j are refused by the path of each field", async (sent, issues) => {
    const [status, code, , ...told] = refusalOf(await bring({ credentials: sent }));
    expect([status, code, ...told]).toEqual([400, "invalid_body", ...issues]);
    await bring();
    const changed = await app.patch("/connections/one?provider_config_key=toggl", { credentials: sent });
    expect(refusalOf(changed).slice(3)).toEqual(issues);
  });

  test("of OAuth get a sentence of their own", async () => {
    expect(refusalOf(await bring({ credentials: { type: "OAUTH2", access_token: "a" } }))[2]).toBe(
      "credentials.type: Latchkey does not keep credentials of OAuth: it has BASIC, API_KEY and NONE",
    );
  });
});

describe("a configuration that is brought along", () => {
  const given = { subdomain: "acme", api_token: "hush hush" };

  test("is kept, with what the provider's file does not have; what sounds secret is sealed", async () => {
    expect((await bring({ connection_config: given })).status).toBe(201);
    const path = "/connections/one?provider_config_key=toggl";
    expect(await done(app.get(path))).toMatchObject({ connection_config: { subdomain: "acme" } });
    // Like a secret of the provider's own, it is for keys that may read credentials.
    const scopes = ["environment:connections:read"] as const;
    const reader = connectClient(house, await environmentKey(house, scene.environment, [...scopes]));
    expect((await reader.get(path)).text).not.toContain("hush");
    expect((await app.get(path)).text).toContain("hush");

    // Brought once more, it keeps what is not named.
    expect((await bring({ connection_config: { region: "eu" } })).status).toBe(201);
    expect(fieldsOf((await done(reader.get(path)))["connection_config"])).toEqual({
      subdomain: "acme",
      region: "eu",
    });
  });

  test("has at most a hundred fields", async () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${n}`, "x"]));
    expect(codeOf(await bring({ connection_config: many }))).toEqual([400, "invalid_body"]);
  });
});

describe("the older path of integrations", () => {
  test("lists, makes, reads, changes and deletes them", async () => {
    const config = { unique_key: "mine", provider: "toggl", syncs: [], actions: [] };
    const named = { provider: "toggl", provider_config_key: "mine" };
    expect(await done(app.post("/config", named))).toEqual({ config });
    expect(await done(app.get("/config/mine?include_creds=true"))).toEqual({ config });
    expect(await done(app.get("/config"))).toMatchObject({ configs: [{ unique_key: "toggl" }, config] });
    expect(await done(app.send("PUT", "/config", { json: named }))).toEqual({ config });
    const other = { ...named, provider: "latchkey" };
    expect(codeOf(await app.send("PUT", "/config", { json: other }))).toEqual([400, "invalid_body"]);
    expect((await app.delete("/config/mine")).status).toBe(204);
    expect(codeOf(await app.send("PUT", "/config", { json: named }))).toEqual([404, "not_found"]);
    expect(codeOf(await app.get("/config/mine"))).toEqual([404, "not_found"]);
    expect(codeOf(await app.delete("/config/mine"))).toEqual([404, "not_found"]);
  });

  test("takes no credentials of OAuth", async () => {
    const body = { provider: "toggl", provider_config_key: "mine", oauth_client_id: "a" };
    expect(codeOf(await app.post("/config", body))).toEqual([400, "invalid_body"]);
  });
});

test.each([
  ["POST", "/mcp"],
  ["POST", "/mcp/tools"],
  ["POST", "/functions"],
  ["POST", "/functions/compile"],
  ["GET", "/v1/anything"],
  ["POST", "/cli/telemetry"],
  ["POST", "/metadata"],
  ["GET", "/health"],
  ["PATCH", "/connection/one/config"],
  ["GET", "/connections/one/config"],
])("%s %s is told in this wire's voice", async (method, path) => {
  expect(codeOf(await app.send(method, path))).toEqual([501, "not_supported"]);
});

test.each(["/config/a/b", "/mcp-2", "/functions2"])("GET %s is not there", async (path) => {
  expect((await app.get(path)).status).toBe(404);
});

test.each(["x/config", "a/b/metadata"])("no connection is made that is called %s", async (id) => {
  expect(refusalOf(await bring({ connection_id: id })).slice(3)).toEqual([[["connection_id"], "custom"]]);
});

test.each(["tags[123x]=v", "tags[a%20b]=v", `tags[${"a".repeat(65)}]=v`])(
  "a list by %s, which no tag is called, is refused",
  async (query) => {
    expect(codeOf(await app.get(`/connections?${query}`))).toEqual([400, "invalid_query_params"]);
  },
);

test("retry-on takes any numbers", async () => {
  await bring();
  receiver.answers("/api/v9/me", { status: 204 });
  const headers = { "provider-config-key": "toggl", "connection-id": "one", "retry-on": "1,2,3" };
  expect((await app.send("GET", "/proxy/api/v9/me", { headers })).status).toBe(204);
});

describe("what the original's form counts", () => {
  const origin = "https://app.example.com";

  test("passes from any page, with credentials", async () => {
    const asks = { origin, "access-control-request-method": "POST" };
    const preflight = await house.send("OPTIONS", "/connect/telemetry", { headers: asks });
    const reply = await house.send("POST", "/connect/telemetry", { headers: { origin }, json: { a: 1 } });
    expect([preflight.status, reply.status]).toEqual([204, 204]);
    for (const { headers } of [preflight, reply]) {
      expect(headers).toMatchObject({
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        vary: "Origin",
      });
    }
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
    // And only there.
    const elsewhere = await house.send("GET", "/connect/session", { headers: { origin } });
    expect(elsewhere.headers).toMatchObject({ "access-control-allow-origin": "*" });
    expect(elsewhere.headers).not.toHaveProperty("access-control-allow-credentials");
  });

  test("is not waited for, however long it is said to be", async () => {
    const head = [
      "POST /connect/telemetry HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      "Content-Length: 1000000000",
    ];
    const said = await exchange(house.config.port, `${head.join("\r\n")}\r\n\r\n{`);
    expect(said.status).toBe(204);
    expect(said.head.toLowerCase()).toContain("connection: close");
  });
});

test("two Authorization headers are refused, whoever would be first", async () => {
  const key = `Authorization: Bearer ${scene.app.key}`;
  const ask = (...sent: readonly string[]) =>
    exchange(house.config.port, lines("GET /integrations HTTP/1.1", "Host: localhost", ...sent));
  expect((await ask(key)).status).toBe(200);
  for (const second of [key, "Authorization: Bearer nobody"]) {
    for (const reply of [await ask(key, second), await ask(second, key)]) {
      expect(reply).toMatchObject({ status: 401, body: expect.stringContaining("malformed_auth_header") });
    }
  }
});

test("of very many unknown fields twenty are told, and how many more there are", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 990 }, (_, n) => [`field-${n}-${"x".repeat(200)}`, 1]),
  );
  const reply = await bring(many);
  expect(codeOf(reply)).toEqual([400, "invalid_body"]);
  expect(reply.text).toContain("and 970 more");
  expect(reply.text.length).toBeLessThan(8000);
  const some = Object.fromEntries(Object.entries(many).slice(0, 200));
  const signUp = await house.send("POST", "/api/signup", { json: some });
  expect(signUp.status).toBe(400);
  expect(signUp.text).toContain("more");
  expect(signUp.text.length).toBeLessThan(8000);
});
