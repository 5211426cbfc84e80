import { createQueryId, sql, type CompiledQuery } from "kysely";
import { afterAll, expect, test, vi } from "vitest";
import { day } from "#kernel/clock.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";

afterAll(stopHouses);

/** What the store is asked outside of transactions meanwhile. */
const askedDuring = async (
  { inside }: TestHouse,
  work: () => Promise<void>,
): Promise<readonly CompiledQuery[]> => {
  const executor = inside.store.query.getExecutor();
  const asked = vi.spyOn(executor, "executeQuery");
  try {
    await work();
    return asked.mock.calls.map(([query]) => query);
  } finally {
    asked.mockRestore();
  }
};

const planOf = (
  { inside: { store } }: TestHouse,
  { sql: text, parameters }: CompiledQuery,
): Promise<string> =>
  store.query.transaction().execute(async (query) => {
    // Of so few rows PostgreSQL would rather read all: the question is whether it has to.
    if (store.kind === "postgres") await sql`set local enable_seqscan = off`.execute(query);
    const explain = sql.raw(store.kind === "sqlite" ? "explain query plan" : "explain");
    const { rows } = await query.executeQuery<Record<string, unknown>>({
      ...sql`${explain} ${sql.raw(text)}`.compile(query),
      queryId: createQueryId(),
      parameters,
    });
    return rows.map((row) => String(row["detail"] ?? row["QUERY PLAN"])).join("\n");
  });

/** One row a job, of which there are a dozen, and one an environment. */
const isSmall = (text: string): boolean => /\b(from|update|into) "(jobs|webhook_settings)"/.test(text);

test("every chore finds what is due by an index, and writes nothing when there is nothing", async () => {
  const house = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "7" });
  await house.inside.timetable.runDue();
  house.clock.advance(day);
  const asked = await askedDuring(house, () => house.inside.timetable.runDue());
  const chores = asked.filter(({ sql: text }) => !isSmall(text));

  const purged = chores.flatMap(({ sql: text }) => /^delete from "(\w+)"/.exec(text)?.[1] ?? []);
  expect(purged.toSorted()).toEqual([
    "audit_events",
    "audit_events",
    "changes",
    "connect_sessions",
    "devices",
    "mail_codes",
    "provider_waits",
    "sessions",
    "sessions",
    "tries",
    "webhook_deliveries",
  ]);
  for (const query of chores) {
    expect(await planOf(house, query), query.sql).not.toMatch(/SCAN (?!CONSTANT)|Seq Scan|TEMP B-TREE/);
  }
});

test("what is purged goes a thousand rows at a time, and all of it", async () => {
  const house = await startHouse();
  const { store } = house.inside;
  await house.inside.timetable.runDue();
  const old = Array.from({ length: 500 }, (_, n) => ({ count: 1, window_started_at: n, last_at: n }));
  for (let part = 0; part < 5; part++) {
    const rows = old.map((row, n) => ({ ...row, key: `${part} ${n}` }));
    await store.query.insertInto("tries").values(rows).execute();
  }
  house.clock.advance(day);
  const asked = await askedDuring(house, () => house.inside.timetable.runDue());

  expect(asked.filter(({ sql: text }) => text.startsWith('delete from "tries"'))).toHaveLength(3);
  expect(await store.query.selectFrom("tries").selectAll().execute()).toEqual([]);
});
