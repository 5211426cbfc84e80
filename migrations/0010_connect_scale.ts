import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

/** What is asked of connections, and done with them, does not grow with how many there are. */
export const up = async (db: Kysely<unknown>, { int, tableEnd }: ColumnTypes): Promise<void> => {
  // From then on it is nobody's; its connections are erased piece by piece
  await db.schema.alterTable("integrations").addColumn("deleted_at", int).execute();
  await db.schema
    .createIndex("integrations_deleted")
    .on("integrations")
    .column("deleted_at")
    .where(sql.ref("deleted_at"), "is not", null)
    .execute();

  // Until when an integration's provider wants to be left alone, by the origin that said so
  await db.schema
    .createTable("provider_waits")
    .addColumn("integration_id", int, (c) => c.notNull().references("integrations.id").onDelete("cascade"))
    .addColumn("origin", "text", (c) => c.notNull())
    .addColumn("until", int, (c) => c.notNull())
    .addPrimaryKeyConstraint("provider_waits_pk", ["integration_id", "origin"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("provider_waits_until").on("provider_waits").column("until").execute();

  // Another environment's connections with the same tag are not to be walked over
  await db.schema
    .alterTable("connection_tags")
    .addColumn("environment_id", int, (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`update connection_tags set environment_id =
    (select environment_id from connections where connections.id = connection_tags.connection_row)`.execute(
    db,
  );
  await db.schema.dropIndex("connection_tags_value").execute();
  await db.schema
    .createIndex("connection_tags_value")
    .on("connection_tags")
    .columns(["environment_id", "key", "value", "connection_row"])
    .execute();

  // Each list is in the order of its index, and pages that are skipped are not read
  await db.schema.dropIndex("connections_environment").execute();
  await db.schema.dropIndex("connections_end_user").execute();
  const lists = {
    connections_environment: ["environment_id", "id", "integration_id"],
    connections_integration: ["integration_id", "id"],
    connections_id: ["environment_id", "connection_id", "id"],
    connections_end_user: ["environment_id", "end_user_id", "id"],
    connections_organization: ["environment_id", "organization_id", "id"],
  } as const;
  for (const [name, columns] of Object.entries(lists)) {
    await db.schema
      .createIndex(name)
      .on("connections")
      .columns([...columns])
      .execute();
  }

  // What links it anew is looked for with each connection that goes
  await db.schema
    .createIndex("connect_sessions_connection")
    .on("connect_sessions")
    .column("connection_row")
    .execute();

  // Whoever is told of connections that are deleted is told of integrations, too
  await sql`update webhook_settings set
    events = replace(events, '"connection.deleted"', '"connection.deleted","integration.deleted"')`.execute(
    db,
  );
};
