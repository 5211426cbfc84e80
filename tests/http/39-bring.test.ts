import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { codeOf, done, refusalOf } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import {
  linkingSuite,
  newHolder,
  openLinkScene,
  shownAccount,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { fullEndUser, fullTags, fullTerms } from "../support/linked-accounts.ts";
import { vaulted } from "../support/provider-files.ts";
import type { Upstream } from "../support/upstream.ts";

/** An app brings along the credentials that it had before, or new ones for a connection. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite(
  (linking) => {
    ({ provider, house, scene, holder } = linking);
  },
  { vaulted },
);

const byTokenOf = ({ token }: Holder) => ({ type: "BASIC", username: token, password: "api_token" });
const byPasswordOf = ({ email, password }: Holder) => ({ type: "BASIC", username: email, password });

const bring = (more: object = {}, to: LinkScene = scene) =>
  to.app.post("/connections", {
    provider_config_key: to.integration,
    credentials: byTokenOf(holder),
    ...more,
  });

const nothingHappened = async (to: LinkScene = scene): Promise<void> => {
  expect(await to.connections()).toEqual([]);
  expect(await to.told()).toEqual([]);
  expect(await to.audit()).toEqual([]);
};

describe("POST /connections", () => {
  test("asks the provider, and keeps what it takes", async () => {
    const reply = await bring({ connection_id: "mine-1", metadata: { a: 1 }, ...fullTerms });

    expect([reply.status, reply.json()]).toEqual([
      201,
      {
        id: expect.any(Number),
        connection_id: "mine-1",
        provider_config_key: scene.integration,
        provider: "toggl",
        errors: [],
        end_user: fullEndUser,
        tags: fullTags,
        metadata: { a: 1 },
        connection_config: {},
        webhook_url_override: null,
        created_at: new Date(house.clock.now()).toISOString(),
        updated_at: new Date(house.clock.now()).toISOString(),
        last_fetched_at: new Date(house.clock.now()).toISOString(),
        credentials: byTokenOf(holder),
        account: shownAccount(holder),
        state: "live",
        state_reason: null,
        last_verified_at: new Date(house.clock.now()).toISOString(),
      },
    ]);
    expect(scene.asked()).toHaveLength(1);
    expect(await scene.told()).toMatchObject([
      { event: "connection.created", operation: "creation", success: true, connectionId: "mine-1" },
    ]);
    expect(await scene.audit()).toEqual([["connection_imported", { connection: "mine-1" }]]);
  });

  test("makes an id where there is none", async () => {
    const [one, two] = [await done(bring()), await done(bring())];

    expect(one["connection_id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(two["connection_id"]).not.toBe(one["connection_id"]);
    expect(await scene.connections()).toHaveLength(2);
  });

  test("takes a password for its token", async () => {
    expect(await done(bring({ credentials: byPasswordOf(holder) }))).toMatchObject({
      credentials: byTokenOf(holder),
    });
  });

  test.each([
    ["wrong credentials", { status: 403 }, 400, "connection_test_failed"],
    ["no quota", { status: 402, headers: { "x-toggl-quota-resets-in": "9" } }, 402, "provider_quota"],
    ["too many calls", { status: 429 }, 429, "provider_rate_limited"],
    ["a provider that is down", { status: 500 }, 502, "provider_unavailable"],
    ["a page", { body: "<p>" }, 502, "unexpected_answer"],
  ])("keeps nothing after %s", async (_name, script, status, code) => {
    scene.answers(script);

    expect(codeOf(await bring({ connection_id: "mine-1" }))).toEqual([status, code]);
    await nothingHappened();
  });

  test("may be told not to ask: then nobody knows whose account it is, until somebody does ask", async () => {
    const brought = await done(bring({ connection_id: "mine-1", verify: false }));

    expect(scene.asked()).toEqual([]);
    expect(brought).toMatchObject({
      credentials: byTokenOf(holder),
      account: null,
      state: "live",
      last_verified_at: null,
    });
    const named = { connection_id: "mine-1", provider_config_key: scene.integration };
    const found = { state: "live", account: shownAccount(holder) };
    expect(await done(scene.app.post("/connections/verify", named))).toMatchObject(found);
    expect(await scene.read("mine-1")).toMatchObject(found);
  });

  test.each<readonly [string, object, readonly unknown[]]>([
    [
      "credentials of another kind",
      { credentials: { type: "API_KEY", apiKey: "k" } },
      ["credentials", "type"],
    ],
    ["no credentials", { credentials: { type: "NONE" } }, ["credentials", "type"]],
    [
      "a token that is none",
      { credentials: { type: "BASIC", username: "x", password: "api_token" } },
      ["username"],
    ],
    ["a field too many", { colour: "red" }, []],
    [
      "a field too many in the credentials",
      { credentials: { type: "BASIC", username: "a", password: "b", x: 1 } },
      ["credentials"],
    ],
    ["an id that is none", { connection_id: "a\u0000b" }, ["connection_id"]],
    ["no id", { connection_id: "" }, ["connection_id"]],
    ["tags that are none", { tags: { "1": "x" } }, ["tags", "1"]],
    ["an address of this machine", { webhook_url_override: "http://127.0.0.1:1/" }, ["webhook_url_override"]],
    [
      "a configuration of other than texts",
      { connection_config: { host: 1 } },
      ["connection_config", "host"],
    ],
    ["a state", { state: "live" }, []],
    ["somebody else's account", { account: { id: "1" } }, []],
  ])("refuses %s, asked for a check or not", async (_name, more, path) => {
    for (const verify of [true, false]) {
      const [status, code, , issue] = refusalOf(await bring({ ...more, verify }));
      expect([status, code]).toEqual([400, "invalid_body"]);
      expect(issue).toEqual([path, expect.any(String)]);
    }
    expect(scene.asked()).toEqual([]);
    await nothingHappened();
  });

  test("knows no integration that is not there", async () => {
    expect(refusalOf(await bring({ provider_config_key: "nope" }))).toEqual([
      404,
      "not_found",
      'Integration "nope" does not exist',
    ]);
    expect(codeOf(await scene.app.post("/connections?x=1", {}))).toEqual([400, "invalid_body"]);
    await nothingHappened();
  });
});

describe("a connection of that id that is there", () => {
  test("is written over, and what is left out stays", async () => {
    const override = `${provider.origin}/of-one`;
    provider.answers("/of-one", { status: 204 });
    const first = await done(
      bring({ connection_id: "mine-1", metadata: { a: 1 }, webhook_url_override: override, ...fullTerms }),
    );
    house.clock.advance(1000);
    const renewed = { ...newHolder(), id: holder.id };
    scene.answers(toggl(renewed));
    const second = await done(bring({ connection_id: "mine-1", credentials: byTokenOf(renewed) }));

    const now = new Date(house.clock.now()).toISOString();
    const { project: _project, ...ofThem } = fullTags;
    expect(second).toEqual({
      ...first,
      credentials: byTokenOf(renewed),
      account: shownAccount(renewed),
      updated_at: now,
      last_fetched_at: now,
      last_verified_at: now,
    });
    expect(
      await done(
        bring({
          connection_id: "mine-1",
          credentials: byTokenOf(renewed),
          metadata: { b: 2 },
          tags: { only: "this" },
          webhook_url_override: "",
        }),
      ),
    ).toMatchObject({
      metadata: { b: 2 },
      tags: { ...ofThem, only: "this" },
      webhook_url_override: null,
      end_user: fullEndUser,
    });
    expect(await scene.connections()).toHaveLength(1);
    expect((await scene.audit()).map(([event]) => event)).toEqual([
      "connection_imported",
      "connection_changed",
      "connection_changed",
    ]);
  });

  test("is left as it was by credentials that are refused", async () => {
    await done(bring({ connection_id: "mine-1" }));
    const before = await scene.read("mine-1");
    scene.answers({ status: 403 });

    expect(codeOf(await bring({ connection_id: "mine-1", metadata: { new: true }, tags: {} }))).toEqual([
      400,
      "connection_test_failed",
    ]);
    expect(await scene.read("mine-1")).toEqual(before);
  });

  test("of many that bring it at once is one", async () => {
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, index) => bring({ connection_id: "mine-1", metadata: { index } })),
    );

    for (const reply of replies) expect(reply.status).toBe(201);
    const connections = await scene.connections();
    expect(connections).toHaveLength(1);
    const { rows } = await sql<{ version: number }>`
      select sealed_version as version from connections where id = ${connections[0]?.["id"]}`.execute(
      house.inside.store.query,
    );
    expect(rows).toEqual([{ version: 8 }]);
    expect(await scene.read("mine-1")).toMatchObject({ credentials: byTokenOf(holder) });
  });

  test("of another integration is another one", async () => {
    await done(scene.app.post("/integrations", { provider: "toggl", unique_key: "other" }));
    await done(bring({ connection_id: "mine-1" }));
    await done(bring({ connection_id: "mine-1", provider_config_key: "other", verify: false }));

    expect(await scene.connections()).toHaveLength(2);
  });
});

test("the configuration of a connection is asked for, kept, and changed by name", async () => {
  const vault = await openLinkScene(house, provider, { provider: "vaulted", path: "/me" });
  vault.answers((asked) => ({ body: JSON.stringify({ id: asked.headers["x-region"] }) }));
  const credentials = { type: "API_KEY", apiKey: "a key of many letters" };
  const config = { region: "eu", passphrase: "open sesame, it says" };
  expect(
    refusalOf(await bring({ credentials, connection_config: { region: "eu" } }, vault)).slice(3),
  ).toEqual([[["connection_config", "passphrase"], "required"]]);
  await nothingHappened(vault);
  await done(bring({ credentials, connection_id: "v", connection_config: config }, vault));

  expect(
    await done(bring({ credentials, connection_id: "v", connection_config: { region: "us" } }, vault)),
  ).toMatchObject({ connection_config: { ...config, region: "us" }, account: { id: "us" } });
});
