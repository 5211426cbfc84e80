import { sql } from "kysely";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { auditLines, connectClient, connectSession } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type App, type Scene } from "../support/webhooks.ts";

/** An integration with more connections than one transaction, or one statement, takes. */

const many = 510;

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

let app: App;
let arrived: Scene["arrived"];
let environment: string;
let environmentId: number;
beforeEach(async () => {
  const scene = await openScene(house, receiver);
  ({ app, arrived, environment, environmentId } = scene);
  await setUpWebhooks(app, { primary_url: scene.hook, secondary_url: `${scene.hook}/2` });
  await bringMany("crowded", many);
  await bringMany("other", 1);
});

const bringMany = async (integration: string, count: number, at = { house, app }): Promise<void> => {
  const config = { base_url: receiver.origin };
  const body = { provider: "toggl", unique_key: integration, integration_config: config };
  expect((await at.app.send("POST", "/integrations", { json: body })).status).toBe(200);
  const brought = await at.app.send("POST", "/connections", {
    json: {
      provider_config_key: integration,
      connection_id: "one",
      credentials: { type: "BASIC", username: "0".repeat(32), password: "api_token" },
      verify: false,
    },
  });
  const row = Number(fieldsOf(brought.json())["id"]);
  // Copies of a row: what is sealed in it opens for none of them, and nobody opens it here.
  const columns = sql.raw(
    "environment_id, integration_id, shape, sealed, sealed_version, config, metadata, search_text, state, origin, created_at, updated_at",
  );
  await sql`
    with recursive numbers(n) as (select 2 union all select n + 1 from numbers where n < ${sql.lit(count)})
    insert into connections (connection_id, ${columns})
    select 'copy-' || n, ${columns} from connections, numbers where id = ${row} and n <= ${sql.lit(count)}`.execute(
    at.house.inside.store.query,
  );
};

/** What is kept, whether somebody may find it or not: of the scene's environment, or of all of a house. */
const rowsIn = async (table: "connections" | "integrations", other?: TestHouse): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
    where ${other ? sql`environment_id > 2` : sql`environment_id = ${environmentId}`}`.execute(
    (other ?? house).inside.store.query,
  );
  return Number(rows[0]?.count);
};

const connectionsOf = async (integration: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const { connections } = await app.ask("GET", `/connections?integrationId=${integration}`);
  return listOf(connections);
};

const told = async (event: string): Promise<number> => {
  let count = 0;
  let before: string | null = "";
  while (before !== null) {
    const query: string = before === "" ? "" : `&before=${before}`;
    const { data, next } = await app.ask("GET", `/environment/webhooks/deliveries?limit=100${query}`);
    count += listOf(data).filter((delivery) => delivery["event"] === event).length;
    before = typeof next === "string" ? next : null;
  }
  return count;
};

describe("An integration with many connections", () => {
  test("is deleted for all who ask at once, and erased later; the app is told once at both addresses", async () => {
    expect(await connectionsOf("crowded")).toHaveLength(many);
    const session = await connectSession(connectClient(house, app.key));
    expect((await app.send("DELETE", "/integrations/crowded")).status).toBe(200);

    expect(await rowsIn("connections")).toBe(many + 1);
    expect(await connectionsOf("crowded")).toEqual([]);
    const all = await app.ask("GET", "/connections?search=copy");
    expect(all).toEqual({ connections: [] });
    expect((await app.send("GET", "/integrations/crowded")).status).toBe(404);
    const named = "provider_config_key=crowded";
    expect((await app.send("GET", `/connections/one?${named}`)).status).toBe(400);
    expect((await app.send("DELETE", `/connections/one?${named}`)).status).toBe(400);
    expect((await app.send("PATCH", `/connections/one?${named}`, { json: { tags: {} } })).status).toBe(400);
    const metadata = { connection_id: "one", provider_config_key: "crowded", metadata: { a: 1 } };
    expect((await app.send("POST", "/connections/metadata", { json: metadata })).status).toBe(404);
    const headers = { "provider-config-key": "crowded", "connection-id": "one" };
    expect((await app.send("GET", "/proxy/me", { headers })).status).toBe(404);
    const submitted = { json: { username: "0".repeat(32), password: "api_token" } };
    const submit = `/api-auth/basic/crowded?connect_session_token=${session}`;
    expect((await house.send("POST", submit, submitted)).status).toBe(404);
    expect(await told("connection.deleted")).toBe(0);
    expect(await told("integration.deleted")).toBe(2);

    await bringMany("crowded", 1);
    expect(await connectionsOf("crowded")).toHaveLength(1);
    house.clock.advance(minute);
    await house.inside.timetable.runDue();
    expect(await rowsIn("connections")).toBe(2);
    expect(await rowsIn("integrations")).toBe(2);
    expect(await connectionsOf("other")).toHaveLength(1);
  });

  test("says how many went with it", async () => {
    await app.send("DELETE", "/integrations/crowded");
    await app.send("DELETE", "/integrations/other");
    await house.inside.connect.webhooks.courier.deliverDue();

    const of = (event: string) =>
      arrived().flatMap(({ fields }) => (fields["event"] === event ? [fields] : []));
    expect(of("integration.deleted")).toEqual([
      {
        from: "nango",
        type: "integration",
        operation: "deletion",
        success: true,
        providerConfigKey: "crowded",
        provider: "toggl",
        authMode: "BASIC",
        environment,
        connections: many,
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        event: "integration.deleted",
        at: new Date(house.clock.now()).toISOString(),
      },
    ]);
    expect(of("connection.deleted")).toMatchObject([{ connectionId: "one", providerConfigKey: "other" }]);
    const deletions = (await auditLines(house)).filter(
      ({ event, details }) => event === "integration_deleted" && details["environment"] === environment,
    );
    expect(deletions.map(({ details }) => [details["integration"], details["connections"]])).toEqual([
      ["crowded", many],
      ["other", 1],
    ]);
  });

  test("is erased to its end by the next process, when one ends in the middle", async () => {
    const first = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
    const inFirst = await openScene(first, receiver);
    await bringMany("crowded", 10 * many, { house: first, app: inFirst.app });
    await inFirst.app.send("DELETE", "/integrations/crowded");
    first.clock.advance(minute);
    const erasing = first.inside.timetable.runDue();
    while ((await rowsIn("connections", first)) === 10 * many) await setImmediate();
    await first.inside.timetable.stop();
    await erasing;

    const second = await first.restart();
    second.clock.advance(minute);
    await second.inside.timetable.runDue();
    expect(await rowsIn("connections", second)).toBe(0);
    expect(await rowsIn("integrations", second)).toBe(0);
  });

  test("is erased to its end by another process, when one was killed in the middle, as soon as its lease has run out", async () => {
    const first = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
    const inFirst = await openScene(first, receiver);
    await bringMany("crowded", 4 * many, { house: first, app: inFirst.app });
    await inFirst.app.send("DELETE", "/integrations/crowded");
    first.clock.advance(minute);
    const erasing = first.inside.timetable.runDue();
    while ((await rowsIn("connections", first)) === 4 * many) await setImmediate();
    await first.inside.timetable.stop();
    await erasing;
    expect(await rowsIn("connections", first)).toBeGreaterThan(0);
    // Whoever is killed leaves its lease behind, and the pieces that it has committed.
    await first.inside.store.query
      .updateTable("jobs")
      .set({ leased_until: first.clock.now() + 10 * minute })
      .where("name", "=", "erase-integrations")
      .execute();

    const second = await first.restart();
    await second.inside.timetable.runDue();
    expect(await rowsIn("connections", second)).toBeGreaterThan(0);
    second.clock.advance(10 * minute);
    await second.inside.timetable.runDue();
    expect(await rowsIn("connections", second)).toBe(0);
    expect(await rowsIn("integrations", second)).toBe(0);
  });

  test("fails with all of them when its address changes, and the app is told of each", async () => {
    const json = { integration_config: { base_url: null } };
    expect((await app.send("PATCH", "/integrations/crowded", { json })).status).toBe(200);

    const states = new Set((await connectionsOf("crowded")).map((one) => one["state_reason"]));
    expect(states).toEqual(new Set(["origin_changed"]));
    expect(await told("connection.failing")).toBe(2 * many);
    expect(await connectionsOf("other")).toMatchObject([{ state: "live" }]);
  });

  test("is deleted by two at once as by one", async () => {
    const replies = await Promise.all([1, 2].map(() => app.send("DELETE", "/integrations/crowded")));
    const statuses = replies.map(({ status }) => status).toSorted((a, b) => a - b);

    expect([200, 404]).toEqual(expect.arrayContaining(statuses));
    expect(statuses[0]).toBe(200);
    expect(await connectionsOf("crowded")).toEqual([]);
    expect(await told("integration.deleted")).toBe(2);
  });
});
