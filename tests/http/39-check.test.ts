import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { second } from "#kernel/clock.ts";
import { codeOf, connectClient, done, environmentKey, refusalOf } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import {
  byToken,
  identityOf,
  newHolder,
  openLinkScene,
  shownAccount,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { vaulted, writeProviders } from "../support/provider-files.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Script, type Upstream } from "../support/upstream.ts";

/** An app asks whether the credentials that are kept still work. */

let provider: Upstream;
/** Listed as well, and somebody else's. */
let other: Upstream;
let house: TestHouse;
beforeAll(async () => {
  [provider, other] = await Promise.all([startUpstream(), startUpstream()]);
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: `${provider.origin},${other.origin}` });
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([provider.stop(), other.stop()]);
});

let scene: LinkScene;
let holder: Holder;
let connection: string;
beforeEach(async () => {
  scene = await openLinkScene(house, provider);
  holder = newHolder();
  scene.answers(toggl(holder));
  connection = await scene.link(holder);
  await scene.told();
});

const named = () => ({ connection_id: connection, provider_config_key: scene.integration });
const verify = () => scene.app.post("/connections/verify", named());

const timeOf = (at: number): string => new Date(at).toISOString();

describe("POST /connections/verify", () => {
  test("asks the provider, and says what it says", async () => {
    house.clock.advance(60_000);
    const before = scene.asked().length;
    const reply = await verify();

    expect([reply.status, reply.json()]).toEqual([
      200,
      {
        connection_id: connection,
        provider_config_key: scene.integration,
        state: "live",
        state_reason: null,
        last_verified_at: timeOf(house.clock.now()),
        account: shownAccount(holder),
      },
    ]);
    expect(scene.asked()).toHaveLength(before + 1);
    // What goes on as before is nothing to tell.
    expect(await scene.told()).toEqual([]);
  });

  test("finds out that they stopped working, and that they work again, and tells each once", async () => {
    const linkedAt = house.clock.now();
    scene.answers({ status: 403 });
    house.clock.advance(60_000);
    for (const times of [1, 2, 3]) {
      expect([times, await done(verify())]).toEqual([
        times,
        {
          ...named(),
          state: "failing",
          state_reason: "credentials_refused",
          last_verified_at: timeOf(linkedAt),
          account: shownAccount(holder),
        },
      ]);
    }
    expect(await scene.read(connection)).toMatchObject({
      state: "failing",
      state_reason: "credentials_refused",
      errors: [{ type: "auth", log_id: "credentials_refused" }],
      // An app that wants to see what does not work may.
      credentials: { username: holder.token },
    });
    expect(await scene.told()).toMatchObject([
      {
        event: "connection.failing",
        operation: "refresh",
        success: false,
        connectionId: connection,
        error: { type: "credentials_refused", description: "The provider refuses the credentials." },
        state: "failing",
        stateReason: "credentials_refused",
        account: shownAccount(holder),
      },
    ]);

    scene.answers(toggl(holder));
    for (const times of [1, 2]) {
      expect([times, await done(verify())]).toMatchObject([
        times,
        { state: "live", state_reason: null, last_verified_at: timeOf(house.clock.now()) },
      ]);
    }
    expect(await scene.told()).toMatchObject([
      {
        event: "connection.recovered",
        operation: "refresh",
        success: true,
        state: "live",
        stateReason: null,
      },
    ]);
    expect(await scene.read(connection)).toMatchObject({ state: "live", errors: [] });
  });

  test.each<readonly [string, Script, number, string, string | undefined]>([
    [
      "out of quota",
      { status: 402, headers: { "x-toggl-quota-resets-in": "77" } },
      402,
      "provider_quota",
      "77",
    ],
    ["busy", { status: 429, headers: { "retry-after": "5" } }, 429, "provider_rate_limited", "5"],
    ["down", { status: 500 }, 502, "provider_unavailable", undefined],
    ["cut off", { instead: "reset" }, 502, "provider_unavailable", undefined],
    ["somebody else", { body: "<h1>Hello</h1>" }, 502, "unexpected_answer", undefined],
    [
      "elsewhere",
      { status: 302, headers: { location: "http://127.0.0.2/" } },
      400,
      "address_refused",
      undefined,
    ],
  ])("knows nothing new while the provider is %s", async (_name, script, status, code, wait) => {
    for (const state of ["live", "failing"]) {
      scene.answers(script);
      const reply = await verify();
      expect([state, ...codeOf(reply)]).toEqual([state, status, code]);
      expect(reply.headers["retry-after"]).toBe(wait);
      expect(await scene.read(connection)).toMatchObject({ state });
      house.clock.advance(Number(wait ?? 0) * second);
      scene.answers({ status: 403 });
      expect(await done(verify())).toMatchObject({ state: "failing" });
    }
    expect(await scene.told()).toMatchObject([{ event: "connection.failing" }]);
  });

  test("learns what the account is called now, and takes no other account for it", async () => {
    scene.answers({
      body: JSON.stringify({ ...identityOf(holder), fullname: "Ada Lovelace", email: "new@example.com" }),
    });
    const renamed = { ...shownAccount(holder), name: "Ada Lovelace", email: "new@example.com" };
    expect(await done(verify())).toMatchObject({ account: renamed });
    scene.answers({ body: JSON.stringify({ ...identityOf(newHolder()), api_token: holder.token }) });

    expect(await done(verify())).toMatchObject({ state: "live", account: renamed });
    expect(await scene.read(connection)).toMatchObject({ account: renamed });
  });

  test("sends credentials nowhere but where they were accepted", async () => {
    other.answers("/api/v9/me", toggl(holder));
    const before = scene.asked().length;
    const at = (base_url: string) =>
      done(scene.app.patch(`/integrations/${scene.integration}`, { integration_config: { base_url } }));
    await at(other.origin);
    expect(await scene.read(connection)).toMatchObject({ state: "failing", state_reason: "origin_changed" });
    for (const times of [1, 2]) {
      expect([times, await done(verify())]).toMatchObject([
        times,
        { state: "failing", state_reason: "origin_changed" },
      ]);
    }

    expect(other.asked).toEqual([]);
    expect(scene.asked()).toHaveLength(before);
    expect(await scene.told()).toMatchObject([
      { event: "connection.failing", error: { type: "origin_changed" } },
    ]);
    await at(`${provider.origin}/at-${scene.environment}`);
    expect(await done(verify())).toMatchObject({ state: "live" });
    expect(await scene.told()).toMatchObject([{ event: "connection.recovered" }]);
  });

  test("answers what is not there as recorded, and takes nothing else", async () => {
    for (const [change, told] of [
      [{ connection_id: "nope" }, [404, "not_found"]],
      [{ provider_config_key: "nope" }, [400, "unknown_provider_config"]],
      [{ connection_id: undefined }, [400, "invalid_body"]],
      [{ state: "live" }, [400, "invalid_body"]],
    ] as const) {
      expect(codeOf(await scene.app.post("/connections/verify", { ...named(), ...change }))).toEqual(told);
    }
    expect(codeOf(await scene.app.post("/connections/verify?x=1", named()))).toEqual([
      400,
      "invalid_query_params",
    ]);
    const reader = connectClient(
      house,
      await environmentKey(house, scene.environment, ["environment:connections:read"]),
    );
    expect(codeOf(await reader.post("/connections/verify", named()))).toEqual([403, "forbidden"]);
  });

  test("brings back nothing that was revoked", async () => {
    await sql`update connections set state = 'revoked' where connection_id = ${connection}`.execute(
      house.inside.store.query,
    );
    const before = scene.asked().length;

    expect(codeOf(await verify())).toEqual([424, "connection_failing"]);
    expect(scene.asked()).toHaveLength(before);
  });
});

describe("a provider's file", () => {
  test("that is gone: nothing is asked, nothing is lost, and what there is can be read and deleted", async () => {
    const files = await writeProviders({ vaulted });
    try {
      const mine = await startHouse(
        { LATCHKEY_OUTBOUND_ALLOW: provider.origin },
        { providers: files.folder },
      );
      const here = await openLinkScene(mine, provider);
      here.answers(toggl(holder));
      const id = await here.link(holder);
      const session = await here.session();
      await files.remove("toggl");
      const again = await mine.restart();
      const app = connectClient(again, await environmentKey(again, here.environment));
      const name = { connection_id: id, provider_config_key: here.integration };
      const credentials = { type: "BASIC", username: holder.token, password: "api_token" };

      for (const reply of [
        await app.post("/connections/verify", name),
        await app.post("/connections", { provider_config_key: here.integration, credentials }),
        await again.send(
          "POST",
          `/api-auth/basic/${here.integration}?connect_session_token=${session}`,
          byToken(holder),
        ),
        await app.send("GET", "/proxy/api/v9/me", {
          headers: { "connection-id": id, "provider-config-key": here.integration },
        }),
      ]) {
        expect(refusalOf(reply)).toEqual([
          404,
          "unknown_provider_template",
          "The provider of this integration is not in the catalogue",
        ]);
      }
      expect(here.asked()).toHaveLength(1);
      const path = `/connections/${id}?provider_config_key=${here.integration}`;
      expect(await done(app.get(path))).toMatchObject({ state: "live", credentials });
      expect((await app.get(`/integrations/${here.integration}`)).status).toBe(200);
      expect((await app.delete(path)).status).toBe(200);
    } finally {
      await files.clear();
    }
  });

  test("that asks for more than before: what was linked says so, and is linked anew with it", async () => {
    const less = vaulted.replace(/ {2}passphrase: .*\n/, "").replace(/ {2}x-passphrase: .*\n/, "");
    const [before, after] = [await writeProviders({ vaulted: less }), await writeProviders({ vaulted })];
    try {
      const mine = await startHouse(
        { LATCHKEY_OUTBOUND_ALLOW: provider.origin },
        { providers: before.folder },
      );
      const here = await openLinkScene(mine, provider, { provider: "vaulted", path: "/me" });
      here.answers({ body: '{"id":"v"}' });
      const submit = (at: TestHouse, session: string, query: string) =>
        at.send("POST", `/api-auth/api-key/${here.integration}?connect_session_token=${session}${query}`, {
          json: { apiKey: "a key of many letters" },
        });
      const linked = await done(submit(mine, await here.session(), "&params[region]=eu"));
      const again = await mine.restart({}, { providers: after.folder });
      const app = connectClient(again, await environmentKey(again, here.environment));
      const id = String(linked["connectionId"]);
      const name = { connection_id: id, provider_config_key: here.integration };
      const headers = { "connection-id": id, "provider-config-key": here.integration };

      for (const reply of [
        await app.post("/connections/verify", name),
        await app.send("GET", "/proxy/me", { headers }),
      ]) {
        expect(refusalOf(reply)).toEqual([
          424,
          "connection_failing",
          "No call can be made through this connection: Passphrase is missing",
        ]);
      }
      const { data } = await done(
        app.post("/connect/sessions/reconnect", { connection_id: id, integration_id: here.integration }),
      );
      const session = String(fieldsOf(data)["token"]);
      expect(refusalOf(await submit(again, session, "")).slice(3)).toEqual([
        [["params", "passphrase"], "required"],
      ]);
      expect((await submit(again, session, "&params[passphrase]=open%20sesame")).status).toBe(200);
      expect(await done(app.post("/connections/verify", name))).toMatchObject({ state: "live" });
    } finally {
      await Promise.all([before.clear(), after.clear()]);
    }
  });
});
