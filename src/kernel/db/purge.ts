import { sql, type Kysely, type RawBuilder } from "kysely";
import type { KernelTables } from "./tables.ts";
import { pieceByPiece } from "../piece-by-piece.ts";

/** Rows that are deleted at once: all else that wants to write waits for them, and on SQLite all that reads. */
const piece = 1000;

/** What is not to be kept any more. */
export type Purged = {
  readonly table: string;
  /** The columns of a key. */
  readonly key: readonly [string, ...string[]];
  /** Of the rows that go, by a column that an index finds them by. */
  readonly where: RawBuilder<boolean>;
  /** That column: the first ones go first. */
  readonly by: string;
};

const deleteSome = async (
  query: Kysely<KernelTables>,
  { table, key, where, by }: Purged,
): Promise<number> => {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const { numAffectedRows } = await sql`delete from ${sql.table(table)} where (${columns}) in
    (select ${columns} from ${sql.table(table)} where ${where} order by ${sql.ref(by)} limit ${sql.lit(piece)})
    and ${where}`.execute(query);
  return Number(numAffectedRows ?? 0);
};

/**
 * Deletes a thousand rows at a time, however many there are, and costs a look at an index when there are none.
 *
 * @param signal ends it after the piece that is under way
 * @returns how many rows
 */
export const purge = async (
  query: Kysely<KernelTables>,
  purged: Purged,
  signal?: AbortSignal,
): Promise<number> => {
  let rows = 0;
  await pieceByPiece(async () => {
    const some = await deleteSome(query, purged);
    rows += some;
    return some >= piece;
  }, signal);
  return rows;
};

/** Forgets changes that every running process has read long ago. @param before epoch milliseconds */
export const purgeChanges = async (
  query: Kysely<KernelTables>,
  before: number,
  signal?: AbortSignal,
): Promise<void> => {
  const where = sql<boolean>`at < ${before}`;
  await purge(query, { table: "changes", key: ["seq"], where, by: "at" }, signal);
};
