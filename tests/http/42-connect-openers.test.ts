import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  codeOf,
  connectClient,
  connectSession,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";

/** From which pages a session's form may be opened, and where its link may lead back to. */

let house: TestHouse;
let dev: ConnectClient;
let prod: ConnectClient;
beforeAll(async () => {
  house = await startHouse();
  dev = connectClient(house, await environmentKey(house, "dev"));
  prod = connectClient(house, await environmentKey(house, "prod"));
});
afterAll(stopHouses);

const app = "https://app.example.com";
const other = "https://other.example.com:8443";
const local = "http://localhost:5173";

const setOrigins = async (client: ConnectClient, origins: readonly string[]): Promise<void> =>
  void (await done(client.patch("/environment", { connect_origins: origins })));

beforeEach(async () => {
  await setOrigins(dev, []);
  await setOrigins(prod, []);
});

/** What the form is told when a page of this origin frames it. */
const openedFrom = (session: string, opener?: string) =>
  connectClient(house, session).get(
    `/connect/form${opener === undefined ? "" : `?opener=${encodeURIComponent(opener)}`}`,
  );

describe("a session's form may be opened", () => {
  const mayOpen = async (session: string, opener?: string): Promise<boolean> => {
    const reply = await openedFrom(session, opener);
    if (reply.status === 200) return true;
    expect(codeOf(reply)).toEqual([403, "origin_not_allowed"]);
    expect(Object.keys(fieldsOf(reply.json()))).toEqual(["error"]);
    return false;
  };

  test("from anywhere without a list", async () => {
    const session = await connectSession(dev);

    for (const opener of [undefined, app, "http://anything.example", house.config.origin.origin]) {
      expect(await mayOpen(session, opener)).toBe(true);
    }
  });

  test("from where its own environment allows, from our own pages, and as a link", async () => {
    await setOrigins(dev, [app]);
    await setOrigins(prod, [other]);
    const session = await connectSession(dev);

    for (const opener of [undefined, app, house.config.origin.origin]) {
      expect(await mayOpen(session, opener)).toBe(true);
    }
    for (const opener of [
      other,
      "null",
      "",
      "http://app.example.com",
      "https://app.example.com:8443",
      "https://app.example.com.",
      "https://app.example.com.evil.example",
      "https://app.example.com/",
      "https://App.example.com",
      "https://sub.app.example.com",
    ]) {
      expect(await mayOpen(session, opener), opener).toBe(false);
    }
  });

  test("from fewer places when the session says so, and never from more", async () => {
    await setOrigins(dev, [app, other]);
    const narrow = await connectSession(dev, { tags: {}, allowed_origins: [`${other}/`] });
    expect(await mayOpen(narrow, other)).toBe(true);
    expect(await mayOpen(narrow, app)).toBe(false);

    const wider = await dev.post("/connect/sessions", { tags: {}, allowed_origins: [app, local] });
    expect(refusalOf(wider)).toEqual([
      400,
      "invalid_body",
      expect.stringContaining("connect_origins"),
      [["allowed_origins", "1"], "custom"],
    ]);
    const none = await connectSession(dev, { tags: {}, allowed_origins: [] });
    expect(await mayOpen(none, app)).toBe(true);
  });

  test("from where the session says, when the environment has no list", async () => {
    const session = await connectSession(dev, { tags: {}, allowed_origins: [app] });

    expect(await mayOpen(session, app)).toBe(true);
    expect(await mayOpen(session, other)).toBe(false);
  });

  test("from where the environment still allows, once it has changed its list", async () => {
    await setOrigins(dev, [app, other]);
    const wide = await connectSession(dev);
    const narrow = await connectSession(dev, { tags: {}, allowed_origins: [app] });
    await setOrigins(dev, [other, local]);

    expect(await mayOpen(wide, local)).toBe(true);
    expect(await mayOpen(wide, app)).toBe(false);
    // What the session narrowed it to is gone: it does not fall back to everything.
    for (const opener of [app, other, local]) expect(await mayOpen(narrow, opener)).toBe(false);
    expect(await mayOpen(narrow)).toBe(true);

    await setOrigins(dev, []);
    expect(await mayOpen(narrow, app)).toBe(true);
    expect(await mayOpen(narrow, other)).toBe(false);
  });

  test("of one opener that is short enough, and with nothing else in the query", async () => {
    const form = connectClient(house, await connectSession(dev));

    for (const query of [`opener=${"a".repeat(2049)}`, `opener=${app}&opener=${app}`, "openers=x"]) {
      expect(codeOf(await form.get(`/connect/form?${query}`))).toEqual([400, "invalid_query_params"]);
    }
  });
});

describe("a link leads back", () => {
  const backOf = async (session: string): Promise<unknown> =>
    fieldsOf((await done(openedFrom(session)))["data"])["redirect_url"];

  test("to an address of an origin that the environment names, as it was given", async () => {
    await setOrigins(dev, [app, local]);

    for (const redirect_url of [`${app}/done?a=b&c=%20#there`, app, `${local}/`]) {
      expect(await backOf(await connectSession(dev, { tags: {}, redirect_url }))).toBe(redirect_url);
    }
    expect(await backOf(await connectSession(dev))).toBeNull();
  });

  test.for([
    "https://evil.example/",
    "https://app.example.com.evil.example/",
    "https://app.example.com@evil.example/",
    "https://app.example.com:8443/",
    "http://app.example.com/",
    "//app.example.com/",
    "/account",
    "javascript:alert(1)//https://app.example.com",
    "data:text/html,x",
    "blob:https://app.example.com/1",
    "https:/\\evil.example/",
    `https://app.example.com/${"a".repeat(2048)}`,
  ])("nowhere else: %s", async (redirect_url) => {
    await setOrigins(dev, [app]);
    await setOrigins(prod, ["https://evil.example"]);
    const reply = await dev.post("/connect/sessions", { tags: {}, redirect_url });

    expect(refusalOf(reply)).toEqual([
      400,
      "invalid_body",
      expect.stringContaining("redirect_url"),
      [["redirect_url"], expect.any(String)],
    ]);
  });

  test("nowhere while there is no list, and not to what was taken off it", async () => {
    const terms = { tags: {}, redirect_url: `${app}/done` };
    expect(codeOf(await dev.post("/connect/sessions", terms))).toEqual([400, "invalid_body"]);
    await setOrigins(dev, [app]);
    const session = await connectSession(dev, terms);
    expect(await backOf(session)).toBe(`${app}/done`);

    await setOrigins(dev, [other]);
    expect(await backOf(session)).toBeNull();
    await setOrigins(dev, []);
    expect(await backOf(session)).toBeNull();
  });
});
