import type { Kysely, Selectable } from "kysely";
import type { KernelTables } from "../kernel/db/tables.ts";
import type { Account } from "./account.ts";
import {
  accountOf,
  type AccountTable,
  type AccountTables,
  type CodePurpose,
  type SessionRow,
  type SigningKeyRow,
} from "./tables.ts";

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

type Queries = Kysely<KernelTables>;
const tables = (query: Queries): Kysely<KernelTables & AccountTables> => query.$extendTables<AccountTables>();

const found = (row: Selectable<AccountTable> | undefined): Account | undefined => row && accountOf(row);

/** All SQL of the accounts room. Functions that must be part of something larger take the transaction's queries. */

// ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────

export const insertSession = async (query: Queries, session: SessionRow): Promise<void> => {
  await tables(query).insertInto("sessions").values(session).execute();
};

export const sessionWithAccount = async (
  query: Queries,
  jti: string,
): Promise<{ readonly session: SessionRow; readonly account: Account } | undefined> => {
  const session = await tables(query)
    .selectFrom("sessions")
    .selectAll()
    .where("jti", "=", jti)
    .executeTakeFirst();
  const account = session && (await accountById(query, session.account_id));
  return session && account && { session, account };
};

export const deleteSession = async (query: Queries, jti: string): Promise<boolean> =>
  (await tables(query).deleteFrom("sessions").where("jti", "=", jti).returning("jti").executeTakeFirst()) !==
  undefined;

/** How many were ended. `except` stays. */
export const deleteSessionsOf = async (query: Queries, accountId: number, except?: string): Promise<number> =>
  (
    await tables(query)
      .deleteFrom("sessions")
      .where("account_id", "=", accountId)
      .$if(except !== undefined, (del) => del.where("jti", "!=", except ?? ""))
      .returning("jti")
      .execute()
  ).length;

/** Keeps the newest. @returns how many were ended */
export const endOldestSessions = async (query: Queries, accountId: number, keep: number): Promise<number> =>
  (
    await tables(query)
      .deleteFrom("sessions")
      .where("account_id", "=", accountId)
      .where("jti", "not in", (eb) =>
        eb
          .selectFrom("sessions")
          .select("jti")
          .where("account_id", "=", accountId)
          .orderBy("created_at", "desc")
          .limit(keep),
      )
      .returning("jti")
      .execute()
  ).length;

export const touchSessions = async (query: Queries, seen: ReadonlyMap<string, number>): Promise<void> => {
  for (const [jti, at] of seen) {
    await tables(query)
      .updateTable("sessions")
      .set({ last_seen_at: at })
      .where("jti", "=", jti)
      .where("last_seen_at", "<", at)
      .execute();
  }
};

export const purgeSessions = async (query: Queries, now: number, idleSince: number): Promise<void> => {
  await tables(query)
    .deleteFrom("sessions")
    .where((eb) => eb.or([eb("expires_at", "<=", now), eb("last_seen_at", "<", idleSince)]))
    .execute();
};

// ── API tokens ──────────────────────────────────────────────────────────────────────────────────────────────

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

export const deleteToken = async (query: Queries, accountId: number): Promise<boolean> =>
  (await tables(query)
    .deleteFrom("api_tokens")
    .where("account_id", "=", accountId)
    .returning("id")
    .executeTakeFirst()) !== undefined;

// ── codes that travel by mail ───────────────────────────────────────────────────────────────────────────────

export const putCode = async (
  query: Queries,
  code: {
    readonly accountId: number;
    readonly purpose: CodePurpose;
    readonly digest: string;
    readonly expiresAt: number;
  },
  now: number,
): Promise<void> => {
  const fresh = { digest: code.digest, created_at: now, expires_at: code.expiresAt };
  await tables(query)
    .insertInto("mail_codes")
    .values({ account_id: code.accountId, purpose: code.purpose, ...fresh })
    .onConflict((conflict) => conflict.columns(["account_id", "purpose"]).doUpdateSet(fresh))
    .execute();
};

export const accountByCode = async (
  query: Queries,
  purpose: CodePurpose,
  digest: string,
  now: number,
): Promise<Account | undefined> =>
  found(
    await tables(query)
      .selectFrom("accounts")
      .innerJoin("mail_codes", "mail_codes.account_id", "accounts.id")
      .selectAll("accounts")
      .where("mail_codes.purpose", "=", purpose)
      .where("mail_codes.digest", "=", digest)
      .where("mail_codes.expires_at", ">", now)
      .executeTakeFirst(),
  );

/** Uses the code up: of any number of callers exactly one gets the account. */
export const takeCode = async (
  query: Queries,
  purpose: CodePurpose,
  digest: string,
  now: number,
): Promise<number | undefined> =>
  (
    await tables(query)
      .deleteFrom("mail_codes")
      .where("purpose", "=", purpose)
      .where("digest", "=", digest)
      .where("expires_at", ">", now)
      .returning("account_id")
      .executeTakeFirst()
  )?.account_id;

export const deleteCodes = async (
  query: Queries,
  accountId: number,
  purposes: readonly CodePurpose[],
): Promise<void> => {
  await tables(query)
    .deleteFrom("mail_codes")
    .where("account_id", "=", accountId)
    .where("purpose", "in", purposes)
    .execute();
};

export const purgeCodes = async (query: Queries, now: number): Promise<void> => {
  await tables(query).deleteFrom("mail_codes").where("expires_at", "<=", now).execute();
};

// ── signing keys ────────────────────────────────────────────────────────────────────────────────────────────

export const signingKeys = (query: Queries): Promise<SigningKeyRow[]> =>
  tables(query).selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("kid").execute();

export const insertSigningKey = async (query: Queries, key: SigningKeyRow): Promise<void> => {
  await tables(query).insertInto("signing_keys").values(key).execute();
};

/** The keys that sign now verify until then, and no longer sign. */
export const retireSigningKeys = async (query: Queries, verifiesUntil: number): Promise<void> => {
  await tables(query)
    .updateTable("signing_keys")
    .set({ verifies_until: verifiesUntil })
    .where("verifies_until", "is", null)
    .execute();
};

/** As if it had never signed: a moment that is long past for every process, whatever their clocks say. */
export const endSigningKey = async (query: Queries, kid: string): Promise<boolean> =>
  (await tables(query)
    .updateTable("signing_keys")
    .set((eb) => ({ verifies_until: eb.ref("created_at") }))
    .where("kid", "=", kid)
    .returning("kid")
    .executeTakeFirst()) !== undefined;
