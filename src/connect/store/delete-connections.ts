import { tables, type Queries } from "./tables.ts";

/** With the row goes the data key that opens its credentials. False when it was gone already. */
export const deleteConnection = async (query: Queries, row: number): Promise<boolean> =>
  (await tables(query).deleteFrom("connections").where("id", "=", row).returning("id").executeTakeFirst()) !==
  undefined;

/** Up to a thousand at once. */
export const deleteConnections = async (query: Queries, rows: readonly number[]): Promise<void> => {
  if (rows.length > 0) await tables(query).deleteFrom("connections").where("id", "in", rows).execute();
};
