import { beforeEach, describe, expect, test } from "vitest";
import { codeOf, done } from "../support/connect.ts";
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
import { fullTerms } from "../support/linked-accounts.ts";
import type { Upstream } from "../support/upstream.ts";

/** An app changes the credentials of a connection, or brings some by the older path. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ provider, house, scene, holder } = linking);
});

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

describe("POST /connection, the older path", () => {
  const old = (body: object) =>
    scene.app.post("/connection", { provider_config_key: scene.integration, ...body });

  test("takes what it is given, and asks nobody", async () => {
    const reply = await old({ connection_id: "old-1", username: holder.token, password: "api_token" });

    expect([reply.status, reply.json()]).toMatchObject([
      201,
      { connection_id: "old-1", credentials: byTokenOf(holder), account: null, state: "live" },
    ]);
    expect(scene.asked()).toEqual([]);
    expect(await scene.audit()).toEqual([["connection_imported", { connection: "old-1" }]]);
    const renewed = newHolder();
    await done(old({ connection_id: "old-1", username: renewed.token, password: "api_token" }));
    expect(await scene.read("old-1")).toMatchObject({ credentials: byTokenOf(renewed) });
  });

  test.each<readonly [string, object]>([
    ["nothing", {}],
    ["half of it", { username: "a" }],
    ["a key, where a name and a password are asked for", { api_key: "k" }],
    ["the newer form", { credentials: { type: "BASIC", username: "a", password: "b" } }],
  ])("refuses %s", async (_name, body) => {
    expect(codeOf(await old(body))).toEqual([400, "invalid_body"]);
    await nothingHappened();
  });

  test("takes a key where a key is asked for", async () => {
    const gitlab = await openLinkScene(house, provider, { provider: "gitlab-token", path: "/user" });
    const apiKey = "glpat-0123456789abcdefghij";
    const body = { provider_config_key: gitlab.integration, api_key: apiKey };

    expect(await done(gitlab.app.post("/connection", body))).toMatchObject({
      credentials: { type: "API_KEY", apiKey },
    });
    expect(gitlab.asked()).toEqual([]);
  });
});

describe("PATCH /connections/{id} with credentials", () => {
  let path: string;
  let renewed: Holder;
  beforeEach(async () => {
    await done(bring({ connection_id: "mine-1", metadata: { a: 1 }, ...fullTerms }));
    path = `/connections/mine-1?provider_config_key=${scene.integration}`;
    renewed = { ...newHolder(), id: holder.id };
    scene.answers(toggl(holder, renewed));
    await scene.told();
  });

  test("asks the provider first, changes them, and keeps all else", async () => {
    const before = await scene.read("mine-1");
    expect(await done(scene.app.patch(path, { credentials: byPasswordOf(renewed) }))).toEqual({
      success: true,
    });

    expect(await scene.read("mine-1")).toEqual({
      ...before,
      credentials: byTokenOf(renewed),
      account: shownAccount(renewed),
    });
    expect(await scene.told()).toMatchObject([{ event: "connection.reconnected", connectionId: "mine-1" }]);
    expect((await scene.audit()).slice(1)).toContainEqual(["connection_changed", { connection: "mine-1" }]);
  });

  test("that are refused changes nothing at all, and the old ones work on", async () => {
    const before = await scene.read("mine-1");
    for (const script of [{ status: 403 }, { status: 402 }, { status: 500 }, { body: "<p>" }]) {
      scene.answers(script);
      const reply = await scene.app.patch(path, { credentials: byTokenOf(renewed), tags: { new: "yes" } });
      expect(reply.status).toBeGreaterThanOrEqual(400);
    }
    scene.answers(toggl(holder));

    expect(await scene.read("mine-1")).toEqual(before);
    expect(await scene.told()).toEqual([]);
    const named = { connection_id: "mine-1", provider_config_key: scene.integration };
    expect(await done(scene.app.post("/connections/verify", named))).toMatchObject({ state: "live" });
  });

  test("and something else that is refused changes no credentials either", async () => {
    const before = await scene.read("mine-1");
    const asked = scene.asked().length;
    for (const wrong of [
      { webhook_url_override: "http://127.0.0.1:1/" },
      { tags: { "1": "x" } },
      { end_user: { id: "" } },
      { metadata: {} },
    ]) {
      const reply = await scene.app.patch(path, { credentials: byTokenOf(renewed), ...wrong });
      expect(codeOf(reply)).toEqual([400, "invalid_body"]);
    }

    expect(scene.asked()).toHaveLength(asked);
    expect(await scene.read("mine-1")).toEqual(before);
  });

  test("may change other things with them", async () => {
    await done(scene.app.patch(path, { credentials: byTokenOf(renewed), tags: { new: "yes" } }));

    expect(await scene.read("mine-1")).toMatchObject({
      credentials: byTokenOf(renewed),
      tags: { new: "yes" },
    });
  });

  test("brings back no connection that was deleted, before or meanwhile", async () => {
    const answer = toggl(renewed);
    scene.answers((asked) => ({ ...answer(asked), after: done(scene.app.delete(path)) }));
    for (const times of [1, 2]) {
      const reply = await scene.app.patch(path, { credentials: byTokenOf(renewed) });
      expect([times, ...codeOf(reply)]).toEqual([times, 404, "not_found"]);
    }

    expect(await scene.connections()).toEqual([]);
  });

  test("loses nothing that is written while the provider is asked", async () => {
    const named = { connection_id: "mine-1", provider_config_key: scene.integration };
    const answer = toggl(renewed);
    scene.answers((asked) => ({
      ...answer(asked),
      after: done(scene.app.patch("/connections/metadata", { ...named, metadata: { b: 2 } })),
    }));
    await done(scene.app.patch(path, { credentials: byTokenOf(renewed) }));

    expect(await scene.read("mine-1")).toMatchObject({
      credentials: byTokenOf(renewed),
      metadata: { a: 1, b: 2 },
    });
  });

  test("of an integration that is deleted meanwhile is refused", async () => {
    const answer = toggl(renewed);
    scene.answers((asked) => ({
      ...answer(asked),
      after: done(scene.app.delete(`/integrations/${scene.integration}`)),
    }));

    expect(codeOf(await scene.app.patch(path, { credentials: byTokenOf(renewed) }))).toEqual([
      404,
      "unknown_provider_config",
    ]);
    expect(await scene.connections()).toEqual([]);
  });
});
