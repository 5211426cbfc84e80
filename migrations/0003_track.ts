import type { Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

export const up = async (db: Kysely<unknown>, { int, countedKey, tableEnd }: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable("organizations")
    .addColumn("id", int, countedKey)
    .addColumn("owner_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("organizations_owner").on("organizations").column("owner_id").execute();

  await db.schema
    .createTable("workspaces")
    .addColumn("id", int, countedKey)
    .addColumn("organization_id", int, (c) => c.notNull().references("organizations.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("workspaces_organization").on("workspaces").column("organization_id").execute();

  await db.schema
    .createTable("track_profiles")
    .addColumn("account_id", int, (c) => c.primaryKey().references("accounts.id").onDelete("cascade"))
    .addColumn("default_workspace_id", int, (c) => c.references("workspaces.id"))
    .addColumn("beginning_of_week", int, (c) => c.notNull())
    .addColumn("country_id", int)
    .modifyEnd(tableEnd)
    .execute();
};
