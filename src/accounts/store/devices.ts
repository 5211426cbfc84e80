import { sql } from "kysely";
import { purge } from "../../kernel/db/purge.ts";
import { tables, type Queries } from "./tables.ts";

type Device = { readonly accountId: number; readonly digest: string };

/** Whether somebody signed in to the account with it before. */
export const isDeviceOf = async (query: Queries, { accountId, digest }: Device): Promise<boolean> =>
  (await tables(query)
    .selectFrom("devices")
    .select("digest")
    .where("account_id", "=", accountId)
    .where("digest", "=", digest)
    .executeTakeFirst()) !== undefined;

/** Whether it was given out by this server, to whomever. */
export const isDevice = async (query: Queries, digest: string): Promise<boolean> =>
  (await tables(query)
    .selectFrom("devices")
    .select("digest")
    .where("digest", "=", digest)
    .limit(1)
    .executeTakeFirst()) !== undefined;

export const putDevice = async (
  query: Queries,
  { accountId, digest }: Device,
  now: number,
): Promise<void> => {
  await tables(query)
    .insertInto("devices")
    .values({ account_id: accountId, digest, created_at: now, last_seen_at: now })
    .onConflict((conflict) => conflict.columns(["account_id", "digest"]).doUpdateSet({ last_seen_at: now }))
    .execute();
};

/** Keeps those that were seen last. */
export const deleteOldestDevices = async (query: Queries, accountId: number, keep: number): Promise<void> => {
  await tables(query)
    .deleteFrom("devices")
    .where("account_id", "=", accountId)
    .where("digest", "not in", (eb) =>
      eb
        .selectFrom("devices")
        .select("digest")
        .where("account_id", "=", accountId)
        .orderBy("last_seen_at", "desc")
        .orderBy("digest")
        .limit(keep),
    )
    .execute();
};

export const deleteDevicesOf = async (query: Queries, accountId: number): Promise<void> => {
  await tables(query).deleteFrom("devices").where("account_id", "=", accountId).execute();
};

export const purgeDevices = async (
  query: Queries,
  unseenSince: number,
  signal?: AbortSignal,
): Promise<void> => {
  const where = sql<boolean>`last_seen_at < ${unseenSince}`;
  await purge(query, { table: "devices", key: ["account_id", "digest"], where, by: "last_seen_at" }, signal);
};
