import type { Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";
import { guardSeals } from "./seal-guard.ts";

export const up = async (db: Kysely<unknown>, { int, kind, tableEnd }: ColumnTypes): Promise<void> => {
  // The code itself, so that it can be mailed once more. Null: it can't, for it is older, or of another purpose
  await db.schema.alterTable("mail_codes").addColumn("sealed", "text").execute();
  await guardSeals(db, kind, { table: "mail_codes", column: "sealed" });

  // Browsers in which somebody signed in
  await db.schema
    .createTable("devices")
    .addColumn("account_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("digest", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("last_seen_at", int, (c) => c.notNull())
    .addPrimaryKeyConstraint("devices_pk", ["account_id", "digest"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("devices_digest").on("devices").column("digest").execute();
  await db.schema.createIndex("devices_last_seen_at").on("devices").column("last_seen_at").execute();
};
