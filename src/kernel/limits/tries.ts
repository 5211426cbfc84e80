/**
 * Tries that are counted in the store, so that a limit holds in every process and after a restart. A try counts
 * before the costly work begins; whoever turns out to be right takes it back. Of the value (an address, a
 * network) the store has a keyed digest only.
 */
import { sql, type Kysely, type Transaction } from "kysely";

import { day, second, type Clock } from "../clock.ts";
import { keyedDigest } from "../crypto/digest.ts";
import type { Store, Tx } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";
import { purge } from "../db/purge.ts";

/** How many tries, in which time, and what then. */
export type TryPolicy = {
  /** Part of the counter's key: policies of different names never share a counter. */
  readonly name: string;
  /** How many before refusals begin; at least 1. */
  readonly tries: number;
  /** Milliseconds from the first try; at most 12 h. */
  readonly windowMs: number;
  /**
   * `refuse`: what exceeds the number is refused until the window ends. `wait`: the try that reaches the number
   * and each one after it are followed by a wait of 2, 4, 8 … seconds, up to the window's length. Tries during a
   * wait are refused and not counted. The series ends when a whole window goes by without a try after the wait.
   */
  readonly then: "refuse" | "wait";
};

export type CountedTry = {
  readonly policy: TryPolicy;
  readonly value: string;
  /** Counts whatever comes of it: when the tries are given back, this one stays. */
  readonly kept?: true;
};

/** Give tries back when they were a success, or were not carried out. Behind one that was done, a call does nothing more. */
export type Refundable = {
  refund(): Promise<void>;
  /**
   * As a part of what else the transaction writes: when it is rolled back, nothing was given back. Only one of all who
   * know these tries may do so: two transactions at once would give them back twice.
   */
  refundIn(tx: Tx): Promise<void>;
};

/** Whole seconds, at least 1, and the name of the policy that refuses longest. */
export type RefusedTry = { readonly ok: false; readonly retryAfterSeconds: number; readonly policy: string };

export type Reservation = ({ readonly ok: true } & Refundable) | RefusedTry;

export type Tries = {
  /** Counts all of them, or, when one is refused, none. */
  reserve(tries: readonly [CountedTry, ...CountedTry[]]): Promise<Reservation>;
  /**
   * The same within the transaction of what is tried, for what costs no more than that: the tries are counted when it is
   * committed, also where they are refused. Ask `refused` before: a flood of refused tries must not be one of writes.
   */
  reserveIn(tx: Tx, tries: readonly [CountedTry, ...CountedTry[]]): Promise<Reservation>;
  /** What is clear without writing: that they are refused. */
  refused(tries: readonly [CountedTry, ...CountedTry[]]): Promise<RefusedTry | undefined>;
  /** Forgets the tries of one value, for who proved to be its owner in another way. */
  clear(query: Kysely<KernelTables>, tried: CountedTry): Promise<void>;
  /** Forgets what nobody tried for 24 h. @returns how many values */
  purge(signal?: AbortSignal): Promise<number>;
};

type Row = KernelTables["tries"];
type Counter = { readonly policy: TryPolicy; readonly key: string; readonly kept: boolean };
type Verdict = {
  readonly policy: TryPolicy;
  readonly kept: boolean;
  readonly before: Row;
  readonly after: Row;
  /** When the try before this one was. */
  readonly lastAt: number;
  /** Milliseconds for which this one is refused; 0 when it counts. */
  readonly waitMs: number;
};

/** Milliseconds to wait after the try that brought the counter to `count`. */
const waitAfter = ({ tries, windowMs }: TryPolicy, count: number): number =>
  Math.min(2 ** (count - tries + 1) * second, windowMs);

/** What one more try at `now` makes of the counter. */
const judge = ({ policy, kept }: Omit<Counter, "key">, before: Row, now: number): Verdict => {
  // A clock that was set back must not prolong a refusal by as much.
  const startedAt = Math.min(before.window_started_at, now);
  const lastAt = Math.min(before.last_at, now);
  const verdict = (count: number, window_started_at: number, last_at: number, waitMs = 0): Verdict => ({
    policy,
    kept,
    before,
    after: { key: before.key, count, window_started_at, last_at },
    lastAt,
    waitMs,
  });
  const full = before.count >= policy.tries;
  const waitEndsAt = lastAt + waitAfter(policy, before.count);
  const inSeries = full && policy.then === "wait";
  const endsAt = (inSeries ? waitEndsAt : startedAt) + policy.windowMs;
  if (before.count === 0 || now >= endsAt) return verdict(1, now, now);
  const refusedUntil = inSeries ? waitEndsAt : full ? endsAt : now;
  if (now < refusedUntil) return verdict(before.count, startedAt, lastAt, refusedUntil - now);
  return verdict(before.count + 1, startedAt, now);
};

const unused = (key: string, now: number): Row => ({ key, count: 0, window_started_at: now, last_at: now });

/** Takes the row's lock on both stores, whether the row was there or not, and tells what is in it. */
const lock = (query: Transaction<KernelTables>, key: string, now: number): Promise<Row> =>
  query
    .insertInto("tries")
    .values(unused(key, now))
    .onConflict((conflict) => conflict.column("key").doUpdateSet((eb) => ({ count: eb.ref("tries.count") })))
    .returningAll()
    .executeTakeFirstOrThrow();

const write = async (query: Transaction<KernelTables>, { before, after }: Verdict): Promise<void> => {
  const same =
    before.count === after.count &&
    before.window_started_at === after.window_started_at &&
    before.last_at === after.last_at;
  if (same) return;
  await query
    .updateTable("tries")
    .set({ count: after.count, window_started_at: after.window_started_at, last_at: after.last_at })
    .where("key", "=", after.key)
    .execute();
};

const refusal = (verdicts: readonly Verdict[]): RefusedTry => {
  const [longest] = verdicts.toSorted((a, b) => b.waitMs - a.waitMs);
  const retryAfterSeconds = Math.max(1, Math.ceil((longest?.waitMs ?? 0) / second));
  return { ok: false, retryAfterSeconds, policy: longest?.policy.name ?? "" };
};

export const createTries = (deps: {
  readonly store: Pick<Store, "query" | "transaction">;
  /** 32 random bytes that stay the same for the store's life. */
  readonly key: Buffer;
  readonly clock: Clock;
}): Tries => {
  const { store, clock } = deps;

  const keyOf = (policy: TryPolicy, value: string): string => keyedDigest(deps.key, policy.name, value);

  /** In the order of their keys, in which every process locks them: so no two can wait for one another. */
  const countersOf = (tries: readonly CountedTry[]): readonly Counter[] =>
    tries
      .map(({ policy, value, kept = false }) => ({ policy, key: keyOf(policy, value), kept }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));

  /** A flood of refused tries must not become a flood of writes: those that are clearly refused only read. */
  const refusedAlready = async (counters: readonly Counter[]): Promise<RefusedTry | undefined> => {
    const keys = counters.map(({ key }) => key);
    const rows = await store.query.selectFrom("tries").selectAll().where("key", "in", keys).execute();
    const now = clock.now();
    // The rows of a clock that was set back have to be written anew, under the lock.
    if (rows.some((row) => row.last_at > now)) return undefined;
    const refused = counters.flatMap((counter) => {
      const row = rows.find((one) => one.key === counter.key);
      const verdict = row && judge(counter, row, now);
      return verdict && verdict.waitMs > 0 ? [verdict] : [];
    });
    return refused.length > 0 ? refusal(refused) : undefined;
  };

  const count = async (
    query: Transaction<KernelTables>,
    counters: readonly Counter[],
  ): Promise<readonly Verdict[]> => {
    const verdicts: Verdict[] = [];
    for (const counter of counters) {
      const row = await lock(query, counter.key, clock.now());
      // Asked again, because time may have gone by before the lock was ours.
      verdicts.push(judge(counter, row, clock.now()));
    }
    const refused = verdicts.filter(({ waitMs }) => waitMs > 0);
    for (const verdict of refused.length > 0 ? refused : verdicts) await write(query, verdict);
    return verdicts;
  };

  const giveBack = async (query: Transaction<KernelTables>, verdicts: readonly Verdict[]): Promise<void> => {
    for (const { lastAt, after } of verdicts) {
      await query
        .updateTable("tries")
        .set((eb) => ({
          count: eb("count", "-", 1),
          // The wait counts from the last failure, which this try was not, unless others came after it.
          last_at: eb.case().when("last_at", "=", after.last_at).then(lastAt).else(eb.ref("last_at")).end(),
        }))
        .where("key", "=", after.key)
        // In a newer window this try is not among the counted.
        .where("window_started_at", "=", after.window_started_at)
        .where("count", ">", 0)
        .execute();
    }
  };

  const refundable = (verdicts: readonly Verdict[]): Refundable => {
    let refunded: Promise<void> | undefined;
    return {
      refund: () => (refunded ??= store.transaction(({ query }) => giveBack(query, verdicts), "patient")),
      refundIn: async (tx) => {
        if (refunded) return;
        await giveBack(tx.query, verdicts);
        tx.afterCommit(() => void (refunded = Promise.resolve()));
      },
    };
  };

  const reservation = (verdicts: readonly Verdict[]): Reservation => {
    const refused = verdicts.filter(({ waitMs }) => waitMs > 0);
    if (refused.length > 0) return refusal(refused);
    return { ok: true, ...refundable(verdicts.filter(({ kept }) => !kept)) };
  };

  return {
    reserve: async (tries) => {
      const counters = countersOf(tries);
      const early = await refusedAlready(counters);
      if (early) return early;
      return reservation(await store.transaction(({ query }) => count(query, counters)));
    },
    reserveIn: async ({ query }, tries) => reservation(await count(query, countersOf(tries))),
    refused: (tries) => refusedAlready(countersOf(tries)),
    clear: async (query, { policy, value }) => {
      await query.deleteFrom("tries").where("key", "=", keyOf(policy, value)).execute();
    },
    purge: (signal) => {
      const where = sql<boolean>`last_at < ${clock.now() - day}`;
      return purge(store.query, { table: "tries", key: ["key"], where, by: "last_at" }, signal);
    },
  };
};
