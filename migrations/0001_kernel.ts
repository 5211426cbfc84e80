import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

export const up = async (db: Kysely<unknown>, { int, countedKey, tableEnd }: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable("change_counter")
    .addColumn("id", int, (c) => c.primaryKey())
    .addColumn("seq", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await sql`insert into change_counter (id, seq) values (1, 0)`.execute(db);

  await db.schema
    .createTable("changes")
    .addColumn("seq", int, (c) => c.primaryKey())
    .addColumn("account_id", int)
    .addColumn("at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("root_keys")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("check_value", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("server_secrets")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("tries")
    .addColumn("key", "text", (c) => c.primaryKey())
    .addColumn("count", int, (c) => c.notNull())
    .addColumn("window_started_at", int, (c) => c.notNull())
    .addColumn("last_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("tries_last_at").on("tries").column("last_at").execute();

  await db.schema
    .createTable("mail_queue")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("attempts", int, (c) => c.notNull())
    .addColumn("due_at", int, (c) => c.notNull())
    .addColumn("leased_until", int, (c) => c.notNull())
    .addColumn("expires_at", int, (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("mail_queue_due_at").on("mail_queue").column("due_at").execute();

  await db.schema
    .createTable("jobs")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("due_at", int, (c) => c.notNull())
    .addColumn("leased_until", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("audit_events")
    .addColumn("id", int, countedKey)
    .addColumn("at", int, (c) => c.notNull())
    .addColumn("account_id", int)
    .addColumn("event", "text", (c) => c.notNull())
    .addColumn("outcome", "text", (c) => c.notNull())
    .addColumn("channel", "text", (c) => c.notNull())
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .addColumn("request_id", "text")
    .addColumn("details", "text")
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("audit_events_account")
    .on("audit_events")
    .columns(["account_id", "id"])
    .execute();
  await db.schema.createIndex("audit_events_at").on("audit_events").column("at").execute();
};
