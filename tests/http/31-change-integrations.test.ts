import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import {
  auditLines,
  codeOf,
  connectClient,
  done,
  environmentKey,
  linkAccount,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** An integration is changed, or taken away, with or without accounts that were linked through it. */

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

describe("PATCH /integrations/{key}", () => {
  test("changes what is named, and nothing else", async () => {
    const key = await made({ integration_config: { base_url: upstream.origin } });
    const before = await dataOf(key);
    house.clock.advance(1000);
    const reply = await app.patch(`/integrations/${key}`, { display_name: "Hours" });

    const after = { ...before, display_name: "Hours", updated_at: new Date(house.clock.now()).toISOString() };
    expect([reply.status, reply.json()]).toEqual([200, { data: after }]);
    expect(await dataOf(key)).toEqual(after);
    expect((await auditOf(key)).at(-1)).toEqual(["integration_changed", "key", "dev", "key"]);
  });

  test("changes single settings, and takes them away with null", async () => {
    const key = await made({ integration_config: { base_url: upstream.origin, keep_password: true } });
    const set = async (config: object) => {
      await done(app.patch(`/integrations/${key}`, { integration_config: config }));
      return (await dataOf(key))["integration_config"];
    };

    expect(await set({ keep_password: false })).toEqual({ base_url: upstream.origin, keep_password: false });
    expect(await set({ base_url: null })).toEqual({ keep_password: false });
    expect(await set({ keep_password: null })).toBeUndefined();
  });

  test("gives it another key while nothing is linked", async () => {
    const [key, other, next] = [await made(), await made(), newKey()];

    expect(refusalOf(await app.patch(`/integrations/${key}`, { unique_key: other })).slice(0, 3)).toEqual([
      400,
      "invalid_body",
      "uniqueKey: Unique key already exists",
    ]);
    await done(app.patch(`/integrations/${key}`, { unique_key: next }));
    expect(codeOf(await app.get(`/integrations/${key}`))).toEqual([404, "not_found"]);
    expect(await dataOf(next)).toMatchObject({ unique_key: next });
    // The same key again is no change of it.
    await done(app.patch(`/integrations/${next}`, { unique_key: next }));
  });

  test("refuses what can't be changed, and changes nothing", async () => {
    const key = await made();
    const before = await dataOf(key);
    for (const body of [{ provider: "latchkey" }, { display_name: 1 }, { unique_key: null }, { id: 1 }]) {
      expect(codeOf(await app.patch(`/integrations/${key}`, body))).toEqual([400, "invalid_body"]);
    }
    expect(await dataOf(key)).toEqual(before);
    expect(codeOf(await app.patch("/integrations/nope", {}))).toEqual([404, "not_found"]);
  });
});

describe("with a connection", () => {
  const linked = async () => {
    const key = newKey();
    await done(app.post("/integrations", { provider: "latchkey", unique_key: key }));
    const person = await house.person();
    const connection = await linkAccount(house, app, {
      integration: key,
      username: await house.tokenOf(person),
      password: "api_token",
    });
    const read = () => done(app.get(`/connections/${connection}?provider_config_key=${key}`));
    return { key, connection, read };
  };

  test("an integration keeps its key", async () => {
    const { key, read } = await linked();

    expect(refusalOf(await app.patch(`/integrations/${key}`, { unique_key: newKey() }))[3]).toEqual([
      ["unique_key"],
      "custom",
    ]);
    expect(await read()).toMatchObject({ provider_config_key: key });
  });

  test("another base_url stops what was linked at the former one", async () => {
    const { key, read } = await linked();
    expect(await read()).toMatchObject({ state: "live", errors: [] });
    await done(app.patch(`/integrations/${key}`, { display_name: "Hours" }));
    expect(await read()).toMatchObject({ state: "live" });

    await done(app.patch(`/integrations/${key}`, { integration_config: { base_url: upstream.origin } }));

    const failing = {
      state: "failing",
      state_reason: "origin_changed",
      errors: [{ type: "auth", log_id: "origin_changed" }],
    };
    expect(await read()).toMatchObject(failing);
    // Going back is not enough: somebody has to look first whether the credentials still work.
    await done(app.patch(`/integrations/${key}`, { integration_config: { base_url: null } }));
    expect(await read()).toMatchObject(failing);
    expect(upstream.asked).toEqual([]);
  });

  test("an integration is deleted with its connections and their credentials", async () => {
    const { key, connection } = await linked();
    const kept = await linked();
    const reply = await app.delete(`/integrations/${key}`);

    expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
    expect(codeOf(await app.get(`/integrations/${key}`))).toEqual([404, "not_found"]);
    expect(codeOf(await app.get(`/connections/${connection}?provider_config_key=${key}`))).toEqual([
      400,
      "unknown_provider_config",
    ]);
    const { rows } = await sql`select id from connections where connection_id = ${connection}`.execute(
      house.inside.store.query,
    );
    expect(rows).toEqual([]);
    expect((await auditOf(key)).at(-1)).toEqual(["integration_deleted", "key", "dev", "key"]);
    expect(codeOf(await app.delete(`/integrations/${key}`))).toEqual([404, "not_found"]);
    expect(await kept.read()).toMatchObject({ connection_id: kept.connection });
  });
});
