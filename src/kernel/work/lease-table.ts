/** A table of work, as a worker sees it: what is due, and the lease that a process takes on a row of it. */
import { sql, type Kysely, type RawBuilder } from "kysely";

import type { Clock } from "../clock.ts";
import type { KernelTables } from "../db/tables.ts";
import type { Due, LeasedWork } from "./leased-work.ts";

/**
 * Its rows have `id`, `due_at`, `leased_until` and `attempts`. For the price of a look not to grow with what waits it
 * needs an index by `due_at` and one by key and `due_at`, of the rows that wait.
 */
export type LeaseTable = {
  readonly query: Kysely<KernelTables>;
  readonly clock: Clock;
  readonly table: string;
  /** The column by which the lanes are shared. */
  readonly key: string;
  /** Holds for the rows that are not done yet, in the very words of the indexes' own condition. */
  readonly waits: RawBuilder<boolean>;
  /** Longer than an attempt can take: only a process that died lets a lease run out. */
  readonly leaseMs: number;
};

/** Rows of one look, beside those that somebody holds. */
const mostRows = 64;
/** Keys that are asked in one look, one row of each. */
const mostKeys = 200;

export const leaseTable = <Row>(deps: LeaseTable): Pick<LeasedWork<Row>, "claim" | "due"> => {
  const { query, clock, waits, leaseMs } = deps;
  const table = sql.table(deps.table);
  const key = sql.ref(deps.key);
  const isDue = (now: number): RawBuilder<boolean> =>
    sql`${waits} and due_at <= ${now} and leased_until <= ${now}`;
  /** The key at which the next look by turns begins. */
  let turn = "";

  const longestDue = (now: number): Promise<readonly Due[]> =>
    query
      .selectFrom(
        sql<Due>`(select id, ${key} as key from ${table} where ${isDue(now)} order by due_at limit ${mostRows})`.as(
          "due",
        ),
      )
      .selectAll()
      .execute();

  /** The longest due of each key, found without a look at the rows behind it. */
  const byTurns = async (now: number): Promise<readonly Due[]> => {
    const next = (from: RawBuilder<unknown>) =>
      sql`(select ${key} from ${table} where ${waits} and ${key} ${from} order by ${key} limit 1)`;
    const first = sql`(select id from ${table} where ${key} = turns.key and ${isDue(now)} order by due_at limit 1)`;
    const found = await query
      .selectFrom(
        sql<{ key: string; id: string | null }>`(
          with recursive turns (key, place) as (
            select ${next(sql`>= ${turn}`)}, 1
            union all
            select ${next(sql`> turns.key`)}, place + 1 from turns where turns.key is not null and place < ${mostKeys}
          )
          select turns.key, ${first} as id from turns where turns.key is not null
        )`.as("due"),
      )
      .selectAll()
      .execute();
    turn = found.length < mostKeys ? "" : (found.at(-1)?.key ?? "");
    return found.flatMap(({ id, key: of }) => (id === null ? [] : [{ id, key: of }]));
  };

  return {
    due: async (isFull) => {
      const now = clock.now();
      const rows = await longestDue(now);
      const free = rows.filter((row) => !isFull(row.key));
      if (free.length > 0 || rows.length < mostRows) return free;
      // Full keys alone have that much: whoever waits behind them is found by the index of the keys.
      return (await byTurns(now)).filter((row) => !isFull(row.key));
    },
    claim: async (id) => {
      const now = clock.now();
      // Counted before it is made: of an attempt that ends the process nobody could tell afterwards.
      const { rows } =
        await sql<Row>`update ${table} set leased_until = ${now + leaseMs}, attempts = attempts + 1
        where id = ${id} and ${isDue(now)} returning *`.execute(query);
      return rows[0];
    },
  };
};
