import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import {
  auditLines,
  codeOf,
  connectClient,
  connectSession,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** An app says once which providers its people may link, and how. */

let house: TestHouse;
let upstream: Upstream;
let app: ConnectClient;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  app = connectClient(house, await environmentKey(house));
});
afterAll(async () => {
  await stopHouses();
  await upstream.stop();
});

let keys = 0;
const newKey = (): string => `toggl-${++keys}`;
const create = (body: Readonly<Record<string, unknown>>) =>
  app.post("/integrations", { provider: "toggl", ...body });
const made = async (body: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  const key = newKey();
  await done(create({ unique_key: key, ...body }));
  return key;
};
const dataOf = async (key: string, query = "") =>
  fieldsOf((await done(app.get(`/integrations/${key}${query}`)))["data"]);

const auditOf = async (key: string): Promise<readonly unknown[]> =>
  (await auditLines(house))
    .filter(({ event, details }) => event.startsWith("integration_") && details["integration"] === key)
    .map(({ event, channel, details }) => [event, channel, details["environment"], details["key"]]);

describe("POST /integrations", () => {
  test("makes one, named like its provider unless it is given a name", async () => {
    const at = new Date(house.clock.now()).toISOString();
    const key = newKey();
    const reply = await create({ unique_key: key });

    expect([reply.status, reply.json()]).toEqual([
      200,
      {
        data: {
          unique_key: key,
          provider: "toggl",
          display_name: "Toggl Track",
          logo: `${house.config.origin.origin}/images/template-logos/toggl.svg`,
          forward_webhooks: true,
          created_at: at,
          updated_at: at,
        },
      },
    ]);
    expect(await auditOf(key)).toEqual([["integration_created", "key", "dev", "key"]]);
  });

  test("takes a name, and the settings of its configuration", async () => {
    const key = await made({
      display_name: "Time sheets",
      forward_webhooks: false,
      integration_config: { base_url: `${upstream.origin}/v1/`, keep_password: "true" },
    });

    expect(await dataOf(key)).toMatchObject({
      display_name: "Time sheets",
      forward_webhooks: false,
      integration_config: { base_url: `${upstream.origin}/v1`, keep_password: true },
    });
  });

  test("refuses a second one of the same key, in the original's words", async () => {
    const key = await made();

    expect(refusalOf(await create({ unique_key: key }))).toEqual([
      400,
      "invalid_body",
      "uniqueKey: Unique key already exists",
      [["uniqueKey"], "invalid_string"],
    ]);
    expect(await auditOf(key)).toHaveLength(1);
  });

  test("makes one of many that want the same key at once", async () => {
    const key = newKey();
    const replies = await Promise.all(Array.from({ length: 8 }, () => create({ unique_key: key })));

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array<number>(7).fill(400),
    ]);
  });

  test.each([
    [{ provider: "no-such-provider", unique_key: "x" }, ["provider"], "invalid_string"],
    [{ unique_key: "" }, ["unique_key"], "too_small"],
    [{ unique_key: "a/b" }, ["unique_key"], "invalid_format"],
    [{ unique_key: "a\u0000b" }, ["unique_key"], "invalid_format"],
    [{ unique_key: "x".repeat(256) }, ["unique_key"], "too_big"],
    [{ unique_key: "x", display_name: "" }, ["display_name"], "too_small"],
    [{ unique_key: "x", display_name: "a\u0000b" }, ["display_name"], "custom"],
    [{ unique_key: "x", forward_webhooks: "yes" }, ["forward_webhooks"], "invalid_type"],
    [{ unique_key: "x", credentials: { type: "OAUTH2" } }, [], "unrecognized_keys"],
    [{ unique_key: "x", environment_id: 2 }, [], "unrecognized_keys"],
    [{ unique_key: "x", integration_config: "x" }, ["integration_config"], "invalid_type"],
    [
      { unique_key: "x", integration_config: { subdomain: "x" } },
      ["integration_config", "subdomain"],
      "unrecognized_keys",
    ],
    [
      { unique_key: "x", integration_config: { keep_password: "maybe" } },
      ["integration_config", "keep_password"],
      "custom",
    ],
    [
      { unique_key: "x", integration_config: { base_url: true } },
      ["integration_config", "base_url"],
      "custom",
    ],
  ])("refuses %j by its field", async (body, path, code) => {
    const reply = await create(body);

    expect(codeOf(reply)).toEqual([400, "invalid_body"]);
    expect(refusalOf(reply)[3]).toEqual([path, code]);
    expect(codeOf(await app.get("/integrations/x"))).toEqual([404, "not_found"]);
  });

  test("names a missing field, and takes no query", async () => {
    expect(refusalOf(await app.post("/integrations", { provider: "toggl" }))).toEqual([
      400,
      "invalid_body",
      "unique_key: Invalid input: expected string, received undefined",
      [["unique_key"], "invalid_type"],
    ]);
    const reply = await app.post("/integrations?x=1", { provider: "toggl", unique_key: "x" });
    expect(codeOf(reply)).toEqual([400, "invalid_query_params"]);
  });
});

describe("an integration's base_url", () => {
  test.each([
    ["http://api.example.com", "format of a stranger without TLS"],
    ["http://127.0.0.1:1", "this machine"],
    ["https://127.0.0.1", "this machine, with TLS"],
    ["https://localhost", "this machine by name"],
    ["https://10.0.0.1", "a private network"],
    ["https://[::1]", "this machine, IPv6"],
    ["https://[::ffff:10.0.0.1]", "a private network, mapped"],
    ["https://169.254.169.254", "metadata of a cloud"],
    ["https://0x7f000001", "this machine in hexadecimal"],
    ["https://2130706433", "this machine in decimal"],
    ["ftp://api.example.com", "another scheme"],
    ["latchkey:", "this server's own API"],
    ["https://user:secret@api.example.com", "credentials"],
    ["https://api.example.com?x=1", "a query"],
    ["https://api.example.com#x", "a fragment"],
    ["api.example.com", "no scheme"],
    ["nonsense", "no URL"],
  ])("can't be %s: %s", async (baseUrl) => {
    const reply = await create({ unique_key: "x", integration_config: { base_url: baseUrl } });

    expect(codeOf(reply)).toEqual([400, "invalid_body"]);
    expect(refusalOf(reply)[3]).toEqual([["integration_config", "base_url"], expect.any(String)]);
    expect(codeOf(await app.get("/integrations/x"))).toEqual([404, "not_found"]);
  });

  test("can't be this server, also where its origin is listed", async () => {
    const listed = await startHouse();
    const { origin } = listed.config.origin;
    const again = await listed.restart({ LATCHKEY_OUTBOUND_ALLOW: origin });
    const owner = connectClient(again, await environmentKey(again));
    for (const baseUrl of [origin, `${origin}./`, origin.replace("localhost", "LOCALHOST")]) {
      const reply = await owner.post("/integrations", {
        provider: "toggl",
        unique_key: "x",
        integration_config: { base_url: baseUrl },
      });
      expect(codeOf(reply)).toEqual([400, "invalid_body"]);
    }
  });
});

describe("GET /integrations", () => {
  test("lists them in the order in which they were made", async () => {
    const [first, second] = [await made(), await made()];
    const { data } = await done(app.get("/integrations"));
    const names = listOf(data).map(({ unique_key: name }) => name);

    expect(names.slice(-2)).toEqual([first, second]);
    expect(listOf(data).at(-1)).toEqual(await dataOf(second));
  });

  test("shows a form the ones that its session is for, and nothing of their configuration", async () => {
    const key = await made({ integration_config: { base_url: upstream.origin } });
    await made();
    const narrow = connectClient(house, await connectSession(app, { tags: {}, allowed_integrations: [key] }));
    const wide = connectClient(house, await connectSession(app));

    const seen = listOf((await done(narrow.get("/integrations")))["data"]);
    expect(seen.map(({ unique_key: name }) => name)).toEqual([key]);
    expect(seen[0]).not.toHaveProperty("integration_config");
    const all = (await done(app.get("/integrations")))["data"];
    expect((await done(wide.get("/integrations")))["data"]).toEqual(all);
    expect(JSON.stringify(all)).not.toContain(upstream.origin);
  });

  test("does not fail for one whose provider is gone from the catalogue", async () => {
    const key = await made();
    await sql`update integrations set provider = 'gone', display_name = null where unique_key = ${key}`.execute(
      house.inside.store.query,
    );
    const found = listOf((await done(app.get("/integrations")))["data"]).find(
      ({ unique_key: name }) => name === key,
    );

    expect(found).toMatchObject({ provider: "gone", display_name: "gone" });
    expect(await dataOf(key)).toMatchObject({ provider: "gone" });
    // What does not need the provider can still be done to it.
    await done(app.patch(`/integrations/${key}`, { display_name: "Old" }));
    expect(
      codeOf(await app.patch(`/integrations/${key}`, { integration_config: { keep_password: true } })),
    ).toEqual([404, "unknown_provider_template"]);
    await done(app.delete(`/integrations/${key}`));
  });

  test("takes no query", async () => {
    expect(codeOf(await app.get("/integrations?limit=1"))).toEqual([400, "invalid_query_params"]);
  });
});

describe("GET /integrations/{key}", () => {
  test("shows what was asked for besides, which here is nothing", async () => {
    const key = await made();
    const shown = await dataOf(key);

    expect(await dataOf(key, "?include=webhook&include=credentials")).toEqual({
      ...shown,
      webhook_url: null,
      credentials: null,
    });
    expect(await dataOf(key, "?include=credentials")).toEqual({ ...shown, credentials: null });
    // As many clients write a list.
    expect(await dataOf(key, "?include[]=credentials")).toEqual({ ...shown, credentials: null });
    expect(codeOf(await app.get(`/integrations/${key}?include=secrets`))).toEqual([
      400,
      "invalid_query_params",
    ]);
  });

  test.each(["nope", "%00", "a%2Fb", "%F0%9F%98%80"])(
    "says in the original's words that there is no %s",
    async (name) => {
      expect(refusalOf(await app.get(`/integrations/${name}`))).toEqual([
        404,
        "not_found",
        `Integration "${decodeURIComponent(name)}" does not exist`,
      ]);
    },
  );
});
