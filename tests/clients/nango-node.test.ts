import type { Nango } from "@nangohq/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  apiKey,
  backEnd,
  basic,
  integrations,
  refused,
  startSdkHouse,
  type SdkHouse,
  type SdkScene,
} from "../support/sdk-scene.ts";
import { fieldsOf } from "../support/shapes.ts";

/** The published SDK for back ends, as it is: only its `host` is ours. Every method of it is called here, or in nango-node-proxy.test.ts. */

let all: SdkHouse;
beforeAll(async () => {
  all = await startSdkHouse();
});
afterAll(() => all.stop());

const open = async (): Promise<SdkScene & { readonly nango: Nango }> => {
  const scene = await all.scene();
  return { ...scene, nango: backEnd(all, scene) };
};

const sentence = expect.stringMatching(/\w+ \w+/);

describe("providers", () => {
  test("listProviders, all and those that were searched", async () => {
    const { nango } = await open();

    expect((await nango.listProviders({})).data.map(({ name }) => name)).toEqual(
      Object.values(integrations).toSorted(),
    );
    expect((await nango.listProviders({ search: "gitlab" })).data).toMatchObject([{ auth_mode: "API_KEY" }]);
  });

  test("getProvider", async () => {
    const { nango } = await open();
    const { data } = await nango.getProvider({ provider: "toggl" });

    expect(data).toMatchObject({
      name: "toggl",
      display_name: "Toggl Track",
      auth_mode: "BASIC",
      credentials: { username: { type: "string" }, password: { type: "string", secret: true } },
    });
    expect(await refused(nango.getProvider({ provider: "nobody" }))).toEqual([404, "not_found", sentence]);
  });
});

describe("integrations", () => {
  test("listIntegrations finds them under `data`, and calls them `configs`", async () => {
    const { nango, app } = await open();
    const { configs } = await nango.listIntegrations();

    expect(configs.map(({ unique_key: key }) => key)).toEqual(Object.values(integrations));
    expect(fieldsOf((await app.get("/integrations")).json())).toEqual({ data: configs });
  });

  test("createIntegration, updateIntegration, getIntegration, deleteIntegration", async () => {
    const { nango } = await open();

    expect((await nango.createIntegration({ provider: "toggl", unique_key: "mine" })).data).toMatchObject({
      unique_key: "mine",
      provider: "toggl",
      display_name: "Toggl Track",
    });
    expect(
      (await nango.updateIntegration({ uniqueKey: "mine" }, { display_name: "Time", unique_key: "ours" }))
        .data,
    ).toMatchObject({ unique_key: "ours", display_name: "Time" });
    // Of a list the SDK sends the last only.
    const read = await nango.getIntegration({ uniqueKey: "ours" }, { include: ["webhook", "credentials"] });
    expect(read.data).toMatchObject({ unique_key: "ours", credentials: null });
    expect((await nango.deleteIntegration("ours")).data).toEqual({ success: true });
    expect(await refused(nango.getIntegration({ uniqueKey: "ours" }))).toEqual([404, "not_found", sentence]);
    expect(await refused(nango.createIntegration({ provider: "nobody", unique_key: "x" }))).toEqual([
      400,
      "invalid_body",
      sentence,
    ]);
  });
});

describe("connections", () => {
  test("listConnections by the filters of its newer form", async () => {
    const { nango, link } = await open();
    const one = await link({ end_user: { id: "u-1", email: "a@example.com", display_name: "Ada" } });
    const two = await link({ tags: { Project: "Alpha" } });
    const ids = async (wanted: Parameters<Nango["listConnections"]>[0]): Promise<readonly string[]> =>
      (await nango.listConnections(wanted)).connections.map(({ connection_id: id }) => id);

    expect(await ids({})).toEqual([two, one]);
    expect(await ids({ connectionId: one })).toEqual([one]);
    expect(await ids({ userId: "u-1" })).toEqual([one]);
    expect(await ids({ integrationId: ["toggl", "gitlab-token"] })).toEqual([two, one]);
    expect(await ids({ integrationId: "gitlab-token" })).toEqual([]);
    expect(await ids({ tags: { displayName: "Ada", email: "a@example.com" } })).toEqual([one]);
    expect(await ids({ tags: { PROJECT: "Alpha" } })).toEqual([two]);
    expect(await ids({ limit: 1 })).toEqual([two]);
    // The SDK sends it, and its types have forgotten it.
    const second = { limit: 1, page: 1 };
    expect(await ids(second)).toEqual([one]);
  });

  test("listConnections by its older form", async () => {
    const { nango, link } = await open();
    const one = await link({ end_user: { id: "u-1" }, organization: { id: "o-1" } });
    const two = await link();
    const ids = async (...wanted: readonly [string?, string?, object?]): Promise<readonly string[]> =>
      (await nango.listConnections(...wanted)).connections.map(({ connection_id: id }) => id);

    expect(await ids()).toEqual([two, one]);
    expect(await ids(two)).toEqual([two]);
    expect(await ids(undefined, one.slice(0, 13))).toEqual([one]);
    expect(await ids(undefined, undefined, { endUserId: "u-1" })).toEqual([one]);
    expect(await ids(undefined, undefined, { endUserOrganizationId: "o-1" })).toEqual([one]);
    expect(await ids(undefined, undefined, { limit: 1, page: 1 })).toEqual([one]);
  });

  test("getConnection, whatever it asks to be refreshed", async () => {
    const { nango, link } = await open();
    const id = await link({ end_user: { id: "u-1" } });

    for (const flags of [[], [true, true, true], [false, true]]) {
      expect(await nango.getConnection("toggl", id, ...flags)).toMatchObject({
        connection_id: id,
        provider_config_key: "toggl",
        provider: "toggl",
        errors: [],
        end_user: { id: "u-1" },
        credentials: { type: "BASIC", ...basic },
      });
    }
    expect(await refused(nango.getConnection("toggl", "nope"))).toEqual([404, "not_found", sentence]);
    expect(await refused(nango.getConnection("nope", id))).toEqual([
      400,
      "unknown_provider_config",
      sentence,
    ]);
  });

  test("getToken and getRawTokenResponse, for Basic and for an API key", async () => {
    const { nango, link, session } = await open();
    const id = await link();
    const path = `/api-auth/api-key/gitlab-token?connect_session_token=${await session()}`;
    const linked = fieldsOf((await all.house.send("POST", path, { json: { apiKey } })).json());

    expect(await nango.getToken("toggl", id)).toEqual({ type: "BASIC", ...basic });
    expect(await nango.getRawTokenResponse("toggl", id)).toBeUndefined();
    expect(await nango.getToken("gitlab-token", String(linked["connectionId"]))).toEqual({
      type: "API_KEY",
      apiKey,
    });
  });

  test("setMetadata, updateMetadata, getMetadata, of one and of several", async () => {
    const { nango, link } = await open();
    const ids = [await link(), await link()];

    expect((await nango.setMetadata("toggl", ids, { a: 1, b: { c: [true] } })).status).toBe(201);
    expect((await nango.updateMetadata("toggl", ids[0] ?? "", { b: 2 })).data).toEqual({
      connection_id: ids[0],
      provider_config_key: "toggl",
      metadata: { b: 2 },
    });
    expect(await nango.getMetadata("toggl", ids[0] ?? "")).toEqual({ a: 1, b: 2 });
    expect(await nango.getMetadata("toggl", ids[1] ?? "")).toEqual({ a: 1, b: { c: [true] } });
    expect(await refused(nango.setMetadata("toggl", "nope", {}))).toEqual([
      404,
      "unknown_connection",
      sentence,
    ]);
  });

  test("patchConnection", async () => {
    const { nango, link } = await open();
    const id = await link({ tags: { old: "1" } });
    const named = { connectionId: id, provider_config_key: "toggl" };

    expect(await nango.patchConnection(named, { end_user: { id: "u-2" }, tags: { now: "2" } })).toEqual({
      success: true,
    });
    expect(await nango.getConnection("toggl", id)).toMatchObject({ end_user: { id: "u-2" } });
    expect(fieldsOf(await nango.getConnection("toggl", id))["tags"]).toMatchObject({ now: "2" });
  });

  test("deleteConnection, which says that its empty body is JSON", async () => {
    const { nango, link } = await open();
    const id = await link();

    expect((await nango.deleteConnection("toggl", id)).data).toEqual({ success: true });
    expect(await refused(nango.getConnection("toggl", id))).toEqual([404, "not_found", sentence]);
    expect(await refused(nango.deleteConnection("toggl", id))).toEqual([400, "unknown_connection", sentence]);
  });

  test("ids with the signs that the original allows, in the path as the SDK writes them", async () => {
    const { nango, app } = await open();
    for (const id of ["ada@example.com", "a/b/c", "a b", "x:y;z=1,2+~", "metadata"]) {
      const credentials = { type: "BASIC", ...basic };
      await app.post("/connections", { connection_id: id, provider_config_key: "toggl", credentials });

      expect((await nango.getConnection("toggl", id)).connection_id).toBe(id);
      expect((await nango.deleteConnection("toggl", id)).data).toEqual({ success: true });
    }
  });
});

describe("connect sessions", () => {
  test("createConnectSession, with the deprecated fields beside the tags", async () => {
    const { nango } = await open();
    const { data } = await nango.createConnectSession({
      end_user: { id: "u-1", email: "a@example.com", display_name: "Ada", tags: { plan: "free" } },
      organization: { id: "o-1", display_name: "Org" },
      tags: { project: "alpha" },
      allowed_integrations: ["toggl"],
      integrations_config_defaults: { toggl: { connection_config: {} } },
    });

    expect(data).toEqual({
      token: expect.stringMatching(/^nango_connect_session_[0-9a-f]{64}$/),
      connect_link: `${all.house.config.origin.origin}/connect/#session_token=${data.token}`,
      expires_at: new Date(all.house.clock.now() + 30 * 60_000).toISOString(),
    });
    expect(await refused(nango.createConnectSession({ tags: {}, allowed_integrations: ["nope"] }))).toEqual([
      400,
      "invalid_body",
      sentence,
    ]);
  });

  test("createReconnectSession", async () => {
    const { nango, link } = await open();
    const wanted = { connection_id: await link(), integration_id: "toggl" };

    expect((await nango.createReconnectSession(wanted)).data.token).toMatch(/^nango_connect_session_/);
    expect(await refused(nango.createReconnectSession({ ...wanted, connection_id: "nope" }))).toEqual([
      400,
      "invalid_body",
      sentence,
    ]);
  });

  test("waitForConnection finds one by its end user, and one that has nothing but the tag of it", async () => {
    const { nango, link } = await open();
    const early = await link({ tags: { end_user_id: "early" } });
    const ids = [await link({ end_user: { id: "u-1" } }), await link({ tags: { end_user_id: "u-2" } })];

    // The SDK looks at once, and then every ten seconds, which is its own affair.
    expect((await nango.waitForConnection("toggl", "early")).connection_id).toBe(early);
    const found = await Promise.all(["u-1", "u-2"].map((user) => nango.waitForConnection("toggl", user)));
    expect(found.map(({ connection_id: id }) => id)).toEqual(ids);
    await expect(
      nango.waitForConnection("toggl", "nobody", { signal: AbortSignal.timeout(100) }),
    ).rejects.toThrow("aborted");
  });
});
