import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import Database from "better-sqlite3";
import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../mail/testing/store.ts";
import { GroupCommit } from "./group-commit.ts";

/** A file, what SQLite is told to do with it, and those who write to it. */
const openFile = async () => {
  const { folder } = await openTestStore();
  const path = join(folder, "groups.sqlite");
  const told: string[] = [];
  const database = new Database(path, { verbose: (statement) => void told.push(String(statement)) });
  const reader = new Database(path);
  onTestFinished(() => {
    database.close();
    reader.close();
  });
  database.pragma("journal_mode = wal");
  database.pragma("foreign_keys = on");
  database.exec(
    "create table notes (id integer primary key, of text references notes (id) deferrable initially deferred)",
  );
  const group = new GroupCommit({
    run: (statement) => void database.exec(statement),
    begin: async () => void database.exec("begin immediate"),
    isOpen: () => database.inTransaction,
  });
  told.length = 0;

  const inFile = (): unknown[] => reader.prepare("select id from notes order by id").pluck().all();
  const insert = (id: number, of: number | null = null, or = "") =>
    group.write(() => database.prepare(`insert ${or} into notes values (?, ?)`).run(id, of));

  /** One transaction, as a driver has it. */
  const transaction = async (work: () => void): Promise<void> => {
    const turn = await group.turn("joins");
    try {
      work();
    } catch (error) {
      await turn.end("rollback");
      throw error;
    }
    await turn.end("commit");
  };
  const frame = (): readonly string[] => told.filter((statement) => !statement.startsWith("insert"));
  return { database, group, insert, inFile, transaction, frame };
};

const outcomesOf = async (all: readonly Promise<unknown>[]): Promise<readonly string[]> =>
  (await Promise.allSettled(all)).map((one) => (one.status === "fulfilled" ? "done" : String(one.reason)));

describe("transactions of one moment", () => {
  test("share one commit, and none is told that it is done before it is in the file", async () => {
    const { insert, inFile, transaction, frame } = await openFile();
    const seen = await Promise.all(
      [1, 2, 3].map(async (id) => {
        await transaction(() => insert(id));
        return inFile();
      }),
    );
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const member = ["savepoint member", "release member"];
    expect(frame()).toEqual(["begin immediate", ...member, ...member, "commit"]);
  });

  test("cost one that is alone nothing", async () => {
    const { insert, transaction, frame } = await openFile();
    await transaction(() => insert(1));
    await transaction(() => insert(2));
    expect(frame()).toEqual(["begin immediate", "commit", "begin immediate", "commit"]);
  });

  test("are undone one by one", async () => {
    const { insert, inFile, transaction } = await openFile();
    const failing = (id: number) =>
      transaction(() => {
        insert(id);
        throw new Error(`not ${id}`);
      });
    const outcomes = await outcomesOf([
      failing(1),
      transaction(() => insert(2)),
      failing(3),
      transaction(() => insert(4)),
    ]);
    expect(outcomes).toEqual(["Error: not 1", "done", "Error: not 3", "done"]);
    expect(inFile()).toEqual([2, 4]);
  });

  test("all fail when the commit does, and the next ones do not", async () => {
    const { insert, inFile, transaction } = await openFile();
    const outcomes = await outcomesOf([
      transaction(() => insert(1)),
      // Of nobody, which SQLite notices with the commit.
      transaction(() => insert(2, 77)),
      transaction(() => {
        throw new Error("found what is not there");
      }),
    ]);
    const why = expect.stringContaining("FOREIGN KEY constraint failed");
    expect(outcomes).toEqual([why, why, why]);
    expect(inFile()).toEqual([]);
    await transaction(() => insert(3));
    expect(inFile()).toEqual([3]);
  });

  test("all fail when SQLite undoes the whole by itself, and nothing is written behind that", async () => {
    const { insert, inFile, transaction } = await openFile();
    const outcomes = await outcomesOf([
      transaction(() => insert(1)),
      transaction(() => {
        expect(() => insert(1, null, "or rollback")).toThrow("UNIQUE");
        insert(2);
      }),
      transaction(() => insert(3)),
    ]);
    const why = expect.stringContaining("UNIQUE constraint failed");
    expect(outcomes).toEqual([why, why, "done"]);
    expect(inFile()).toEqual([3]);
  });

  test("leave the event loop to others, however many they are", async () => {
    const { insert, inFile, transaction, frame } = await openFile();
    const many = Array.from({ length: 450 }, (_, id) => transaction(() => insert(id)));
    let turns = 0;
    let isOver = false;
    const all = Promise.all(many).then(() => (isOver = true));
    while (!isOver) {
      await setImmediate();
      turns += 1;
    }
    await all;
    expect(inFile()).toHaveLength(450);
    const commits = frame().filter((statement) => statement === "commit").length;
    expect(commits).toBeGreaterThanOrEqual(5);
    expect(turns).toBeGreaterThanOrEqual(commits);
  });

  test("that came late wait for no statement which has to be alone, nor are a part of it", async () => {
    const { database, group, insert, transaction, frame } = await openFile();
    const vacuum = async () => {
      const turn = await group.turn("alone");
      database.exec("vacuum");
      await turn.end("commit");
    };
    await Promise.all([transaction(() => insert(1)), vacuum(), transaction(() => insert(2))]);
    expect(frame()).toEqual(["begin immediate", "commit", "vacuum", "begin immediate", "commit"]);
  });
});

describe("a store", () => {
  test("keeps of what comes at once on a full disk just what it said it kept", async () => {
    const { store } = await openTestStore();
    if (store.kind !== "sqlite") return;
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store.query);
    await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 40)}`.execute(store.query);
    const name = (n: number): string => `job-${n}`.padEnd(2000, ".");
    const told: PromiseSettledResult<void>[] = [];
    for (let wave = 0; wave < 20; wave++) {
      const ten = Array.from({ length: 10 }, (_, n) =>
        store.transaction(async ({ query }) => {
          await query
            .insertInto("jobs")
            .values({ name: name(wave * 10 + n), due_at: 0, leased_until: 0 })
            .execute();
        }),
      );
      told.push(...(await Promise.allSettled(ten)));
    }
    const done = told.flatMap(({ status }, n) => (status === "fulfilled" ? [name(n)] : []));
    const kept = await store.query.selectFrom("jobs").select("name").execute();
    expect(done.length).toBeGreaterThan(0);
    expect(done.length).toBeLessThan(200);
    expect(kept.map((row) => row.name).toSorted()).toEqual(done.toSorted());
    for (const one of told)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "SQLITE_FULL" });
  });

  test("tells its caches of a change when the commit that it shares is done", async () => {
    const { store, another } = await openTestStore();
    await store.changes.start();
    const seen: unknown[] = [];
    const elsewhere = another();
    store.changes.onChange((accountId) => seen.push(accountId));
    await Promise.all([
      store.transaction(async (tx) => {
        tx.changed(7);
        tx.afterCommit(() => expect(seen).toEqual([7]));
      }),
      store.transaction(async () => expect(seen).toEqual([])),
    ]);
    expect(seen).toEqual([7]);
    expect(await elsewhere.query.selectFrom("changes").select("account_id").execute()).toEqual([
      { account_id: 7 },
    ]);
  });
});

describe("the line of those who want to write", () => {
  /** Somebody who has the turn, until it is let go. */
  const hold = async (store: Awaited<ReturnType<typeof openTestStore>>["store"]) => {
    const holding = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const held = store.transaction(async () => {
      begun.resolve();
      await holding.promise;
    });
    await begun.promise;
    return async () => {
      holding.resolve();
      await held;
    };
  };

  test("has an end: one more is told at once to come again", async () => {
    const { store } = await openTestStore();
    if (store.kind !== "sqlite") return;
    const letGo = await hold(store);
    const waiting = Array.from({ length: 1000 }, (_, n) => store.transaction(async () => n));
    await expect(store.transaction(async () => "late")).rejects.toMatchObject({
      code: "busy",
      retryAfter: 1,
    });
    const chore = store.transaction(async () => "chore", "patient");
    await letGo();
    expect(await Promise.all(waiting)).toHaveLength(1000);
    expect(await chore).toBe("chore");
    expect(await store.transaction(async () => "again")).toBe("again");
  });
});
