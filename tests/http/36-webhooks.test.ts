import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { appOf, openScene, setUpWebhooks, type App, type Scene } from "../support/webhooks.ts";

/** Where an app wants to be told what becomes of its connections. What it is told, and how, is on the next pages. */

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

let scene: Scene;
let app: App;
beforeEach(async () => {
  scene = await openScene(house, receiver);
  ({ app } = scene);
});

const settings = async (of: App = app): Promise<unknown> =>
  (await of.ask("GET", "/environment/webhooks"))["data"];

/** What was written down about this environment's webhooks. */
const audited = async (): Promise<readonly unknown[]> => {
  const { rows } = await sql<{ event: string; channel: string; details: string }>`
    select event, channel, details from audit_events where event like 'webhook%' order by id`.execute(
    house.inside.store.query,
  );
  return rows
    .map(({ event, channel, details }) => [event, channel, fieldsOf(JSON.parse(details))] as const)
    .filter(([, , details]) => details["environment"] === scene.environment);
};

const everything = [
  "connection.created",
  "connection.reconnected",
  "connection.attempt_failed",
  "connection.failing",
  "connection.recovered",
  "connection.deleted",
  "integration.deleted",
];

describe("the settings", () => {
  test("are empty at first, and nobody is told anything", async () => {
    expect(await settings()).toEqual({
      primary_url: null,
      secondary_url: null,
      events: [],
      former_secret_until: null,
      updated_at: null,
    });

    await scene.tell(scene.creation(), scene.creation({ webhookUrlOverride: scene.hook }));
    await scene.deliver();
    expect([await scene.deliveries(), scene.arrived()]).toEqual([[], []]);
  });

  test("show the signing secret with the first change, and never again", async () => {
    const first = await app.ask("PATCH", "/environment/webhooks", { primary_url: scene.hook });
    const now = new Date(house.clock.now()).toISOString();
    const shown = {
      primary_url: scene.hook,
      secondary_url: null,
      events: everything,
      former_secret_until: null,
      updated_at: now,
    };
    expect(first["data"]).toEqual({
      ...shown,
      signing_secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });

    const second = await app.ask("PATCH", "/environment/webhooks", { secondary_url: scene.hook });
    expect(second["data"]).toEqual({ ...shown, secondary_url: scene.hook });
    expect(await settings()).toEqual({ ...shown, secondary_url: scene.hook });
  });

  test("keep what a change does not name; null and empty take an address out", async () => {
    await app.ask("PATCH", "/environment/webhooks", {
      primary_url: "https://one.example/hook?a=b",
      secondary_url: "https://two.example/hook",
      events: ["connection.deleted", "connection.created", "connection.created"],
    });
    expect(await settings()).toMatchObject({ events: ["connection.created", "connection.deleted"] });

    await app.ask("PATCH", "/environment/webhooks", { primary_url: "" });
    await app.ask("PATCH", "/environment/webhooks", { secondary_url: null });
    expect(await settings()).toMatchObject({
      primary_url: null,
      secondary_url: null,
      events: ["connection.created", "connection.deleted"],
    });
    await app.ask("PATCH", "/environment/webhooks", { events: [] });
    expect(await settings()).toMatchObject({ events: [] });
  });

  test.each([
    ["no URL", { primary_url: "app.example" }, "primary_url"],
    ["a NUL", { primary_url: "https://app.example/\0" }, "primary_url"],
    ["blanks around it", { primary_url: " https://app.example/hook" }, "primary_url"],
    ["another scheme", { primary_url: "ftp://app.example/hook" }, "primary_url"],
    ["plain http that nobody listed", { primary_url: "http://app.example/hook" }, "primary_url"],
    ["a password", { secondary_url: "https://me:secret@app.example/hook" }, "secondary_url"],
    ["a private address", { primary_url: "https://10.0.0.5/hook" }, "primary_url"],
    ["a private address in hex", { primary_url: "https://0x7f.1/hook" }, "primary_url"],
    ["a private address in IPv6", { primary_url: "https://[::ffff:10.0.0.5]/hook" }, "primary_url"],
    ["the metadata of a cloud", { primary_url: "https://169.254.169.254/latest" }, "primary_url"],
    ["a name of this machine", { primary_url: "https://api.localhost./hook" }, "primary_url"],
    ["a URL that has no end", { primary_url: `https://app.example/${"x".repeat(2048)}` }, "primary_url"],
    ["no text", { primary_url: 7 }, "primary_url"],
    ["an event that there is not", { events: ["connection.created", "sync"] }, "events"],
    ["a field that there is not", { signing_secret: "whsec_mine" }, ""],
    ["nothing", {}, ""],
  ])("refuse %s, and stay as they are", async (_, body, field) => {
    const reply = await app.send("PATCH", "/environment/webhooks", { json: body });
    const { code, errors } = fieldsOf(fieldsOf(reply.json())["error"]);

    expect([reply.status, code]).toEqual([400, "invalid_body"]);
    expect(listOf(errors)[0]?.["path"]).toEqual(field === "" ? [] : expect.arrayContaining([field]));
    expect(await settings()).toMatchObject({ primary_url: null, updated_at: null });
    expect(await audited()).toEqual([]);
  });

  test.each([
    ["https://keys.example", "https://KEYS.example.:443/environment/webhooks"],
    ["https://keys.example", "http://keys.example:443/"],
    ["http://localhost:3999", "http://localhost:3999/hook"],
    ["http://localhost:3999", "http://127.0.0.1:3999/hook"],
    ["http://127.0.0.1:3999", "http://[::1]:3999/hook"],
  ])("refuse the server at %s as %s, even when it is listed", async (origin, url) => {
    const mine = await startHouse({
      LATCHKEY_ORIGIN: origin,
      LATCHKEY_MAIL: "outbox",
      LATCHKEY_OUTBOUND_ALLOW: new URL(url).origin,
    });
    const reply = await (
      await appOf(mine)
    ).send("PATCH", "/environment/webhooks", {
      json: { primary_url: url },
    });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("must not be this server")]);
  });

  test("are each environment's own", async () => {
    const other = await openScene(house, receiver);
    await setUpWebhooks(app, { primary_url: scene.hook });
    expect(await settings(other.app)).toMatchObject({ primary_url: null, updated_at: null });

    await scene.tell(other.creation());
    await scene.deliver();
    expect(scene.arrived()).toEqual([]);

    await setUpWebhooks(other.app, { primary_url: other.hook });
    await scene.tell(other.creation());
    await scene.deliver();
    expect(other.arrived().map(({ fields }) => fields["environment"])).toEqual([other.environment]);
    expect([scene.arrived(), await scene.deliveries()]).toEqual([[], []]);
  });

  test.each([
    ["environment:webhooks:read", "PATCH", "/environment/webhooks"],
    ["environment:webhooks:read", "POST", "/environment/webhooks/secret/rotate"],
    ["environment:webhooks:read", "POST", "/environment/webhooks/deliveries/1/redeliver"],
    ["environment:webhooks:write", "GET", "/environment/webhooks"],
    ["environment:webhooks:write", "GET", "/environment/webhooks/deliveries"],
  ] as const)("a key that has only %s may not %s %s", async (scope, method, path) => {
    const lesser = await appOf(house, scene.environment, [scope]);
    const reply = await lesser.send(method, path, method === "PATCH" ? { json: { events: [] } } : {});

    expect([reply.status, fieldsOf(fieldsOf(reply.json())["error"])["code"]]).toEqual([403, "forbidden"]);
    expect(await settings()).toMatchObject({ updated_at: null });
  });

  test("take no query", async () => {
    const reply = await app.send("GET", "/environment/webhooks?secret=true");
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("invalid_query_params")]);
  });
});

describe("the signing secret", () => {
  test("is changed by a call, which shows the new one; the former one counts for a day", async () => {
    const first = await setUpWebhooks(app, { primary_url: scene.hook });
    const { data } = await app.ask("POST", "/environment/webhooks/secret/rotate");
    const until = new Date(house.clock.now() + 86_400_000).toISOString();

    expect(data).toMatchObject({
      primary_url: scene.hook,
      signing_secret: expect.stringMatching(/^whsec_/),
      former_secret_until: until,
    });
    expect(fieldsOf(data)["signing_secret"]).not.toBe(first);
    expect(await settings()).toMatchObject({ former_secret_until: until });
    expect(await settings()).not.toHaveProperty("signing_secret");

    house.clock.advance(86_400_000);
    expect(await settings()).toMatchObject({ former_secret_until: null });
  });

  test("can't be changed before there is one", async () => {
    const reply = await app.send("POST", "/environment/webhooks/secret/rotate");

    expect([reply.status, fieldsOf(fieldsOf(reply.json())["error"])["code"]]).toEqual([404, "not_found"]);
    expect(await settings()).toMatchObject({ updated_at: null });
  });

  test("and every change are written down, without secrets and addresses", async () => {
    await setUpWebhooks(app, { primary_url: "https://one.example/hook/Zm9vYmFy", events: [] });
    await app.ask("POST", "/environment/webhooks/secret/rotate");

    const who = { environment: scene.environment, key: "key" };
    expect(await audited()).toEqual([
      ["webhooks_changed", "key", { ...who, fields: "events, primary_url" }],
      ["webhook_secret_rotated", "key", who],
    ]);
  });
});
