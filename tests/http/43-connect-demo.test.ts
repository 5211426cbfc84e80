import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditLines, connectClient, done, environmentKey, type ConnectClient } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

/** In local mode Connect can be tried: somebody links the account that they have here, and sees it used. */

let house: TestHouse;
/** At an address of the world's. */
let world: TestHouse;
let app: ConnectClient;
beforeAll(async () => {
  house = await startHouse(roomy);
  world = await startHouse({ LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" });
  app = connectClient(house, await environmentKey(house));
});
afterAll(stopHouses);

const places = [
  ["GET", "/connect/demo"],
  ["GET", "/connect/demo/connection"],
  ["DELETE", "/connect/demo/connection"],
  ["POST", "/connect/demo/session"],
  ["GET", "/connect/demo/me"],
] as const;
const calls = places.slice(1);

/** Somebody at the page: what it asks, it asks so. */
const atPage = async (of = house, who?: Person) => {
  const person = who ?? (await of.person());
  const { session } = person;
  const send = (method: string, rest: string, sent: Sent = {}): Promise<Reply> =>
    of.send(method, `/connect/demo${rest}`, { session, ...sent });
  const openForm = async (): Promise<string> =>
    String((await done(send("POST", "/session", { json: {} })))["session_token"]);
  const submit = (token: string, username: string): Promise<Reply> =>
    of.send("POST", `/api-auth/basic/latchkey?connect_session_token=${token}`, {
      json: { username, password: "api_token" },
    });
  return {
    person,
    send,
    openForm,
    submit,
    link: async (): Promise<string> =>
      String((await done(submit(await openForm(), await of.tokenOf(person))))["connectionId"]),
    shown: () => done(send("GET", "/connection")),
    me: () => send("GET", "/me"),
  };
};

const connections = async (): Promise<readonly unknown[]> =>
  listOf((await done(app.get("/connections?integrationId=latchkey")))["connections"]).map(
    (one) => one["connection_id"],
  );

const sentenceOf = (reply: Reply): readonly unknown[] => [reply.status, reply.json()];

describe("the page", () => {
  test("is for somebody who is signed in, and has our own form in a frame", async () => {
    const { send } = await atPage();

    const page = await send("GET", "");

    expect(page.status).toBe(200);
    expect(page.text).toContain("<title>Try Connect · Latchkey</title>");
    const policy = String(page.headers["content-security-policy"]).split("; ");
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "frame-src 'self'", "frame-ancestors 'none'"]),
    );
    expect(page.headers).toMatchObject({ "x-frame-options": "DENY", "cache-control": "no-store" });
    // Nothing but the form may be in a frame of ours.
    const other = await house.send("GET", "/account", { session: (await house.person()).session });
    expect(other.headers["content-security-policy"]).not.toContain("frame-src");
  });

  test("leads to the sign-in and back", async () => {
    for (const session of [undefined, "stale"]) {
      const reply = await house.send("GET", "/connect/demo", { session });
      expect([reply.status, reply.headers.location, reply.text]).toEqual([
        303,
        "/login?next=/connect/demo",
        "",
      ]);
    }
  });

  test.for(places)("%s %s is not there but on this machine, for this machine", async ([method, path]) => {
    const { session } = await house.person();
    const known = await world.person();
    for (const reply of [
      await house.send(method, path, { session, headers: { "x-forwarded-for": "127.0.0.1" } }),
      await house.send(method, path, { session, headers: { host: "127.0.0.1" } }),
      await house.send(method, path, { headers: { via: "1.1 proxy" } }),
      await world.send(method, path, { session: known.session }),
      await world.send(method, path),
    ]) {
      expect(reply.status).toBe(404);
      expect(reply.text).not.toContain("demo");
    }
  });
});

test("somebody links the account that they have here, and the app calls with it", async () => {
  const { person, shown, me, link } = await atPage();
  expect(await shown()).toEqual({ available: true, connection: null });
  expect(sentenceOf(await me())).toEqual([404, "There is no such connection"]);

  const connection = await link();

  expect(await shown()).toEqual({
    available: true,
    connection: {
      connection_id: connection,
      provider_config_key: "latchkey",
      account: expect.objectContaining({ email: person.email }),
      state: "live",
      state_reason: null,
    },
  });
  const answer = await me();
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({ email: person.email });
  // As it comes through the proxy, but for other origins: a cookie opened this.
  expect(answer.headers).toMatchObject({
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
  });
  expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  const read = await done(app.get(`/connections/${connection}?provider_config_key=latchkey`));
  const { toggl_accounts_id: id, fullname: name } = fieldsOf(answer.json());
  expect(read["end_user"]).toMatchObject({ id, display_name: name, email: null });
});

test("nobody reaches another's connection", async () => {
  const owner = await atPage();
  const connection = await owner.link();
  const other = await atPage();
  const headers = { "connection-id": connection, "provider-config-key": "latchkey" };

  expect(await other.shown()).toEqual({ available: true, connection: null });
  expect((await other.send("GET", "/me", { headers })).status).toBe(404);
  expect((await other.send("GET", `/me?connection_id=${connection}`)).status).toBe(404);
  expect((await other.send("DELETE", "/connection", { headers })).status).toBe(200);
  expect(await connections()).toContain(connection);
  expect((await owner.me()).json()).toMatchObject({ email: owner.person.email });
});

test("the call goes nowhere else, whatever is asked for beside it", async () => {
  const { send, link, person } = await atPage();
  await link();

  const reply = await send("GET", "/me?with_related_data=true", {
    headers: { "base-url-override": "https://evil.example", retries: "5", "connection-id": "another" },
  });

  expect(reply.json()).toMatchObject({ email: person.email });
  expect(fieldsOf(reply.json())["workspaces"]).toBeUndefined();
});

test("a replaced token makes it fail, and linking anew repairs the same connection", async () => {
  const { person, me, shown, link, openForm, submit } = await atPage();
  const connection = await link();
  await house.send("POST", "/api/v9/me/reset_token", { session: person.session });

  expect(sentenceOf(await me())).toEqual([403, "User does not have access to this resource."]);
  await expect.poll(async () => fieldsOf((await shown())["connection"])["state"]).toBe("failing");
  expect((await me()).status).toBe(424);

  const session = await openForm();
  const form = await house.send("GET", "/connect/form", { headers: { authorization: `Bearer ${session}` } });
  expect(fieldsOf(fieldsOf(form.json())["data"])["reconnects"]).not.toBeNull();
  expect((await submit(session, await house.tokenOf(person))).json()).toMatchObject({
    connectionId: connection,
  });
  expect((await shown())["connection"]).toMatchObject({ connection_id: connection, state: "live" });
  expect((await me()).status).toBe(200);
});

test("unlinking deletes the connection, and is written down", async () => {
  const { send, shown, me, link } = await atPage();
  const connection = await link();

  expect((await send("DELETE", "/connection")).json()).toEqual({ success: true });

  expect(await shown()).toEqual({ available: true, connection: null });
  expect(await connections()).not.toContain(connection);
  expect((await me()).status).toBe(404);
  expect((await send("DELETE", "/connection")).status).toBe(200);
  const lines = (await auditLines(house)).filter(({ details }) => details["connection"] === connection);
  expect(lines.map(({ event, channel }) => [event, channel])).toEqual([
    ["connection_linked", "connect_session"],
    ["connection_deleted", "session"],
  ]);
  expect(lines.at(-1)?.details).not.toHaveProperty("key");
});

describe("the session", () => {
  test("is for this one integration, and our own origin may hand it in", async () => {
    const { openForm } = await atPage();
    await done(app.post("/integrations", { provider: "toggl", unique_key: "another" }));
    const headers = { authorization: `Bearer ${await openForm()}` };

    const { origin } = house.config.origin;
    const form = await house.send("GET", `/connect/form?opener=${origin}`, { headers });

    const { integrations } = fieldsOf(fieldsOf(form.json())["data"]);
    expect(listOf(integrations).map(({ key }) => key)).toEqual(["latchkey"]);
  });

  test("is made of nothing that a caller says", async () => {
    const { send } = await atPage();
    const headers = { accept: "application/problem+json" };

    const reply = await send("POST", "/session", {
      headers,
      json: { end_user: { id: "another" }, environment: "prod" },
    });

    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({
      errors: [
        { field: "end_user", rule: "unknown" },
        { field: "environment", rule: "unknown" },
      ],
    });
  });
});

test.for(calls)("%s %s asks who is calling, and takes no write from another site", async ([method, path]) => {
  expect((await house.send(method, path)).status).toBe(401);
  expect((await house.send(method, path, { session: "stale" })).status).toBe(403);
  if (method === "GET") return;
  const { person, link, shown } = await atPage();
  const connection = await link();

  for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "same-site" }]) {
    const reply = await house.send(method, path, { session: person.session, headers });
    expect(reply.status).toBe(403);
    expect(reply.text).not.toContain("nango_connect_session");
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  }
  expect((await shown())["connection"]).toMatchObject({ connection_id: connection });
});

test("the page can say that the operator has taken the integration away, or put another in its place", async () => {
  const of = await startHouse(roomy);
  const own = connectClient(of, await environmentKey(of));
  const { send, shown, link, me } = await atPage(of);
  await link();

  const expectNothing = async (): Promise<void> => {
    expect(await shown()).toEqual({ available: false, connection: null });
    const reply = await send("POST", "/session", { json: {} });
    expect(sentenceOf(reply)).toEqual([404, "There is no such integration"]);
    expect((await me()).status).toBe(404);
    expect((await send("DELETE", "/connection")).status).toBe(200);
    expect((await send("GET", "")).status).toBe(200);
  };
  await done(own.delete("/integrations/latchkey"));
  await expectNothing();
  await done(own.post("/integrations", { provider: "toggl", unique_key: "latchkey" }));
  await expectNothing();
});
