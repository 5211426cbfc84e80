import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

export const up = async (db: Kysely<unknown>, { int, countedKey, tableEnd }: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable("environments")
    .addColumn("id", int, countedKey)
    .addColumn("name", "text", (c) => c.notNull().unique())
    // JSON: the origins of apps that may open the form
    .addColumn("connect_origins", "text", (c) => c.notNull())
    // JSON: what the form looks like
    .addColumn("appearance", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("environment_keys")
    .addColumn("id", int, countedKey)
    .addColumn("environment_id", int, (c) => c.notNull().references("environments.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("digest", "text", (c) => c.notNull().unique())
    .addColumn("scopes", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("last_used_at", int)
    .addUniqueConstraint("environment_keys_name", ["environment_id", "name"])
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("integrations")
    .addColumn("id", int, countedKey)
    .addColumn("environment_id", int, (c) => c.notNull().references("environments.id").onDelete("cascade"))
    .addColumn("unique_key", "text", (c) => c.notNull())
    .addColumn("provider", "text", (c) => c.notNull())
    .addColumn("display_name", "text")
    .addColumn("forward_webhooks", int, (c) => c.notNull())
    // JSON: base_url, keep_password and what the provider's file asks for once an integration
    .addColumn("config", "text", (c) => c.notNull())
    .addColumn("sealed_config", "text")
    .addColumn("config_version", int, (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addUniqueConstraint("integrations_key", ["environment_id", "unique_key"])
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("connections")
    .addColumn("id", int, countedKey)
    .addColumn("environment_id", int, (c) => c.notNull().references("environments.id").onDelete("cascade"))
    .addColumn("integration_id", int, (c) => c.notNull().references("integrations.id").onDelete("cascade"))
    .addColumn("connection_id", "text", (c) => c.notNull())
    // Which of the provider's shapes the credentials have
    .addColumn("shape", "text", (c) => c.notNull())
    // Credentials and secret fields of the configuration, under a data key of this row
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("sealed_version", int, (c) => c.notNull())
    .addColumn("config", "text", (c) => c.notNull())
    .addColumn("metadata", "text", (c) => c.notNull())
    .addColumn("end_user", "text")
    .addColumn("end_user_id", "text")
    .addColumn("organization_id", "text")
    .addColumn("webhook_url_override", "text")
    // What is searched, in lower case
    .addColumn("search_text", "text", (c) => c.notNull())
    // Whose account it is, as the provider told
    .addColumn("account_id", "text")
    .addColumn("account_name", "text")
    .addColumn("account_email", "text")
    .addColumn("account_workspace", "text")
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("state_reason", "text")
    // The origin that accepted the credentials; they go nowhere else by themselves
    .addColumn("origin", "text", (c) => c.notNull())
    .addColumn("last_verified_at", int)
    .addColumn("last_used_at", int)
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addUniqueConstraint("connections_key", ["integration_id", "connection_id"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("connections_environment")
    .on("connections")
    .columns(["environment_id", "id"])
    .execute();
  await db.schema
    .createIndex("connections_end_user")
    .on("connections")
    .columns(["environment_id", "end_user_id"])
    .execute();

  await db.schema
    .createTable("connection_tags")
    .addColumn("connection_row", int, (c) => c.notNull().references("connections.id").onDelete("cascade"))
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("value", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("connection_tags_pk", ["connection_row", "key"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("connection_tags_value")
    .on("connection_tags")
    .columns(["key", "value"])
    .execute();

  await db.schema
    .createTable("connect_sessions")
    .addColumn("id", int, countedKey)
    .addColumn("digest", "text", (c) => c.notNull().unique())
    .addColumn("environment_id", int, (c) => c.notNull().references("environments.id").onDelete("cascade"))
    // JSON, all of what the app said when it made the session
    .addColumn("terms", "text", (c) => c.notNull())
    // The connection that is linked anew
    .addColumn("connection_row", int, (c) => c.references("connections.id").onDelete("cascade"))
    .addColumn("tries", int, (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("expires_at", int, (c) => c.notNull())
    .addColumn("finished_at", int)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("connect_sessions_expires_at")
    .on("connect_sessions")
    .column("expires_at")
    .execute();

  await db.schema
    .createTable("webhook_settings")
    .addColumn("environment_id", int, (c) => c.primaryKey().references("environments.id").onDelete("cascade"))
    .addColumn("primary_url", "text")
    .addColumn("secondary_url", "text")
    // JSON: which events are sent
    .addColumn("events", "text", (c) => c.notNull())
    .addColumn("sealed_secret", "text", (c) => c.notNull())
    .addColumn("secret_version", int, (c) => c.notNull())
    // Signs beside the new one until then, so that receivers can change over
    .addColumn("sealed_former_secret", "text")
    .addColumn("former_until", int)
    .addColumn("updated_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();

  await db.schema
    .createTable("webhook_deliveries")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("environment_id", int, (c) => c.notNull().references("environments.id").onDelete("cascade"))
    .addColumn("event", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    // The body; erased when it is delivered or given up
    .addColumn("sealed", "text")
    .addColumn("attempts", int, (c) => c.notNull())
    .addColumn("due_at", int, (c) => c.notNull())
    .addColumn("leased_until", int, (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("last_status", int)
    .addColumn("last_error", "text")
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("ended_at", int)
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("webhook_deliveries_due")
    .on("webhook_deliveries")
    .columns(["state", "due_at"])
    .execute();
  await db.schema
    .createIndex("webhook_deliveries_environment")
    .on("webhook_deliveries")
    .columns(["environment_id", "created_at"])
    .execute();

  const now = Date.now();
  for (const name of ["dev", "prod"]) {
    await sql`insert into environments (name, connect_origins, appearance, created_at) values (${name}, '[]', '{}', ${now})`.execute(
      db,
    );
  }
};
