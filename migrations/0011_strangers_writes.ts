import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

/** What strangers make the server write is bounded, and what is purged is found by an index. */
export const up = async (db: Kysely<unknown>, { int }: ColumnTypes): Promise<void> => {
  await db.schema.createIndex("sessions_last_seen_at").on("sessions").column("last_seen_at").execute();
  await db.schema.createIndex("changes_at").on("changes").column("at").execute();

  // A refusal that is nobody's is one row a minute, and how often it came
  await db.schema
    .alterTable("audit_events")
    .addColumn("times", int, (c) => c.notNull().defaultTo(1))
    .execute();
  await db.schema
    .createIndex("audit_events_refused")
    .on("audit_events")
    .column("at")
    // Not "is null": SQLite would rather go by the accounts' own index, and sort
    .where(sql<boolean>`coalesce(account_id, 0) = 0 and outcome = 'refused'`)
    .execute();

  // Mails that are thrown away go many at once, and keep no other waiting
  await db.schema
    .alterTable("mail_queue")
    .addColumn("discarded", int, (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.dropIndex("mail_queue_due_at").execute();
  await db.schema.dropIndex("mail_queue_lane").execute();
  const sent = sql<boolean>`discarded = 0`;
  await db.schema.createIndex("mail_queue_due_at").on("mail_queue").column("due_at").where(sent).execute();
  await db.schema
    .createIndex("mail_queue_lane")
    .on("mail_queue")
    .columns(["lane", "due_at"])
    .where(sent)
    .execute();
  await db.schema
    .createIndex("mail_queue_discarded")
    .on("mail_queue")
    .column("due_at")
    .where(sql<boolean>`discarded = 1`)
    .execute();
};
