/** Where sealed texts lie in the store, and how their data keys are wrapped anew while the server works. */
import { sql, type RawBuilder } from "kysely";
import { setTimeout as wait } from "node:timers/promises";

import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";
import type { Random } from "../ids.ts";
import { rewrap, UnsealError } from "./envelope.ts";
import type { RootKeys } from "./root-keys.ts";

export type SealedColumn = {
  readonly table: string;
  /** A column that is unique. */
  readonly key: string;
  readonly column: string;
  /** Of the JSON in the column, when the sealed text lies there. */
  readonly field?: string;
};

/** The same, of tables that a room has. */
export type SealedColumnOf<Tables> = {
  [Table in keyof Tables & string]: {
    readonly table: Table;
    readonly key: keyof Tables[Table] & string;
    readonly column: keyof Tables[Table] & string;
    readonly field?: string;
  };
}[keyof Tables & string];

export const kernelSealedColumns = [
  { table: "server_secrets", key: "name", column: "sealed" },
  { table: "mail_queue", key: "id", column: "sealed" },
] as const satisfies readonly SealedColumnOf<KernelTables>[];

/** A sealed text that can't be wrapped anew: it was changed, or its root key is not at hand. */
export type Stuck = { readonly column: string; readonly row: string; readonly reason: string };

type Row = { readonly key: string | number; readonly whole: string; readonly sealed: string };

const rowsAtOnce = 50;

export const nameOf = ({ table, column, field }: SealedColumn): string =>
  [table, column, ...(field === undefined ? [] : [field])].join(".");

const sealedIn = ({ kind }: Pick<Store, "kind">, { column, field }: SealedColumn): RawBuilder<string> => {
  if (field === undefined) return sql`${sql.ref(column)}`;
  return kind === "sqlite"
    ? sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${field}`)})`
    : sql`(${sql.ref(column)}::json ->> ${sql.lit(field)})`;
};

const rootKeyIn = (store: Pick<Store, "kind">, at: SealedColumn): RawBuilder<string> => {
  const sealed = sealedIn(store, at);
  return store.kind === "sqlite"
    ? sql`substr(${sealed}, 4, max(instr(substr(${sealed}, 4), ':') - 1, 0))`
    : sql`split_part(${sealed}, ':', 2)`;
};

/** How many sealed texts of the column lean on each root key, by its id. */
export const countByRootKey = async (
  store: Pick<Store, "kind">,
  query: Store["query"],
  at: SealedColumn,
): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await sql<{ root_key: string; values: number | string }>`
    select root_key, count(*) as "values" from (
      select ${rootKeyIn(store, at)} as root_key from ${sql.table(at.table)}
      where ${sealedIn(store, at)} is not null
    ) as sealed group by root_key`.execute(query);
  return new Map(rows.map(({ root_key: id, values }) => [id, Number(values)]));
};

const nextRows = async (
  store: Pick<Store, "kind" | "query">,
  at: SealedColumn,
  sealing: string,
  after: Row["key"] | undefined,
): Promise<readonly Row[]> => {
  const key = sql.ref(at.key);
  const { rows } = await sql<Row>`
    select ${key} as "key", ${sql.ref(at.column)} as whole, ${sealedIn(store, at)} as sealed
    from ${sql.table(at.table)}
    where ${sealedIn(store, at)} is not null and ${rootKeyIn(store, at)} <> ${sealing}
      and ${after === undefined ? sql`1 = 1` : sql`${key} > ${after}`}
    order by ${key} limit ${sql.lit(rowsAtOnce)}`.execute(store.query);
  return rows;
};

type Rewrapping = { readonly store: Store; readonly keys: RootKeys; readonly random: Random };

/** Undefined, and noted, when it can't be. */
const rewrapped = (
  { keys, random }: Rewrapping,
  at: SealedColumn,
  { key, sealed }: Row,
  stuck: Stuck[],
): string | undefined => {
  const place = { room: at.table, row: String(key), field: nameOf(at), version: 0 };
  try {
    return rewrap(keys, random, place, sealed);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    stuck.push({ column: nameOf(at), row: String(key), reason: error.reason });
    return undefined;
  }
};

/** Only where the text is still the one that was read: who wrote meanwhile wins, and is looked at in the next pass. */
const replace = async (
  query: Store["query"],
  at: SealedColumn,
  { key, whole, sealed }: Row,
  fresh: string,
): Promise<void> => {
  const column = sql.ref(at.column);
  await sql`update ${sql.table(at.table)} set ${column} = ${whole.replace(sealed, () => fresh)}
    where ${sql.ref(at.key)} = ${key} and ${column} = ${whole}`.execute(query);
};

const rewrapColumn = async (work: Rewrapping, at: SealedColumn, stuck: Stuck[]): Promise<number> => {
  let done = 0;
  let after: Row["key"] | undefined;
  for (;;) {
    const rows = await nextRows(work.store, at, work.keys.current.id, after);
    if (rows.length === 0) return done;
    const fresh = rows.map((row) => [row, rewrapped(work, at, row, stuck)] as const);
    const startedAt = performance.now();
    await work.store.transaction(async ({ query }) => {
      for (const [row, text] of fresh) if (text !== undefined) await replace(query, at, row, text);
    }, "patient");
    done += fresh.filter(([, text]) => text !== undefined).length;
    after = rows.at(-1)?.key;
    // Others write as much of the time: on SQLite one writer at a time has the file.
    await wait(performance.now() - startedAt);
  }
};

/**
 * Has every data key that is wrapped by another root key wrapped by the current one, a few at a time. What is sealed
 * under another key behind its back is not seen; another pass finds it.
 */
export const rewrapAll = async (
  work: Rewrapping,
  columns: readonly SealedColumn[],
): Promise<{ readonly rewrapped: number; readonly stuck: readonly Stuck[] }> => {
  const stuck: Stuck[] = [];
  let done = 0;
  for (const at of columns) done += await rewrapColumn(work, at, stuck);
  return { rewrapped: done, stuck };
};

/** Until the transaction ends nobody writes to these tables, and whoever was writing has ended. */
export const holdSealedColumns = async (
  { kind }: Pick<Store, "kind">,
  query: Store["query"],
  columns: readonly SealedColumn[],
): Promise<void> => {
  // On SQLite every writing transaction is alone from its beginning.
  if (kind !== "postgres") return;
  const tables = [...new Set(columns.map(({ table }) => table))].map((table) => sql.table(table));
  await sql`lock table ${sql.join(tables)} in share mode`.execute(query);
};

/** On SQLite, what was overwritten is gone from the journal too. @returns false when readers kept it from that */
export const forgetOverwritten = async ({ kind, query }: Pick<Store, "kind" | "query">): Promise<boolean> => {
  if (kind !== "sqlite") return true;
  for (let tries = 0; tries < 50; tries += 1) {
    const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(query);
    if (rows[0]?.busy === 0) return true;
    await wait(20);
  }
  return false;
};
