import { sql, type Kysely } from "kysely";

/** What a courier, or a purge, looks for is found without a walk over all that waits, or is kept. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  // Mails of one host share it; it does not tell the host
  await db.schema
    .alterTable("mail_queue")
    .addColumn("lane", "text", (c) => c.notNull().defaultTo(""))
    .execute();
  await db.schema.createIndex("mail_queue_lane").on("mail_queue").columns(["lane", "due_at"]).execute();

  // The old index had all that is kept besides, and SQLite preferred it to the one by receiver
  await db.schema.dropIndex("webhook_deliveries_due").execute();
  await db.schema
    .createIndex("webhook_deliveries_due")
    .on("webhook_deliveries")
    .column("due_at")
    .where(sql.ref("state"), "=", sql.lit("pending"))
    .execute();
  await db.schema
    .createIndex("webhook_deliveries_receiver")
    .on("webhook_deliveries")
    .columns(["url", "due_at"])
    .where(sql.ref("state"), "=", sql.lit("pending"))
    .execute();
  await db.schema
    .createIndex("webhook_deliveries_ended")
    .on("webhook_deliveries")
    .column("ended_at")
    .where(sql.ref("ended_at"), "is not", null)
    .execute();
  await db.schema
    .createIndex("webhook_deliveries_contents")
    .on("webhook_deliveries")
    .column("ended_at")
    .where(sql<boolean>`ended_at is not null and sealed is not null`)
    .execute();
};
