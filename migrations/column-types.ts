import { sql, type ColumnDefinitionBuilder, type RawBuilder } from "kysely";

/** The little in which the two stores' table definitions differ. */
export type ColumnTypes = {
  readonly kind: "sqlite" | "postgres";
  /** A whole number of up to 53 bits: times, counters, references. */
  readonly int: RawBuilder<unknown>;
  /** A key that the store counts up. Never given out twice, so that an old reference can't meet a new row. */
  readonly countedKey: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Behind `create table`: SQLite checks column types only when asked. */
  readonly tableEnd: RawBuilder<unknown>;
};

export const columnTypes: Readonly<Record<"sqlite" | "postgres", ColumnTypes>> = {
  sqlite: {
    kind: "sqlite",
    int: sql`integer`,
    countedKey: (column) => column.primaryKey().autoIncrement(),
    tableEnd: sql`strict`,
  },
  postgres: {
    kind: "postgres",
    int: sql`bigint`,
    countedKey: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
    tableEnd: sql``,
  },
};
