import type { Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

export const up = async (db: Kysely<unknown>, { int, countedKey, tableEnd }: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable("accounts")
    .addColumn("id", int, countedKey)
    .addColumn("public_id", "text", (c) => c.notNull().unique())
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("email_canonical", "text", (c) => c.notNull().unique())
    .addColumn("email_verified_at", int)
    .addColumn("display_name", "text", (c) => c.notNull())
    .addColumn("timezone", "text", (c) => c.notNull())
    .addColumn("password_hash", "text")
    .addColumn("credential_version", int, (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addColumn("authorization_updated_at", int, (c) => c.notNull())
    .addColumn("locked_at", int)
    .addColumn("closed_at", int)
    .addColumn("erase_at", int)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("accounts_erase_at").on("accounts").column("erase_at").execute();

  await db.schema
    .createTable("sessions")
    .addColumn("jti", "text", (c) => c.primaryKey())
    .addColumn("account_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("expires_at", int, (c) => c.notNull())
    .addColumn("last_seen_at", int, (c) => c.notNull())
    .addColumn("remembered", int, (c) => c.notNull())
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("sessions_account").on("sessions").column("account_id").execute();
  await db.schema.createIndex("sessions_expires_at").on("sessions").column("expires_at").execute();

  await db.schema
    .createTable("api_tokens")
    .addColumn("id", int, countedKey)
    .addColumn("account_id", int, (c) => c.notNull().unique().references("accounts.id").onDelete("cascade"))
    .addColumn("digest", "text", (c) => c.notNull().unique())
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("mail_codes")
    .addColumn("account_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("purpose", "text", (c) => c.notNull())
    .addColumn("digest", "text", (c) => c.notNull().unique())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("expires_at", int, (c) => c.notNull())
    // One code a purpose: a newer one takes the place of the older.
    .addPrimaryKeyConstraint("mail_codes_pk", ["account_id", "purpose"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("mail_codes_expires_at").on("mail_codes").column("expires_at").execute();

  await db.schema
    .createTable("signing_keys")
    .addColumn("kid", "text", (c) => c.primaryKey())
    .addColumn("public_key", "text", (c) => c.notNull())
    .addColumn("sealed_private_key", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    // Set when a newer key signs: until then it verifies what it signed.
    .addColumn("verifies_until", int)
    .modifyEnd(tableEnd)
    .execute();
};
