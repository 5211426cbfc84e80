import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type App } from "../support/webhooks.ts";

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
beforeEach(async () => {
  const scene = await openScene(house, receiver);
  ({ app } = scene);
  await setUpWebhooks(app, { primary_url: scene.hook, secondary_url: `${scene.hook}/2` });
  await bringMany("crowded", many);
  await bringMany("other", 1);
});

const bringMany = async (integration: string, count: number): Promise<void> => {
  const config = { base_url: receiver.origin };
  const body = { provider: "toggl", unique_key: integration, integration_config: config };
  expect((await app.send("POST", "/integrations", { json: body })).status).toBe(200);
  const brought = await app.send("POST", "/connections", {
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
    house.inside.store.query,
  );
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
  test("is deleted with all of them, and the app is told of each at both addresses", async () => {
    expect(await connectionsOf("crowded")).toHaveLength(many);
    expect((await app.send("DELETE", "/integrations/crowded")).status).toBe(200);

    expect(await connectionsOf("crowded")).toEqual([]);
    expect((await app.send("GET", "/integrations/crowded")).status).toBe(404);
    expect(await told("connection.deleted")).toBe(2 * many);
    expect(await connectionsOf("other")).toHaveLength(1);
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
    expect(await told("connection.deleted")).toBe(2 * many);
  });
});
