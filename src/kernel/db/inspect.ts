/** Questions about a store's health, for an operator who looks for what is the matter. They leave no trace. */
import { sql } from "kysely";
import type { Store } from "./store.ts";

class Undone extends Error {}

/**
 * Writes and takes it back. A store without its tables is asked for the right to make one.
 * @throws what the database says when it may not be written
 */
export const tryWriting = async (store: Store, hasTables: boolean): Promise<void> => {
  try {
    await store.transaction(async ({ query }) => {
      if (hasTables) await sql`update change_counter set seq = seq where id = 1`.execute(query);
      else await sql`create table latchkey_probe (id integer)`.execute(query);
      throw new Undone();
    });
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
};

/**
 * Writes, and keeps it: what is taken back never reaches a disk, which may be full. Nothing is different afterwards.
 * @throws what the database says when it may not be written
 */
export const proveWritable = async ({ query }: Store): Promise<void> => {
  await sql`update change_counter set seq = seq where id = 1`.execute(query);
};

/** What SQLite's quick check of the whole file complains of; nothing when the file is sound. */
export const faultsOfFile = async ({ query }: Store): Promise<readonly string[]> => {
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(5)`.execute(query);
  return rows.map((row) => row.quick_check).filter((line) => line !== "ok");
};

/** PostgreSQL's clock, in epoch milliseconds. */
export const databaseTime = async ({ query }: Store): Promise<number> => {
  const { rows } = await sql<{
    now: string;
  }>`select extract(epoch from clock_timestamp()) * 1000 as now`.execute(query);
  return Number(rows[0]?.now);
};

/** When the newest thing happened that the store tells of, in epoch milliseconds. */
export const newestEventAt = async ({ query }: Store): Promise<number | undefined> =>
  (await query.selectFrom("audit_events").select("at").orderBy("id", "desc").limit(1).executeTakeFirst())?.at;
