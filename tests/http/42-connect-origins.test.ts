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
import { fieldsOf } from "../support/shapes.ts";

/** Which apps may show the form in a page of theirs. */

let house: TestHouse;
/** Another process on the same store. */
let twin: TestHouse;
let dev: ConnectClient;
let prod: ConnectClient;
beforeAll(async () => {
  house = await startHouse();
  twin = await house.twin({ LATCHKEY_ORIGIN: house.config.origin.origin });
  dev = connectClient(house, await environmentKey(house, "dev"));
  prod = connectClient(house, await environmentKey(house, "prod"));
});
afterAll(stopHouses);

const app = "https://app.example.com";
const other = "https://other.example.com:8443";
const local = "http://localhost:5173";

const setOrigins = async (client: ConnectClient, origins: readonly string[]): Promise<void> =>
  void (await done(client.patch("/environment", { connect_origins: origins })));

const originsOf = async (client: ConnectClient): Promise<unknown> =>
  fieldsOf((await done(client.get("/environment")))["data"])["connect_origins"];

beforeEach(async () => {
  await setOrigins(dev, []);
  await setOrigins(prod, []);
});

const policyOf = (header: unknown): ReadonlyMap<string, readonly string[]> =>
  new Map(
    String(header)
      .split(";")
      .map((directive) => {
        const [name = "", ...sources] = directive.trim().split(" ");
        return [name, sources.toSorted()];
      }),
  );

/** Whom the policy of the form lets frame it; undefined: anybody. */
const ancestors = async (at: TestHouse = house): Promise<readonly string[] | undefined> => {
  const { status, headers } = await at.send("GET", "/connect/");
  expect(status).toBe(200);
  expect(headers).not.toHaveProperty("x-frame-options");
  const policy = policyOf(headers["content-security-policy"]);
  expect([...policy.keys()].filter((name) => name !== "frame-ancestors")).toEqual([
    "default-src",
    "script-src",
    "style-src",
    "img-src",
    "connect-src",
    "form-action",
    "base-uri",
    "require-trusted-types-for",
    "trusted-types",
  ]);
  return policy.get("frame-ancestors");
};

describe("the form may be framed", () => {
  test("by anybody while no environment has a list", async () => {
    expect(await ancestors()).toBeUndefined();
  });

  test("by pages of ours, and by whom one environment or another allows", async () => {
    await setOrigins(dev, [local, app]);
    expect(await ancestors()).toEqual(["'self'", app, local].toSorted());

    await setOrigins(prod, [app, other]);
    expect(await ancestors()).toEqual(["'self'", app, local, other].toSorted());

    await setOrigins(dev, []);
    expect(await ancestors()).toEqual(["'self'", app, other].toSorted());
  });

  test("as it was said last, at another process too, and from the command line as well", async () => {
    expect(await ancestors(twin)).toBeUndefined();
    await setOrigins(prod, [app]);
    expect(await ancestors(twin)).toEqual(["'self'", app]);

    const change = { environment: "prod", body: { connect_origins: [other] } };
    await twin.inside.connect.use.changeEnvironment(change);
    expect(await ancestors()).toEqual(["'self'", other]);
    expect(await ancestors(twin)).toEqual(["'self'", other]);
  });

  test("by an app that isolates its own page, and shares no window with whoever opened it", async () => {
    const { headers } = await house.send("GET", "/connect/");

    expect(headers).toMatchObject({
      "cross-origin-resource-policy": "cross-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(headers).not.toHaveProperty("set-cookie");
  });

  test.for([
    ["GET", "/", 200],
    ["GET", "/login", 200],
    ["GET", "/connect/index.html", 404],
    ["GET", "/connect/assets/nothing.js", 404],
    ["POST", "/connect/", 405],
    ["GET", "/connect/form", 401],
    ["GET", "/connect/session", 401],
  ] as const)("and nothing else may: %s %s", async ([method, path, status]) => {
    await setOrigins(dev, [app]);
    const reply = await house.send(method, path);

    expect(reply.status).toBe(status);
    expect(reply.headers).toMatchObject({ "x-frame-options": "DENY" });
    expect(String(reply.headers["content-security-policy"])).not.toContain(app);
  });

  test("and is not shown under another name of the server", async () => {
    const reply = await house.send("GET", "/connect/", { headers: { host: "evil.example" } });

    expect(reply.status).toBe(421);
    expect(reply.headers).toMatchObject({ "x-frame-options": "DENY" });
  });
});

const taken = [
  ["https://app.example.com", "https://app.example.com"],
  ["https://app.example.com/", "https://app.example.com"],
  ["https://app.example.com:8443", "https://app.example.com:8443"],
  ["http://localhost:5173", "http://localhost:5173"],
  ["http://127.0.0.1", "http://127.0.0.1"],
  ["http://[::1]:3000", "http://[::1]:3000"],
  // As browsers write them.
  ["HTTPS://App.Example.COM", "https://app.example.com"],
  ["https://app.example.com:443", "https://app.example.com"],
  ["http://localhost:80", "http://localhost"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["https://app.example.com.", "https://app.example.com."],
  ["chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"],
  ["capacitor://localhost/", "capacitor://localhost"],
] as const;

const refused = [
  "",
  "*",
  "null",
  "app.example.com",
  "//app.example.com",
  "javascript:alert(1)",
  "data:text/html,x",
  "file:///etc/passwd",
  "blob:https://app.example.com/1",
  "about:blank",
  "ftp://app.example.com",
  "wss://app.example.com",
  "chrome-extension://abcdefghijklmnop/popup.html",
  "chrome-extension://*",
  "capacitor://",
  "http://app.example.com",
  "http://localhost.example.com",
  "http://127.0.0.2",
  "https://",
  "https://app.example.com/path",
  "https://app.example.com/?",
  "https://app.example.com/#",
  "https://app.example.com//",
  "https://app.example.com?a=b",
  "https://somebody@app.example.com",
  "https://app.example.com@evil.example",
  "https://:secret@app.example.com",
  "https://app.example.com:65536",
  // What would be more than one name in the header of the form.
  "https://*",
  "https://*.example.com",
  "https://app.*.com",
  "https://app.example.com;sandbox",
  "https://app.example.com;script-src",
  "https://app.example.com,frame-ancestors",
  "https://app.example.com *",
  "https://app.example.com 'unsafe-inline'",
  "https://app'.example.com",
  "https://app\u0000.example.com",
  `https://${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(63)}.${"e".repeat(63)}`,
] as const;

describe("an origin", () => {
  test.for(taken)("%s is kept as %s", async ([given, kept]) => {
    await setOrigins(dev, [given, kept]);

    expect(await originsOf(dev)).toEqual([kept]);
    expect(await ancestors()).toEqual(["'self'", kept]);
  });

  test.for(refused)("%j is refused wherever it is said, and changes nothing", async (given) => {
    await setOrigins(dev, [app]);
    const name = `env-${crypto.randomUUID().slice(0, 8)}`;

    expect(refusalOf(await dev.patch("/environment", { connect_origins: [app, given] }))).toEqual([
      400,
      "invalid_body",
      expect.stringMatching(/connect_origins/),
      [["connect_origins", "1"], expect.any(String)],
    ]);
    const terms = { tags: {}, allowed_origins: [given] };
    expect(codeOf(await dev.post("/connect/sessions", terms))).toEqual([400, "invalid_body"]);
    await expect(
      house.inside.connect.use.createEnvironment({ name, connectOrigins: [given] }),
    ).rejects.toMatchObject({ code: "input_invalid" });

    expect(await originsOf(dev)).toEqual([app]);
    expect(await ancestors()).toEqual(["'self'", app]);
  });

  test("is one of fifty at most, and a text", async () => {
    const many = Array.from({ length: 51 }, (_, index) => `https://app-${index}.example.com`);

    for (const wrong of [many, app, [null], [{ origin: app }], [[app]]]) {
      expect(codeOf(await dev.patch("/environment", { connect_origins: wrong }))).toEqual([
        400,
        "invalid_body",
      ]);
    }
    expect(await originsOf(dev)).toEqual([]);
    await setOrigins(dev, many.slice(1));
    expect(await ancestors()).toHaveLength(51);
  });
});
