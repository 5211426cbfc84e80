import { tables, type Queries } from "./tables.ts";

/** How an integration goes: at once where it has few connections, and else first for all who ask, then piece by piece. */

export const deleteIntegration = async (query: Queries, id: number): Promise<void> => {
  await tables(query).deleteFrom("integrations").where("id", "=", id).execute();
};

export const countConnections = async (query: Queries, integrationId: number): Promise<number> => {
  const { count } = await tables(query)
    .selectFrom("connections")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("integration_id", "=", integrationId)
    .executeTakeFirstOrThrow();
  return Number(count);
};

/** From now on nobody finds it, or a connection of it. Its key is free, and what was secret of its configuration is gone. */
export const markDeleted = async (query: Queries, id: number, now: number): Promise<void> => {
  await tables(query)
    .updateTable("integrations")
    // No key of an integration has a slash in it.
    .set({ unique_key: `deleted/${id}`, config: "{}", sealed_config: null, deleted_at: now })
    .where("id", "=", id)
    .execute();
};

/** The one that has waited longest to be erased. */
export const nextDeleted = async (query: Queries): Promise<number | undefined> =>
  (
    await tables(query)
      .selectFrom("integrations")
      .select("id")
      .where("deleted_at", "is not", null)
      .orderBy("deleted_at")
      .limit(1)
      .executeTakeFirst()
  )?.id;

/** The newest ones, with their data keys: lists begin there, and have them to skip until they are gone. @returns how many */
export const eraseSomeConnections = async (
  query: Queries,
  integrationId: number,
  most: number,
): Promise<number> => {
  const { numDeletedRows } = await tables(query)
    .deleteFrom("connections")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("connections")
        .select("id")
        .where("integration_id", "=", integrationId)
        .orderBy("id", "desc")
        .limit(most),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
};
