import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";
import { guardSeals } from "./seal-guard.ts";

export const up = async (db: Kysely<unknown>, { int, kind, tableEnd }: ColumnTypes): Promise<void> => {
  // Null: announced to running processes, and nothing is sealed under it yet. The latest is the one that seals.
  await db.schema.alterTable("root_keys").addColumn("sealing_since", int).execute();
  // Null: there are data keys left to be wrapped anew under it
  await db.schema.alterTable("root_keys").addColumn("settled_at", int).execute();
  // Nothing may lean on it any more, and no start needs it
  await db.schema.alterTable("root_keys").addColumn("removed_at", int).execute();
  await sql`update root_keys set sealing_since = created_at, settled_at = created_at`.execute(db);

  // Running processes that were not given a key that was announced
  await db.schema
    .createTable("root_key_absences")
    .addColumn("root_key_id", "text", (c) => c.notNull().references("root_keys.id").onDelete("cascade"))
    .addColumn("process", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("root_key_absences_pk", ["root_key_id", "process"])
    .modifyEnd(tableEnd)
    .execute();

  for (const place of [
    { table: "server_secrets", column: "sealed" },
    { table: "mail_queue", column: "sealed" },
    { table: "api_tokens", column: "sealed" },
    { table: "signing_keys", column: "sealed_private_key" },
    { table: "integrations", column: "sealed_config" },
    { table: "connections", column: "sealed" },
    { table: "connect_sessions", column: "terms", field: "sealedDefaults" },
    { table: "webhook_settings", column: "sealed_secret" },
    { table: "webhook_settings", column: "sealed_former_secret" },
    { table: "webhook_deliveries", column: "sealed" },
  ]) {
    await guardSeals(db, kind, place);
  }
};
