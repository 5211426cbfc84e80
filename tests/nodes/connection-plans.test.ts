import { createQueryId, sql, type RootOperationNode } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import type { Store } from "#kernel/db/store.ts";
import { connectionByKeys } from "../../src/connect/store/connections.ts";
import {
  countConnections,
  eraseSomeConnections,
  nextDeleted,
} from "../../src/connect/store/delete-integrations.ts";
import { insertIntegration } from "../../src/connect/store/integrations.ts";
import {
  integrationsLinkedBy,
  listConnections,
  type ConnectionFilter,
} from "../../src/connect/store/list-connections.ts";
import { providerWait } from "../../src/connect/store/provider-waits.ts";
import type { Queries } from "../../src/connect/store/tables.ts";
import { insertConnection } from "../../src/connect/store/write-connections.ts";
import { startHouse, stopHouses } from "../support/house.ts";

afterAll(stopHouses);

const environment = 1;
const many = 1200;

/** One integration with many connections, of which each person has two and each tag a few. */
const fill = async (store: Store): Promise<number> => {
  const made = await insertIntegration(
    store.query,
    {
      environmentId: environment,
      uniqueKey: "toggl",
      provider: "toggl",
      displayName: null,
      forwardWebhooks: true,
      config: {},
      sealedConfig: null,
      configVersion: 1,
    },
    0,
  );
  const integrationId = made?.id ?? 0;
  await store.transaction(async ({ query }) => {
    for (let n = 0; n < many; n++) {
      const person = `user-${Math.floor(n / 2)}`;
      const draft = {
        environmentId: environment,
        integrationId,
        connectionId: `connection-${n}`,
        shape: "token",
        sealed: "",
        sealedVersion: 1,
        config: {},
        metadata: {},
        endUser: null,
        tags: { end_user_id: person, organization_id: "org", plan: n % 3 === 0 ? "free" : "paid" },
        webhookUrlOverride: null,
        account: null,
        state: "live" as const,
        stateReason: null,
        origin: "https://example.com",
        lastVerifiedAt: null,
      };
      await insertConnection(query, draft, 0);
    }
  });
  return integrationId;
};

/** How the store goes about each statement of some work. */
const plansOf = async (
  store: Store,
  work: (query: Queries) => Promise<unknown>,
): Promise<readonly string[]> => {
  const asked: RootOperationNode[] = [];
  await work(
    store.query.withPlugin({
      transformQuery: ({ node }) => (asked.push(node), node),
      transformResult: async ({ result }) => result,
    }),
  );
  return store.query.transaction().execute(async (query) => {
    // Of so few rows PostgreSQL would rather read all: the question is whether it has to.
    if (store.kind === "postgres") await sql`set local enable_seqscan = off`.execute(query);
    const plans: string[] = [];
    for (const node of asked.slice()) {
      const { sql: text, parameters } = query.getExecutor().compileQuery(node, createQueryId());
      const explained = sql`${sql.raw(store.kind === "sqlite" ? "explain query plan" : "explain")} ${sql.raw(text)}`;
      const { rows } = await query.executeQuery<Record<string, unknown>>({
        ...explained.compile(query),
        parameters,
      });
      plans.push(rows.map((row) => String(row["detail"] ?? row["QUERY PLAN"])).join("\n"));
    }
    return plans;
  });
};

const whole = /SCAN (?!CONSTANT)|Seq Scan|TEMP B-TREE FOR ORDER BY/;

const all = { limit: 100, page: 0 };
const lists: readonly (readonly [string, ConnectionFilter, number])[] = [
  ["everything", { ...all, limit: 10_000 }, many],
  ["a page far behind", { limit: 2, page: 500 }, 2],
  ["an id", { ...all, connectionId: "connection-7" }, 1],
  ["a person", { ...all, endUserId: "user-7" }, 2],
  ["an organization", { ...all, organizationId: "org", page: 10 }, 100],
  ["an integration", { ...all, integrationKeys: ["toggl"], page: 10 }, 100],
  ["no integration", { ...all, integrationKeys: ["other"] }, 0],
  ["the tag of a person", { ...all, tags: { end_user_id: "user-7" } }, 2],
  ["a tag of many", { ...all, tags: { plan: "free" }, page: 3 }, 100],
  ["two tags", { ...all, tags: { plan: "free", end_user_id: "user-3" } }, 1],
  ["a tag of an integration", { ...all, tags: { plan: "free" }, integrationKeys: ["toggl"] }, 100],
  ["what few have in the middle of a word", { ...all, search: "NECTION-44" }, 11],
  ["what nobody has", { ...all, search: "100%" }, 0],
];

describe("connections", () => {
  test("are listed and found by an index, whatever is asked for", async () => {
    const { inside, clock } = await startHouse();
    const { store } = inside;
    const integrationId = await fill(store);
    for (const [name, filter, count] of lists) {
      const found: number[] = [];
      const plans = await plansOf(store, async (query) =>
        found.push(...(await listConnections(query, environment, filter)).map(({ id }) => id)),
      );
      expect([name, found.length]).toEqual([name, Math.min(count, filter.limit)]);
      expect(found).toEqual(found.toSorted((a, b) => b - a));
      for (const plan of plans) expect([name, plan]).toEqual([name, expect.not.stringMatching(whole)]);
    }

    const others: readonly (readonly [string, (query: Queries) => Promise<unknown>])[] = [
      ["one by its keys", (query) => connectionByKeys(query, environment, "toggl", "connection-9")],
      ["what a person has linked", (query) => integrationsLinkedBy(query, environment, "user-7")],
      ["how many there are", (query) => countConnections(query, integrationId)],
      ["what is to be erased", (query) => nextDeleted(query)],
      ["a wait", (query) => providerWait(query, { integrationId, origin: "https://a" }, clock.now())],
      ["a piece of them", (query) => eraseSomeConnections(query, integrationId, 250)],
    ];
    for (const [name, work] of others) {
      for (const plan of await plansOf(store, work)) {
        expect([name, plan]).toEqual([name, expect.not.stringMatching(whole)]);
      }
    }
  });

  test("of another environment with the same tag are not walked over", async () => {
    const { store } = (await startHouse()).inside;
    await fill(store);
    const filter = { ...all, tags: { plan: "free" } };
    const plans = await plansOf(store, (query) => listConnections(query, environment + 1, filter));
    expect(await listConnections(store.query, environment + 1, filter)).toEqual([]);
    for (const plan of plans) expect(plan).not.toMatch(whole);
  });
});
