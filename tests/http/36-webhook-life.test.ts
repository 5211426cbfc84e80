import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Asked, type Script, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type Scene } from "../support/webhooks.ts";

/** The life of a connection, as the app that made the link hears of it. */

const token = "1971800d4d82861d8f2c1651fea4d212";

let provider: Upstream;
let house: TestHouse;
let scene: Scene;
/** What the provider says of the token. */
let isRight = true;

const identity = (asked: Asked): Script =>
  isRight && asked.headers.authorization === basicHeader(token, "api_token")
    ? {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: 42, fullname: "Ada King", email: "ada@example.com", api_token: token }),
      }
    : { status: 403, body: "" };

beforeAll(async () => {
  provider = await startUpstream();
  provider.answers("/api/v9/me", identity);
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: provider.origin });
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
});
beforeEach(async () => {
  isRight = true;
  scene = await openScene(house, provider);
  await setUpWebhooks(scene.app, { primary_url: scene.hook });
  await scene.app.ask("POST", "/integrations", {
    provider: "toggl",
    unique_key: "toggl",
    integration_config: { base_url: provider.origin },
  });
});

const submit = async (path: string, terms: object, username = token): Promise<number> => {
  const made = await scene.app.send("POST", path, { json: terms });
  const session = String(fieldsOf(fieldsOf(made.json())["data"])["token"]);
  const reply = await house.send("POST", `/api-auth/basic/toggl?connect_session_token=${session}`, {
    json: { username, password: "api_token" },
  });
  return reply.status;
};

const link = (username?: string): Promise<number> =>
  submit("/connect/sessions", { end_user: { id: "user-1" }, allowed_integrations: ["toggl"] }, username);

/** What arrived since the last time. */
const heard = async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const before = told;
  await scene.deliver();
  const arrived = scene.arrived().map(({ fields }) => fields);
  told = arrived.length;
  return arrived.slice(before);
};
let told = 0;
beforeEach(() => {
  told = 0;
});

const about = {
  provider: "toggl",
  providerConfigKey: "toggl",
  authMode: "BASIC",
  from: "nango",
  type: "auth",
};
const account = { id: "42", name: "Ada King", email: "ada@example.com" };

const connectionHeard = async (): Promise<string> => String((await heard())[0]?.["connectionId"]);

test("an account that is linked", async () => {
  expect(await link()).toBe(200);
  const [one, ...others] = await heard();
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    ...about,
    event: "connection.created",
    operation: "creation",
    success: true,
    endUser: { endUserId: "user-1" },
    tags: { end_user_id: "user-1" },
    account,
    state: "live",
  });
  const listed = fieldsOf(await scene.app.ask("GET", "/connections"));
  expect(listed["connections"]).toMatchObject([{ connection_id: one?.["connectionId"] }]);
});

test("an attempt that failed, and why", async () => {
  expect(await link("0".repeat(32))).toBe(400);
  expect(await heard()).toEqual([
    expect.objectContaining({
      ...about,
      event: "connection.attempt_failed",
      operation: "creation",
      success: false,
      endUser: { endUserId: "user-1", endUserEmail: null, tags: {} },
      error: { type: "connection_test_failed", description: expect.any(String) },
      account: null,
      state: null,
    }),
  ]);
  // What was typed is nobody's business.
  expect(provider.asked.filter(({ body }) => body.includes("0".repeat(32)))).toEqual([]);
});

test("an account that is linked anew", async () => {
  await link();
  const connectionId = await connectionHeard();
  const terms = { connection_id: connectionId, integration_id: "toggl" };
  expect(await submit("/connect/sessions/reconnect", terms)).toBe(200);
  expect(await heard()).toMatchObject([
    {
      ...about,
      connectionId,
      event: "connection.reconnected",
      operation: "override",
      success: true,
      account,
    },
  ]);

  expect(await submit("/connect/sessions/reconnect", terms, "0".repeat(32))).toBe(400);
  expect(await heard()).toMatchObject([
    {
      connectionId,
      event: "connection.attempt_failed",
      operation: "override",
      success: false,
      state: "live",
    },
  ]);
});

test("credentials that stop working, once; and that work again", async () => {
  await link();
  const connectionId = await connectionHeard();
  const verify = () =>
    scene.app.send("POST", "/connections/verify", {
      json: { connection_id: connectionId, provider_config_key: "toggl" },
    });

  isRight = false;
  expect((await verify()).status).toBe(200);
  await verify();
  expect(await heard()).toMatchObject([
    {
      ...about,
      connectionId,
      event: "connection.failing",
      operation: "refresh",
      success: false,
      state: "failing",
      stateReason: "credentials_refused",
      error: { type: "credentials_refused" },
    },
  ]);

  isRight = true;
  await verify();
  await verify();
  expect(await heard()).toMatchObject([
    { connectionId, event: "connection.recovered", operation: "refresh", success: true, state: "live" },
  ]);
});

test("an integration that is pointed elsewhere", async () => {
  await link();
  const connectionId = await connectionHeard();
  const change = { integration_config: { base_url: "https://api.elsewhere.example" } };
  expect((await scene.app.send("PATCH", "/integrations/toggl", { json: change })).status).toBe(200);
  expect(await heard()).toMatchObject([
    { connectionId, event: "connection.failing", success: false, error: { type: "origin_changed" } },
  ]);
});

test("a connection that is deleted", async () => {
  await link();
  const connectionId = await connectionHeard();
  const path = `/connections/${connectionId}?provider_config_key=toggl`;
  expect((await scene.app.send("DELETE", path)).status).toBe(200);
  expect((await scene.app.send("DELETE", path)).status).toBe(400);
  expect(await heard()).toMatchObject([
    { ...about, connectionId, event: "connection.deleted", operation: "deletion", success: true },
  ]);
});

test("a connection that is brought along, and then given other credentials", async () => {
  const credentials = { type: "BASIC", username: token, password: "api_token" };
  const brought = { provider_config_key: "toggl", connection_id: "brought-1", credentials };
  expect((await scene.app.send("POST", "/connections", { json: brought })).status).toBe(201);
  const expected = { ...about, connectionId: "brought-1", success: true, account };
  expect(await heard()).toMatchObject([{ ...expected, event: "connection.created", operation: "creation" }]);

  expect((await scene.app.send("POST", "/connections", { json: brought })).status).toBe(201);
  expect(await heard()).toMatchObject([
    { ...expected, event: "connection.reconnected", operation: "override" },
  ]);
});

test("an integration that is deleted, with all that was linked", async () => {
  await link();
  await link();
  const linked = new Set((await heard()).map(({ connectionId }) => connectionId));
  expect((await scene.app.send("DELETE", "/integrations/toggl")).status).toBe(200);
  const deleted = await heard();
  expect(new Set(deleted.map(({ connectionId }) => connectionId))).toEqual(linked);
  expect(new Set(deleted.map(({ event }) => event))).toEqual(new Set(["connection.deleted"]));
});

test("a link whose webhooks go elsewhere", async () => {
  const other = await openScene(house, provider);
  const terms = { end_user: { id: "user-1" }, webhook_url_override: other.hook };
  expect(await submit("/connect/sessions", terms)).toBe(200);
  expect(await heard()).toEqual([]);
  expect(other.arrived().map(({ fields }) => fields["event"])).toEqual(["connection.created"]);
});

test("a link whose webhooks would go to this server, or into a private network, is not made", async () => {
  for (const url of [
    `${house.config.origin.origin}/hook`,
    "https://10.0.0.5/hook",
    "http://app.example/hook",
  ]) {
    const terms = { end_user: { id: "user-1" }, webhook_url_override: url };
    const reply = await scene.app.send("POST", "/connect/sessions", { json: terms });
    expect([reply.status, fieldsOf(reply.json())["error"]]).toEqual([
      400,
      expect.objectContaining({
        code: "invalid_body",
        errors: [expect.objectContaining({ path: ["webhook_url_override"] })],
      }),
    ]);
  }
});
