import { tables, type Queries } from "./tables.ts";

/** The account's one personal token; a former one is gone. */
export const putToken = async (
  query: Queries,
  token: { readonly accountId: number; readonly digest: string; readonly sealed: string },
  now: number,
): Promise<void> => {
  const fresh = { digest: token.digest, sealed: token.sealed, created_at: now };
  await tables(query)
    .insertInto("api_tokens")
    .values({ account_id: token.accountId, ...fresh })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(fresh))
    .execute();
};

export const sealedToken = async (query: Queries, accountId: number): Promise<string | undefined> =>
  (
    await tables(query)
      .selectFrom("api_tokens")
      .select("sealed")
      .where("account_id", "=", accountId)
      .executeTakeFirst()
  )?.sealed;

export const hasToken = async (query: Queries, accountId: number): Promise<boolean> =>
  (await tables(query)
    .selectFrom("api_tokens")
    .select("id")
    .where("account_id", "=", accountId)
    .executeTakeFirst()) !== undefined;

export const deleteToken = async (query: Queries, accountId: number): Promise<boolean> =>
  (await tables(query)
    .deleteFrom("api_tokens")
    .where("account_id", "=", accountId)
    .returning("id")
    .executeTakeFirst()) !== undefined;
