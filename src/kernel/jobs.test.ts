import { describe, expect, test } from "vitest";

import { day, hour, minute } from "./clock.ts";
import type { Store } from "./db/store.ts";
import { createTimetable } from "./jobs.ts";
import { createTestLog, openTestStore } from "./mail/testing/store.ts";

const open = async () => {
  const kernel = await openTestStore();
  const log = createTestLog();
  const timetable = (store: Store = kernel.store) => createTimetable({ store, clock: kernel.clock, log });
  return { ...kernel, log, timetable };
};

const counter = () => {
  let runs = 0;
  return { runs: () => runs, run: async () => void (runs += 1) };
};

describe("the timetable", () => {
  test("runs a job at once, and then once a period", async () => {
    const { timetable, clock } = await open();
    const table = timetable();
    const purge = counter();
    table.register("purge", hour, purge.run);
    await table.runDue();
    await table.runDue();
    expect(purge.runs()).toBe(1);
    clock.wind(hour - 1);
    await table.runDue();
    expect(purge.runs()).toBe(1);
    clock.wind(1);
    await table.runDue();
    expect(purge.runs()).toBe(2);
  });

  test("runs it in one of several processes, however often and at once they look", async () => {
    const { timetable, another, clock } = await open();
    const purge = counter();
    const tables = [timetable(), timetable(another()), timetable(another())];
    for (const table of tables) table.register("purge", hour, purge.run);
    for (const expected of [1, 2, 3]) {
      await Promise.all([...tables, ...tables].map((table) => table.runDue()));
      expect(purge.runs()).toBe(expected);
      clock.wind(hour);
    }
  });

  test("does not run in another process while one runs it, until that one counts as dead", async () => {
    const { timetable, another, clock, store } = await open();
    const begin = (table: ReturnType<typeof timetable>) => {
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      table.register("purge", hour, () => (begun.resolve(), gate.promise));
      const look = table.runDue();
      return { begun: begun.promise, look, end: () => (gate.resolve(), look) };
    };
    const first = begin(timetable());
    await first.begun;
    const purge = counter();
    const patient = timetable(another());
    patient.register("purge", hour, purge.run);
    await patient.runDue();
    expect(purge.runs()).toBe(0);

    clock.wind(10 * minute);
    const second = begin(timetable(another()));
    await second.begun;
    await first.end();
    // The late one took neither the lease nor the date from the one that holds the job now.
    await patient.runDue();
    const row = () => store.query.selectFrom("jobs").selectAll().executeTakeFirstOrThrow();
    expect((await row()).leased_until).toBe(clock.now() + 10 * minute);
    await second.end();
    expect(await row()).toMatchObject({ leased_until: 0, due_at: clock.now() + hour });
    expect(purge.runs()).toBe(0);
  });

  test("logs a job that fails, runs the others, and runs it again a period later", async () => {
    const { timetable, clock, log } = await open();
    const table = timetable();
    const purge = counter();
    let failures = 0;
    table.register("broken", hour, async () => {
      failures += 1;
      throw new Error("no");
    });
    table.register("purge", hour, purge.run);
    await table.runDue();
    await table.runDue();
    expect([failures, purge.runs()]).toEqual([1, 1]);
    expect(log.lines).toMatchObject([{ level: "error", event: "job_failed", fields: { job: "broken" } }]);
    clock.wind(hour);
    await table.runDue();
    expect([failures, purge.runs()]).toEqual([2, 2]);
  });

  test("logs a store that does not answer, and does not throw", async () => {
    const { timetable, another, log } = await open();
    const gone = another();
    const table = timetable(gone);
    table.register("purge", hour, async () => undefined);
    await gone.query.selectFrom("jobs").selectAll().execute();
    await gone.close();
    await table.runDue();
    expect(log.lines).toMatchObject([{ level: "error", event: "jobs_not_read" }]);
  });

  test("a clock that was a month ahead does not stop a job for a month", async () => {
    const { timetable, clock } = await open();
    const table = timetable();
    const purge = counter();
    table.register("purge", hour, purge.run);
    clock.wind(30 * day);
    await table.runDue();
    clock.wind(-30 * day);
    await table.runDue();
    await table.runDue();
    expect(purge.runs()).toBe(2);
  });

  test("starts by itself, and stop waits for the job that runs and begins no other", async () => {
    const { timetable } = await open();
    const table = timetable();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const second = counter();
    let ended = false;
    table.register("first", hour, async () => {
      begun.resolve();
      await gate.promise;
      ended = true;
    });
    table.register("second", hour, second.run);
    table.start();
    await begun.promise;
    const stopped = table.stop().then(() => expect(ended).toBe(true));
    gate.resolve();
    await stopped;
    expect(second.runs()).toBe(0);
  });

  test("refuses two jobs of one name", async () => {
    const { timetable } = await open();
    const table = timetable();
    table.register("purge", hour, async () => undefined);
    expect(() => table.register("purge", day, async () => undefined)).toThrow(/registered already/);
  });
});
