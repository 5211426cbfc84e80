import { sql } from "kysely";
import { purge } from "../../kernel/db/purge.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { tables, type CodePurpose, type Queries } from "./tables.ts";

/** One code a purpose and account: an older one stops working. */
export const putCode = async (
  query: Queries,
  code: {
    readonly accountId: number;
    readonly purpose: CodePurpose;
    readonly digest: string;
    readonly expiresAt: number;
    /** Where the account moves to when the code is confirmed. */
    readonly email?: EmailAddress | undefined;
    /** The code itself, where it may be mailed once more. */
    readonly sealed: string | null;
  },
  now: number,
): Promise<void> => {
  const fresh = {
    digest: code.digest,
    created_at: now,
    expires_at: code.expiresAt,
    email: code.email?.address ?? null,
    email_canonical: code.email?.canonical ?? null,
    sealed: code.sealed,
  };
  await tables(query)
    .insertInto("mail_codes")
    .values({ account_id: code.accountId, purpose: code.purpose, ...fresh })
    .onConflict((conflict) => conflict.columns(["account_id", "purpose"]).doUpdateSet(fresh))
    .execute();
};

export type MailCode = {
  readonly accountId: number;
  /** Where the account moves to; undefined when the code is about something else. */
  readonly email: EmailAddress | undefined;
};

const codeOf = (row: {
  readonly account_id: number;
  readonly email: string | null;
  readonly email_canonical: string | null;
}): MailCode => ({
  accountId: row.account_id,
  email:
    row.email === null || row.email_canonical === null
      ? undefined
      : { address: row.email, canonical: row.email_canonical },
});

/** The code as long as nobody has used it up, for what must be known before. */
export const findCode = async (
  query: Queries,
  purposes: readonly CodePurpose[],
  digest: string,
  now: number,
): Promise<MailCode | undefined> => {
  const row = await tables(query)
    .selectFrom("mail_codes")
    .select(["account_id", "email", "email_canonical"])
    .where("purpose", "in", purposes)
    .where("digest", "=", digest)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row && codeOf(row);
};

/** A code that is still good and can be mailed once more. */
export type SealedCode = { readonly digest: string; readonly sealed: string; readonly createdAt: number };

export const sealedCode = async (
  query: Queries,
  { accountId, purpose }: { readonly accountId: number; readonly purpose: CodePurpose },
  now: number,
): Promise<SealedCode | undefined> => {
  const row = await tables(query)
    .selectFrom("mail_codes")
    .select(["digest", "sealed", "created_at"])
    .where("account_id", "=", accountId)
    .where("purpose", "=", purpose)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row && row.sealed !== null
    ? { digest: row.digest, sealed: row.sealed, createdAt: row.created_at }
    : undefined;
};

export const prolongCode = async (query: Queries, digest: string, expiresAt: number): Promise<void> => {
  await tables(query)
    .updateTable("mail_codes")
    .set({ expires_at: expiresAt })
    .where("digest", "=", digest)
    .execute();
};

/** Uses the code up: of any number of callers exactly one gets it. */
export const takeCode = async (
  query: Queries,
  purposes: readonly CodePurpose[],
  digest: string,
  now: number,
): Promise<MailCode | undefined> => {
  const row = await tables(query)
    .deleteFrom("mail_codes")
    .where("purpose", "in", purposes)
    .where("digest", "=", digest)
    .where("expires_at", ">", now)
    .returning(["account_id", "email", "email_canonical"])
    .executeTakeFirst();
  return row && codeOf(row);
};

/** The address that the account is about to move to. */
export const pendingEmail = async (
  query: Queries,
  accountId: number,
  now: number,
): Promise<string | undefined> =>
  (
    await tables(query)
      .selectFrom("mail_codes")
      .select("email")
      .where("account_id", "=", accountId)
      .where("purpose", "=", "change_email")
      .where("expires_at", ">", now)
      .executeTakeFirst()
  )?.email ?? undefined;

/** @returns whether there were any */
export const deleteCodes = async (
  query: Queries,
  accountId: number,
  purposes: readonly CodePurpose[],
): Promise<boolean> =>
  (
    await tables(query)
      .deleteFrom("mail_codes")
      .where("account_id", "=", accountId)
      .where("purpose", "in", purposes)
      .returning("purpose")
      .execute()
  ).length > 0;

export const purgeCodes = async (query: Queries, now: number, signal?: AbortSignal): Promise<void> => {
  const where = sql<boolean>`expires_at <= ${now}`;
  await purge(query, { table: "mail_codes", key: ["digest"], where, by: "expires_at" }, signal);
};
