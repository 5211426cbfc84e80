import { beforeEach, describe, expect, test } from "vitest";
import { codeOf, connectClient, done, environmentKey, refusalOf } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import { byToken, linkingSuite, openLinkScene, type Holder, type LinkScene } from "../support/link-scene.ts";
import type { Upstream } from "../support/upstream.ts";

/** What a submission looks like, and what is said of one that does not. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ provider, house, scene, holder } = linking);
});

let session: string;
beforeEach(async () => {
  session = await scene.session();
});

const nothingHappened = async (): Promise<void> => {
  expect(scene.asked()).toEqual([]);
  expect(await scene.connections()).toEqual([]);
  expect(await scene.told()).toEqual([]);
  expect(await scene.audit()).toEqual([]);
};

const unknown = `nango_connect_session_${"0".repeat(64)}`;

describe("the session's token", () => {
  const post = (query: string, headers: Readonly<Record<string, string>> = {}) =>
    house.send("POST", `/api-auth/basic/${scene.integration}${query}`, { ...byToken(holder), headers });

  test.each([
    ["", "missing_public_key"],
    ["?connect_session_token=", "invalid_connect_session_token_format"],
    ["?connect_session_token=nope", "invalid_connect_session_token_format"],
    [`?connect_session_token=${unknown}0`, "invalid_connect_session_token_format"],
    [`?connect_session_token=${unknown.toUpperCase()}`, "invalid_connect_session_token_format"],
    [`?connect_session_token=${unknown}`, "unknown_connect_session_token"],
    ["?public_key=anything", "deprecated_authentication"],
    ["?public_key=anything&hmac=00", "deprecated_authentication"],
  ])("in the query “%s”: %s", async (query, code) => {
    const reply = await post(query);

    expect(codeOf(reply)).toEqual([401, code]);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    await nothingHappened();
  });

  test("may stand in the header instead, where no log of a proxy sees it", async () => {
    expect((await post("", { authorization: `Bearer ${session}` })).status).toBe(200);
  });

  test("in the header is judged as in the query", async () => {
    for (const [authorization, code] of [
      ["Bearer a b", "malformed_auth_header"],
      ["Bearer nope", "invalid_connect_session_token_format"],
      [`Bearer ${unknown}`, "unknown_connect_session_token"],
      [`Bearer ${await environmentKey(house, scene.environment)}`, "invalid_connect_session_token_format"],
    ]) {
      expect(codeOf(await post("", { authorization: authorization ?? "" }))).toEqual([401, code]);
    }
    await nothingHappened();
  });

  test("given twice is refused", async () => {
    const reply = await scene.submit(session, {
      ...byToken(holder),
      query: `&connect_session_token=${session}`,
    });

    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    await nothingHappened();
  });

  test("is no key: it opens no call of an app", async () => {
    for (const path of ["/connections", "/environment/webhooks"]) {
      expect((await connectClient(house, session).get(path)).status).toBe(401);
    }
  });
});

describe("the integration", () => {
  test("that is not there, or is another environment's", async () => {
    const other = await openLinkScene(house, provider, { provider: "jira-basic" });
    for (const integration of ["nope", "__proto__", "%00", other.integration]) {
      const reply = await scene.submit(session, { ...byToken(holder), integration });
      expect(codeOf(reply)).toEqual([404, "unknown_provider_config"]);
    }
    await nothingHappened();
  });

  test("that takes other credentials", async () => {
    for (const [way, json] of [
      ["api-auth/api-key", { apiKey: holder.token }],
      ["auth/unauthenticated", undefined],
    ] as const) {
      expect(codeOf(await scene.submit(session, { way, json }))).toEqual([400, "invalid_auth_mode"]);
    }
    await nothingHappened();
  });

  test("that the session is not for", async () => {
    await done(scene.app.post("/integrations", { provider: "toggl", unique_key: "other" }));
    const narrow = await scene.session({ tags: {}, allowed_integrations: ["other"] });

    expect(codeOf(await scene.submit(narrow, byToken(holder)))).toEqual([400, "integration_not_allowed"]);
    await nothingHappened();
    const wide = await scene.session({ tags: {}, allowed_integrations: ["other", scene.integration] });
    expect((await scene.submit(wide, byToken(holder))).status).toBe(200);
  });
});

describe("the query", () => {
  test("takes what the original's SDK sends along for other ways to sign in", async () => {
    const query = "&hmac=00&user_scope=a,b&authorization_params[prompt]=none&confirm_account_change=False";
    expect((await scene.submit(session, { ...byToken(holder), query })).status).toBe(200);
  });

  test.each([
    ["&hmac[]=00", "expected string", "hmac"],
    ["&connection_id=mine", "connection_id is forbidden when using session token", "connection_id"],
    ["&confirm_account_change=perhaps", "must be true or false", "confirm_account_change"],
    ["&params=x", "expected record", "params"],
    ["&colour=red", "colour", ""],
    ["&params[a]=1&colour=red", "colour", ""],
  ])("“%s” is refused, naming what is wrong", async (query, says, path) => {
    const [status, code, message, issue] = refusalOf(
      await scene.submit(session, { ...byToken(holder), query }),
    );

    expect([status, code]).toEqual([400, "invalid_query_params"]);
    expect(message).toContain(says);
    expect(issue).toEqual([path === "" ? [] : [path], expect.any(String)]);
    await nothingHappened();
  });

  test("with a parameter that the integration does not ask for is refused as a field", async () => {
    const reply = await scene.submit(session, {
      ...byToken(holder),
      query: "&params[subdomain]=evil.example/",
    });

    expect(refusalOf(reply)).toEqual([
      400,
      "invalid_body",
      expect.stringContaining("subdomain"),
      [["params", "subdomain"], "unrecognized_keys"],
    ]);
    await nothingHappened();
  });
});

const json = { "content-type": "application/json" };

describe("the body", () => {
  test.each<readonly [string, unknown]>([
    ["a field too many", { username: "a", password: "b", remember: true }],
    ["a field too few", { username: "a" }],
    ["nothing", {}],
    ["a list", []],
    ["a number", { username: 1, password: "b" }],
    ["null", { username: null, password: "b" }],
    ["more than anybody types", { username: "x".repeat(1025), password: "api_token" }],
    ["two empty fields", { username: "", password: "" }],
    ["blanks", { username: "  ", password: "api_token" }],
    ["a line break in the token", { username: "aaaaaaaaaaaaaaaa\naaaaaaaaaaaaaaa", password: "api_token" }],
    ["a zero in it", { username: "aaaaaaaaaaaaaaaa\u0000aaaaaaaaaaaaaaa", password: "api_token" }],
    ["no address", { username: "not an address", password: "secret word" }],
    ["a colon in the address", { username: "a:b@example.com", password: "secret word" }],
  ])("with %s is refused", async (_name, body) => {
    const reply = await scene.submit(session, { json: body });

    expect(refusalOf(reply).slice(0, 2)).toEqual([400, "invalid_body"]);
    expect(refusalOf(reply).length).toBeGreaterThan(3);
    await nothingHappened();
  });

  test.each<readonly [string, string, Readonly<Record<string, string>>, number, string]>([
    ["no JSON", "{", json, 400, "invalid_json"],
    ["nothing", "", json, 400, "invalid_body"],
    ["half a character", '{"username":"\\ud800","password":""}', json, 400, "invalid_json"],
    [
      "made of JSON's own furniture",
      '{"username":"a","password":"b","__proto__":{"x":1}}',
      json,
      400,
      "invalid_json",
    ],
    [
      "a form",
      "username=a&password=b",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "invalid_content_type",
    ],
    ["a text", "{}", { "content-type": "text/plain" }, 415, "invalid_content_type"],
    ["no type", '{"username":"a","password":"b"}', {}, 415, "invalid_content_type"],
    ["two mebibytes", `{"username":"${"x".repeat(2_000_000)}"}`, json, 413, "body_too_large"],
  ])("that is %s: a page of anybody can read why", async (_name, body, headers, status, code) => {
    const reply = await scene.submit(session, {
      body,
      headers: { ...headers, origin: "https://app.example.com" },
    });

    expect(codeOf(reply)).toEqual([status, code]);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(reply.headers["access-control-allow-credentials"]).toBeUndefined();
    await nothingHappened();
  });
});

test("a page may ask first whether it may", async () => {
  const reply = await house.send("OPTIONS", `/api-auth/basic/${scene.integration}`, {
    headers: {
      origin: "https://app.example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });

  expect(reply.status).toBeLessThan(300);
  expect(reply.headers).toMatchObject({ "access-control-allow-origin": "*" });
  expect(String(reply.headers["access-control-allow-headers"]).toLowerCase()).toMatch(/\*|content-type/);
});

test("another method is refused", async () => {
  for (const method of ["GET", "PUT", "DELETE"]) {
    const reply = await house.send(
      method,
      `/api-auth/basic/${scene.integration}?connect_session_token=${session}`,
    );
    expect(reply.status).toBe(405);
  }
  await nothingHappened();
});
