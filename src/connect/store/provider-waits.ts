import { sql } from "kysely";
import { purge } from "../../kernel/db/purge.ts";
import { tables, type Queries } from "./tables.ts";

/** Until when providers want to be left alone, by the integration and by the origin that said so. */

/** Epoch milliseconds; undefined when it never said so, or the time is over. */
export const providerWait = async (
  query: Queries,
  { integrationId, origin }: { readonly integrationId: number; readonly origin: string },
  now: number,
): Promise<number | undefined> =>
  (
    await tables(query)
      .selectFrom("provider_waits")
      .select("until")
      .where("integration_id", "=", integrationId)
      .where("origin", "=", origin)
      .where("until", ">", now)
      .executeTakeFirst()
  )?.until;

/** What was said last counts. Of an integration that is gone meanwhile nothing is written. */
export const putProviderWait = async (
  query: Queries,
  wait: { readonly integrationId: number; readonly origin: string; readonly until: number },
): Promise<void> => {
  await tables(query)
    .insertInto("provider_waits")
    .columns(["integration_id", "origin", "until"])
    .expression((eb) =>
      eb
        .selectFrom("integrations")
        .select((of) => ["id", of.val(wait.origin).as("origin"), of.val(wait.until).as("until")])
        .where("id", "=", wait.integrationId),
    )
    .onConflict((conflict) =>
      conflict.columns(["integration_id", "origin"]).doUpdateSet({ until: wait.until }),
    )
    .execute();
};

export const purgeProviderWaits = async (
  query: Queries,
  now: number,
  signal?: AbortSignal,
): Promise<void> => {
  const where = sql<boolean>`until <= ${now}`;
  const key = ["integration_id", "origin"] as const;
  await purge(query, { table: "provider_waits", key, where, by: "until" }, signal);
};
