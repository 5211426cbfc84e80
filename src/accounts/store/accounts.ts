import type { Selectable } from "kysely";
import type { Account } from "../model/account.ts";
import { accountOf, tables, type AccountTable, type Queries } from "./tables.ts";

/** What a new account is made of; the rest follows from it. */
export type NewAccount = Pick<
  Account,
  "publicId" | "email" | "emailCanonical" | "displayName" | "timezone"
> & {
  readonly passwordHash: string;
  readonly emailVerifiedAt: number | null;
};

export type AccountEdit = Partial<
  Omit<AccountTable, "id" | "public_id" | "credential_version" | "created_at" | "updated_at">
>;

const found = (row: Selectable<AccountTable> | undefined): Account | undefined => row && accountOf(row);

const accountWhere = async (
  query: Queries,
  column: "id" | "public_id" | "email_canonical",
  value: number | string,
): Promise<Account | undefined> =>
  found(await tables(query).selectFrom("accounts").selectAll().where(column, "=", value).executeTakeFirst());

export const accountById = (query: Queries, id: number): Promise<Account | undefined> =>
  accountWhere(query, "id", id);

export const accountByEmail = (query: Queries, canonical: string): Promise<Account | undefined> =>
  accountWhere(query, "email_canonical", canonical);

export const accountByPublicId = (query: Queries, publicId: string): Promise<Account | undefined> =>
  accountWhere(query, "public_id", publicId);

export const accountByToken = async (query: Queries, digest: string): Promise<Account | undefined> =>
  found(
    await tables(query)
      .selectFrom("accounts")
      .innerJoin("api_tokens", "api_tokens.account_id", "accounts.id")
      .selectAll("accounts")
      .where("api_tokens.digest", "=", digest)
      .executeTakeFirst(),
  );

/** The account as it is now. Whoever changes it waits for this transaction, and then sees what it has written. */
export const holdAccount = async (query: Queries, id: number): Promise<Account | undefined> =>
  found(
    await tables(query)
      .updateTable("accounts")
      .set((eb) => ({ credential_version: eb.ref("credential_version") }))
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst(),
  );

/** Undefined when the address is taken: the unique column decides, also between two who come at once. */
export const insertAccount = async (
  query: Queries,
  account: NewAccount,
  now: number,
): Promise<Account | undefined> =>
  found(
    await tables(query)
      .insertInto("accounts")
      .values({
        public_id: account.publicId,
        email: account.email,
        email_canonical: account.emailCanonical,
        email_verified_at: account.emailVerifiedAt,
        display_name: account.displayName,
        timezone: account.timezone,
        password_hash: account.passwordHash,
        credential_version: 1,
        created_at: now,
        updated_at: now,
        authorization_updated_at: now,
        locked_at: null,
        closed_at: null,
        erase_at: null,
      })
      .onConflict((conflict) => conflict.column("email_canonical").doNothing())
      .returningAll()
      .executeTakeFirst(),
  );

/** With a version: only while the password is still that one; undefined when it was changed since. */
export const editAccount = async (
  query: Queries,
  { id, credentialVersion }: { readonly id: number; readonly credentialVersion?: number | undefined },
  edit: AccountEdit,
  now: number,
): Promise<Account | undefined> =>
  found(
    await tables(query)
      .updateTable("accounts")
      .set({ ...edit, updated_at: now })
      // A new password makes everything that was verified by the old one stale.
      .$if("password_hash" in edit, (update) =>
        update.set((eb) => ({ credential_version: eb("credential_version", "+", 1) })),
      )
      .where("id", "=", id)
      .$if(credentialVersion !== undefined, (update) =>
        update.where("credential_version", "=", credentialVersion ?? 0),
      )
      .returningAll()
      .executeTakeFirst(),
  );

/** The same password under newer parameters; a password that was changed meanwhile stays. */
export const replaceHash = async (query: Queries, account: Account, passwordHash: string): Promise<void> => {
  await tables(query)
    .updateTable("accounts")
    .set({ password_hash: passwordHash })
    .where("id", "=", account.id)
    .where("credential_version", "=", account.credentialVersion)
    .execute();
};

export const eraseAccount = async (query: Queries, id: number): Promise<void> => {
  await tables(query).deleteFrom("accounts").where("id", "=", id).execute();
};

/** False when the account was taken back in the last moment. */
export const eraseDueAccount = async (query: Queries, id: number, now: number): Promise<boolean> =>
  (await tables(query)
    .deleteFrom("accounts")
    .where("id", "=", id)
    .where("erase_at", "<=", now)
    .returning("id")
    .executeTakeFirst()) !== undefined;

export const accountsToErase = async (query: Queries, now: number): Promise<readonly Account[]> =>
  (
    await tables(query).selectFrom("accounts").selectAll().where("erase_at", "<=", now).limit(100).execute()
  ).map(accountOf);

/** An address that was taken in the same moment: SQLite's and PostgreSQL's words for it. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "SQLITE_CONSTRAINT_UNIQUE" || error.code === "23505");
