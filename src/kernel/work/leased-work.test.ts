import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";

import { minute } from "../clock.ts";
import { sqliteDialect } from "../db/sqlite.ts";
import type { KernelTables } from "../db/tables.ts";
import { openTestStore } from "../mail/testing/store.ts";
import { leaseTable } from "./lease-table.ts";
import { backoff, createWorker } from "./leased-work.ts";
import { pieceByPiece } from "../piece-by-piece.ts";

type Row = KernelTables["mail_queue"];

const leaseMs = minute;

/** Mails without contents: what waits, by the lane that stands for whom it goes to. */
const openQueue = async () => {
  const kernel = await openTestStore();
  const { query } = kernel.store;
  const faults: unknown[] = [];

  const add = async (lane: string, count: number, dueInMs = 0): Promise<void> => {
    const due_at = kernel.clock.now() + dueInMs;
    const rows = Array.from({ length: count }, (_, n) => ({
      id: `${lane}-${n}`,
      lane,
      sealed: "",
      attempts: 0,
      due_at,
      leased_until: 0,
      expires_at: due_at,
      created_at: due_at,
    }));
    await query.insertInto("mail_queue").values(rows).execute();
  };

  const table = (of = query) =>
    leaseTable<Row>({
      query: of,
      clock: kernel.clock,
      table: "mail_queue",
      key: "lane",
      waits: sql`discarded = 0`,
      leaseMs,
    });

  const worker = (attempt: (row: Row) => Promise<void>) =>
    createWorker({
      ...table(),
      attempt,
      onFault: (error) => void faults.push(error),
      lanes: 8,
      lanesOfKey: 4,
      lookEveryMs: minute,
    });

  const row = (id: string) =>
    query.selectFrom("mail_queue").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const erase = async ({ id }: Row): Promise<void> => {
    await query.deleteFrom("mail_queue").where("id", "=", id).execute();
  };
  return { ...kernel, query, faults, add, table, worker, row, erase };
};

/** Attempts that hang until they are let go. */
const hanging = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun: string[] = [];
  return {
    begun,
    letGo: resolve,
    attempt: ({ id }: Row) => (begun.push(id), promise),
  };
};

describe("an attempt", () => {
  test("is counted before it is made, so that one which ends the process counts", async () => {
    const { add, worker, row, erase, clock } = await openQueue();
    await add("a", 1);
    const dying = hanging();
    void worker(dying.attempt).runDue();
    await expect.poll(() => dying.begun).toEqual(["a-0"]);
    expect(await row("a-0")).toMatchObject({ attempts: 1, leased_until: clock.now() + leaseMs });

    clock.wind(leaseMs);
    const counted: number[] = [];
    await worker((taken) => (counted.push(taken.attempts), erase(taken))).runDue();
    expect(counted).toEqual([2]);
    dying.letGo();
  });

  test("that throws is told, and left to its lease", async () => {
    const { add, worker, row, faults, clock } = await openQueue();
    await add("a", 1);
    await worker(() => Promise.reject(new Error("no"))).runDue();
    expect(faults).toMatchObject([{ message: "no" }]);
    expect(await row("a-0")).toMatchObject({ leased_until: clock.now() + leaseMs });
  });

  test("is followed by a wait of its own, until there are none left", () => {
    const bounded = backoff([5, 30]);
    const endless = backoff([5, 30], 60);
    expect([1, 2, 3].map((attempt) => bounded(attempt))).toEqual([5, 30, undefined]);
    expect([1, 2, 3, 9].map((attempt) => endless(attempt))).toEqual([5, 30, 60, 60]);
  });
});

describe("what waits for one receiver", () => {
  test("keeps nothing else waiting, however much it is and however long it has been due", async () => {
    const { add, worker, clock } = await openQueue();
    await add("hog", 300);
    clock.wind(1);
    await add("late", 1);
    const work = hanging();
    void worker(work.attempt).runDue();

    await expect.poll(() => work.begun).toContain("late-0");
    expect(work.begun.filter((id) => id.startsWith("hog"))).toHaveLength(4);
    work.letGo();
  });

  test("keeps nothing else waiting, however many others wait for later", async () => {
    const { add, worker, clock } = await openQueue();
    await add("hog", 300);
    for (let n = 0; n < 450; n++) await add(`k${n}`, 1, minute);
    clock.wind(1);
    await add("z", 1);
    const work = hanging();
    const { runDue } = worker(work.attempt);
    // Two hundred keys a look.
    for (let look = 0; look < 3; look++) void runDue();

    await expect
      .poll(() => {
        void runDue();
        return work.begun;
      })
      .toContain("z-0");
    expect(work.begun).toHaveLength(5);
    work.letGo();
  });

  test("is all done in the end", async () => {
    const { add, worker, erase, query } = await openQueue();
    await add("hog", 300);
    await add("other", 20);
    await worker(erase).runDue();
    expect(await query.selectFrom("mail_queue").select("id").execute()).toEqual([]);
  });

  test("is never walked over: each look goes by an index", async () => {
    const { add, table, folder, store } = await openQueue();
    await add("hog", 300);
    if (store.kind !== "sqlite") return;
    const asked: Array<{ readonly sql: string; readonly parameters: readonly unknown[] }> = [];
    const watched = new Kysely<KernelTables>({
      dialect: sqliteDialect(join(folder, "latchkey.sqlite")),
      log: (event) => void asked.push(event.query),
    });
    onTestFinished(() => watched.destroy());
    const { due, claim } = table(watched);
    const [first] = await due((key) => key === "hog");
    expect(first).toBeUndefined();
    await claim("hog-0");

    expect(asked).toHaveLength(3);
    for (const { sql: text, parameters } of asked.slice()) {
      const plan = sql<{ detail: string }>`explain query plan ${sql.raw(text)}`.compile(watched);
      const { rows } = await watched.executeQuery<{ detail: string }>({ ...plan, parameters });
      const details = rows.map(({ detail }) => detail).join("\n");
      expect(details).toMatch(/SEARCH mail_queue USING/);
      expect(details).not.toMatch(/SCAN mail_queue|TEMP B-TREE/);
    }
  });
});

describe("the end of a process", () => {
  test("waits for what is under way, but not longer than it is told to", async () => {
    const { add, worker, row } = await openQueue();
    await add("a", 6);
    const work = hanging();
    const { runDue, stop } = worker(work.attempt);
    void runDue();
    await expect.poll(() => work.begun).toHaveLength(4);
    await stop(1);

    expect(await row("a-0")).toMatchObject({ attempts: 1 });
    const patient = stop();
    work.letGo();
    await patient;
    expect(work.begun).toHaveLength(4);
  });

  test("ends what goes piece by piece after the piece that is under way", async () => {
    const ending = new AbortController();
    let pieces = 0;
    await pieceByPiece(async () => {
      pieces += 1;
      if (pieces === 3) ending.abort();
      return true;
    }, ending.signal);
    expect(pieces).toBe(3);

    await pieceByPiece(async () => (pieces += 1) < 10);
    expect(pieces).toBe(10);
  });
});
