/** The chores of the house (purges, erasures): each runs once a period, in whichever process takes it first. */
import { minute, second, type Clock } from "./clock.ts";
import type { Store } from "./db/store.ts";
import type { Log } from "./telemetry/log.ts";

export type Timetable = {
  /**
   * Each process of a store registers the same jobs, before `start`. The first run is due at once. A run should
   * end within 10 minutes: then another process takes its own for dead, and the job runs a second time.
   *
   * @param name fixed: the store knows the job by it
   */
  register(name: string, everyMs: number, run: () => Promise<void>): void;
  start(): void;
  /** For good. Resolves when the job that is running has ended; no other one begins. */
  stop(): Promise<void>;
  /** Runs what is due now, one after the other. Never rejects: a job that fails is logged and next due a period later. */
  runDue(): Promise<void>;
};

export type TimetableDeps = {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
  readonly log: Log;
};

type Job = { readonly name: string; readonly everyMs: number; readonly run: () => Promise<void> };

const leaseMs = 10 * minute;
/** How often a process looks whether something is due. */
const lookEveryMs = 20 * second;
/** By how much the clocks of two processes may differ. */
const clockSkewMs = minute;

export const createTimetable = ({ store, clock, log }: TimetableDeps): Timetable => {
  const jobs: Job[] = [];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let last: Promise<void> = Promise.resolve();

  /** Whether it is due. So is one that is due after more than a period: the clock was set back, or the period shortened. */
  const isDue = (row: { due_at: number; leased_until: number }, job: Job, now: number): boolean =>
    row.leased_until <= now && (row.due_at <= now || row.due_at > now + job.everyMs + clockSkewMs);

  const enter = async (known: ReadonlySet<string>): Promise<void> => {
    const rows = jobs
      .filter(({ name }) => !known.has(name))
      .map(({ name }) => ({ name, due_at: clock.now(), leased_until: 0 }));
    if (rows.length === 0) return;
    await store.query
      .insertInto("jobs")
      .values(rows)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
  };

  const read = () => store.query.selectFrom("jobs").selectAll().execute();

  /** Reads first, so that processes which only look do not write. */
  const findDue = async (): Promise<readonly Job[]> => {
    let rows = await read();
    const known = new Set(rows.map(({ name }) => name));
    if (jobs.some(({ name }) => !known.has(name))) {
      await enter(known);
      rows = await read();
    }
    const now = clock.now();
    return jobs.filter((job) => rows.some((row) => row.name === job.name && isDue(row, job, now)));
  };

  /** @returns when the lease ends, or undefined when another process was faster */
  const claim = async (job: Job, now: number): Promise<number | undefined> => {
    const claimed = await store.query
      .updateTable("jobs")
      .set({ leased_until: now + leaseMs })
      .where("name", "=", job.name)
      .where("leased_until", "<=", now)
      .where((eb) => eb.or([eb("due_at", "<=", now), eb("due_at", ">", now + job.everyMs + clockSkewMs)]))
      .returning("leased_until")
      .executeTakeFirst();
    return claimed?.leased_until;
  };

  const runOnce = async (job: Job): Promise<void> => {
    const startedAt = clock.now();
    const lease = await claim(job, startedAt);
    if (lease === undefined) return;
    try {
      await job.run();
    } catch (error) {
      log.error("job_failed", { job: job.name, error });
    }
    await store.query
      .updateTable("jobs")
      .set({ due_at: startedAt + job.everyMs, leased_until: 0 })
      .where("name", "=", job.name)
      // Not when the lease ran out and another process holds the job.
      .where("leased_until", "=", lease)
      .execute();
  };

  const look = async (): Promise<void> => {
    try {
      for (const job of await findDue()) {
        if (stopped) return;
        await runOnce(job);
      }
    } catch (error) {
      // The store did not answer; the next look finds what is due.
      log.error("jobs_not_read", { error });
    }
  };

  /** One look at a time: a job must not meet itself in its own process. */
  const runDue = (): Promise<void> => {
    last = last.then(look);
    return last;
  };

  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => {
      void runDue().then(() => {
        if (!stopped) schedule(lookEveryMs);
      });
    }, delayMs);
    timer.unref();
  };

  return {
    register: (name, everyMs, run) => {
      if (jobs.some((job) => job.name === name)) throw new Error(`The job ${name} is registered already`);
      jobs.push({ name, everyMs, run });
    },
    start: () => schedule(0),
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await last;
    },
    runDue,
  };
};
