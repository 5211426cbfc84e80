import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

export type SealedAt = {
  readonly table: string;
  readonly column: string;
  /** Of the JSON in the column, when the sealed text lies there. */
  readonly field?: string;
};

/** In a trigger, of the row that is written. */
const rootKeyIn = (kind: ColumnTypes["kind"], { column, field }: SealedAt): string => {
  if (kind === "postgres") {
    const sealed = field === undefined ? `new.${column}` : `(new.${column}::json ->> '${field}')`;
    return `split_part(${sealed}, ':', 2)`;
  }
  const sealed = field === undefined ? `new.${column}` : `json_extract(new.${column}, '$.${field}')`;
  return `substr(${sealed}, 4, max(instr(substr(${sealed}, 4), ':') - 1, 0))`;
};

/**
 * Has the store itself refuse what is sealed under a root key that was removed. A process that stood still while the key
 * was rotated away would otherwise write what nobody can open any more.
 */
export const guardSeals = async (
  db: Kysely<unknown>,
  kind: ColumnTypes["kind"],
  place: SealedAt,
): Promise<void> => {
  const { table, column } = place;
  const name = `${table}_${column}_seal`;
  const isRemoved = `exists (select 1 from root_keys where removed_at is not null and id = ${rootKeyIn(kind, place)})`;
  const sentence = `${table}.${column} is sealed under a root key that was removed`;
  if (kind === "sqlite") {
    for (const how of ["insert", "update"]) {
      const when = how === "insert" ? "insert" : `update of ${column}`;
      await sql
        .raw(
          `create trigger ${name}_${how} before ${when} on ${table} when ${isRemoved}
            begin select raise(abort, '${sentence}'); end`,
        )
        .execute(db);
    }
    return;
  }
  // Volatile, as functions are unless said otherwise: it sees what was committed while the write waited for a lock. The
  // code is that of a lost race, after which a transaction is tried once more: it reads what was wrapped anew.
  await sql
    .raw(
      `create function ${name}() returns trigger language plpgsql as $$ begin
        if ${isRemoved} then raise exception using errcode = '40001', message = '${sentence}'; end if;
        return new;
      end $$`,
    )
    .execute(db);
  await sql
    .raw(
      `create trigger ${name} before insert or update of ${column} on ${table}
        for each row execute function ${name}()`,
    )
    .execute(db);
};
