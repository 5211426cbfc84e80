/** The chores of the house (purges, erasures): each runs once a period, in whichever process takes it first. */
import { minute, second, type Clock } from "./clock.ts";
import type { Store } from "./db/store.ts";
import type { Log } from "./telemetry/log.ts";
import { createWorker, type Due, type Worker } from "./work/leased-work.ts";

export type Timetable = Pick<Worker, "start" | "stop"> & {
  /**
   * Each process of a store registers the same jobs, before `start`. The first run is due at once. A run should
   * end within 10 minutes: then another process takes its own for dead, and the job runs a second time.
   *
   * @param name fixed: the store knows the job by it
   * @param run ends early, with its work left for the next time, when the signal says that the process is to end
   */
  register(name: string, everyMs: number, run: (signal: AbortSignal) => Promise<void>): void;
  /** Runs what is due now, one after the other. Never rejects: a job that fails is logged and next due a period later. */
  runDue(): Promise<void>;
};

export type TimetableDeps = {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
  readonly log: Log;
};

type Job = {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

type Claimed = { readonly job: Job; readonly at: number; readonly leasedUntil: number };

const leaseMs = 10 * minute;
/** How often a process looks whether something is due. */
const lookEveryMs = 20 * second;
/** By how much the clocks of two processes may differ. */
const clockSkewMs = minute;

export const createTimetable = ({ store, clock, log }: TimetableDeps): Timetable => {
  const jobs = new Map<string, Job>();
  const ending = new AbortController();

  /** Whether it is due. So is one that is due after more than a period: the clock was set back, or the period shortened. */
  const isDue = (row: { due_at: number; leased_until: number }, job: Job, now: number): boolean =>
    row.leased_until <= now && (row.due_at <= now || row.due_at > now + job.everyMs + clockSkewMs);

  const enter = async (known: ReadonlySet<string>): Promise<void> => {
    const rows = [...jobs.keys()]
      .filter((name) => !known.has(name))
      .map((name) => ({ name, due_at: clock.now(), leased_until: 0 }));
    if (rows.length === 0) return;
    await store.query
      .insertInto("jobs")
      .values(rows)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
  };

  const read = () => store.query.selectFrom("jobs").selectAll().execute();

  /** Reads first, so that processes which only look do not write. */
  const due = async (): Promise<readonly Due[]> => {
    let rows = await read();
    const known = new Set(rows.map(({ name }) => name));
    if ([...jobs.keys()].some((name) => !known.has(name))) {
      await enter(known);
      rows = await read();
    }
    const now = clock.now();
    return [...jobs.values()]
      .filter((job) => rows.some((row) => row.name === job.name && isDue(row, job, now)))
      .map(({ name }) => ({ id: name, key: name }));
  };

  const claim = async (name: string): Promise<Claimed | undefined> => {
    const job = jobs.get(name);
    if (!job) return undefined;
    const at = clock.now();
    const leasedUntil = at + leaseMs;
    const claimed = await store.query
      .updateTable("jobs")
      .set({ leased_until: leasedUntil })
      .where("name", "=", name)
      .where("leased_until", "<=", at)
      .where((eb) => eb.or([eb("due_at", "<=", at), eb("due_at", ">", at + job.everyMs + clockSkewMs)]))
      .returning("name")
      .executeTakeFirst();
    return claimed && { job, at, leasedUntil };
  };

  const attempt = async ({ job, at, leasedUntil }: Claimed): Promise<void> => {
    try {
      await job.run(ending.signal);
    } catch (error) {
      log.error("job_failed", { job: job.name, error });
    }
    await store.query
      .updateTable("jobs")
      .set({ due_at: at + job.everyMs, leased_until: 0 })
      .where("name", "=", job.name)
      // Not when the lease ran out and another process holds the job.
      .where("leased_until", "=", leasedUntil)
      .execute();
  };

  const { start, stop, runDue } = createWorker({
    due,
    claim,
    attempt,
    // The store did not answer; the next look finds what is due.
    onFault: (error, job) => log.error("jobs_not_read", { job, error }),
    lanes: 1,
    lanesOfKey: 1,
    lookEveryMs,
  });

  return {
    register: (name, everyMs, run) => {
      if (jobs.has(name)) throw new Error(`The job ${name} is registered already`);
      jobs.set(name, { name, everyMs, run });
    },
    start,
    stop: (withinMs) => {
      ending.abort();
      return stop(withinMs);
    },
    runDue,
  };
};
