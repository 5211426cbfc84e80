import type { Generated, Kysely, Selectable } from "kysely";
import type { KernelTables } from "../../kernel/db/tables.ts";
import type { Account } from "../model/account.ts";

/**
 * The tables of the accounts room, as migrations/ makes them. All SQL of the room is in this folder. Functions that
 * must be part of something larger take the transaction's queries.
 */

export type AccountTable = {
  id: Generated<number>;
  public_id: string;
  email: string;
  email_canonical: string;
  email_verified_at: number | null;
  display_name: string;
  timezone: string;
  password_hash: string | null;
  credential_version: number;
  created_at: number;
  updated_at: number;
  authorization_updated_at: number;
  locked_at: number | null;
  closed_at: number | null;
  erase_at: number | null;
};

type SessionTable = {
  jti: string;
  account_id: number;
  created_at: number;
  expires_at: number;
  last_seen_at: number;
  remembered: number;
  address: string | null;
  user_agent: string | null;
};

type ApiTokenTable = {
  id: Generated<number>;
  account_id: number;
  digest: string;
  sealed: string;
  created_at: number;
};

export const codePurposes = ["reset", "verify_email", "change_email", "undo_close"] as const;
export type CodePurpose = (typeof codePurposes)[number];

type MailCodeTable = {
  account_id: number;
  purpose: CodePurpose;
  digest: string;
  created_at: number;
  expires_at: number;
  /** The address that a `change_email` moves the account to; null otherwise. */
  email: string | null;
  email_canonical: string | null;
  /** The code, for a mail that repeats it; null where none does. */
  sealed: string | null;
};

type DeviceTable = {
  account_id: number;
  digest: string;
  created_at: number;
  last_seen_at: number;
};

type SigningKeyTable = {
  kid: string;
  public_key: string;
  sealed_private_key: string;
  created_at: number;
  verifies_until: number | null;
};

export type AccountTables = {
  accounts: AccountTable;
  sessions: SessionTable;
  api_tokens: ApiTokenTable;
  mail_codes: MailCodeTable;
  devices: DeviceTable;
  signing_keys: SigningKeyTable;
};

export type Queries = Kysely<KernelTables>;

export const tables = (query: Queries): Kysely<KernelTables & AccountTables> =>
  query.$extendTables<AccountTables>();

export type SessionRow = Selectable<SessionTable>;
export type SigningKeyRow = Selectable<SigningKeyTable>;

/** A row as the room speaks of it. */
export const accountOf = (row: Selectable<AccountTable>): Account =>
  Object.freeze({
    id: row.id,
    publicId: row.public_id,
    email: row.email,
    emailCanonical: row.email_canonical,
    emailVerifiedAt: row.email_verified_at,
    displayName: row.display_name,
    timezone: row.timezone,
    passwordHash: row.password_hash,
    credentialVersion: row.credential_version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    authorizationUpdatedAt: row.authorization_updated_at,
    lockedAt: row.locked_at,
    closedAt: row.closed_at,
    eraseAt: row.erase_at,
  });
