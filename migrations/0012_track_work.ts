import { sql, type Kysely } from "kysely";
import type { ColumnTypes } from "./column-types.ts";

/** What is done in a workspace and for whom: members, clients, projects, tags and time entries. */
export const up = async (db: Kysely<unknown>, { int, countedKey, tableEnd }: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable("workspace_members")
    .addColumn("id", int, countedKey)
    .addColumn("workspace_id", int, (c) => c.notNull().references("workspaces.id").onDelete("cascade"))
    .addColumn("account_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("role", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .modifyEnd(tableEnd)
    .execute();
  await db.schema
    .createIndex("workspace_members_account")
    .on("workspace_members")
    .columns(["account_id", "workspace_id"])
    .unique()
    .execute();
  await db.schema
    .createIndex("workspace_members_workspace")
    .on("workspace_members")
    .column("workspace_id")
    .execute();
  await sql`
    insert into workspace_members (workspace_id, account_id, role, created_at, updated_at)
    select workspaces.id, organizations.owner_id, 'admin', workspaces.created_at, workspaces.created_at
    from workspaces inner join organizations on organizations.id = workspaces.organization_id
  `.execute(db);

  await db.schema
    .createTable("clients")
    .addColumn("id", int, countedKey)
    .addColumn("workspace_id", int, (c) => c.notNull().references("workspaces.id").onDelete("cascade"))
    .addColumn("creator_id", int, (c) => c.references("accounts.id").onDelete("set null"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("notes", "text")
    .addColumn("external_reference", "text")
    .addColumn("archived", int, (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addColumn("deleted_at", int)
    .modifyEnd(tableEnd)
    .execute();
  await sql`create unique index clients_name on clients (workspace_id, name) where deleted_at is null`.execute(
    db,
  );

  await db.schema
    .createTable("projects")
    .addColumn("id", int, countedKey)
    .addColumn("workspace_id", int, (c) => c.notNull().references("workspaces.id").onDelete("cascade"))
    .addColumn("client_id", int, (c) => c.references("clients.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("color", "text", (c) => c.notNull())
    .addColumn("is_private", int, (c) => c.notNull())
    .addColumn("active", int, (c) => c.notNull())
    .addColumn("billable", int)
    /** Days, as `2026-11-30`. */
    .addColumn("start_date", "text", (c) => c.notNull())
    .addColumn("end_date", "text")
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addColumn("deleted_at", int)
    .modifyEnd(tableEnd)
    .execute();
  // Two projects of different clients may have one name.
  await sql`
    create unique index projects_name on projects (workspace_id, name, coalesce(client_id, 0)) where deleted_at is null
  `.execute(db);
  await db.schema.createIndex("projects_client").on("projects").column("client_id").execute();

  await db.schema
    .createTable("tags")
    .addColumn("id", int, countedKey)
    .addColumn("workspace_id", int, (c) => c.notNull().references("workspaces.id").onDelete("cascade"))
    .addColumn("creator_id", int, (c) => c.references("accounts.id").onDelete("set null"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addColumn("deleted_at", int)
    .modifyEnd(tableEnd)
    .execute();
  await sql`create unique index tags_name on tags (workspace_id, name) where deleted_at is null`.execute(db);

  await db.schema
    .createTable("time_entries")
    .addColumn("id", int, countedKey)
    .addColumn("workspace_id", int, (c) => c.notNull().references("workspaces.id").onDelete("cascade"))
    .addColumn("account_id", int, (c) => c.notNull().references("accounts.id").onDelete("cascade"))
    .addColumn("project_id", int, (c) => c.references("projects.id"))
    .addColumn("description", "text")
    .addColumn("billable", int, (c) => c.notNull())
    /** Seconds since 1970. */
    .addColumn("start", int, (c) => c.notNull())
    .addColumn("stop", int)
    /** Seconds; null while it runs. */
    .addColumn("duration", int)
    .addColumn("created_with", "text", (c) => c.notNull())
    .addColumn("created_at", int, (c) => c.notNull())
    .addColumn("updated_at", int, (c) => c.notNull())
    .addColumn("deleted_at", int)
    .modifyEnd(tableEnd)
    .execute();
  // However many calls come at once, one entry of a person runs.
  await sql`
    create unique index time_entries_running on time_entries (account_id) where duration is null and deleted_at is null
  `.execute(db);
  await db.schema
    .createIndex("time_entries_account_start")
    .on("time_entries")
    .columns(["account_id", "start"])
    .execute();
  await db.schema
    .createIndex("time_entries_account_change")
    .on("time_entries")
    .columns(["account_id", "updated_at"])
    .execute();
  await db.schema
    .createIndex("time_entries_workspace_start")
    .on("time_entries")
    .columns(["workspace_id", "start"])
    .execute();
  await db.schema.createIndex("time_entries_project").on("time_entries").column("project_id").execute();

  await db.schema
    .createTable("time_entry_tags")
    .addColumn("entry_id", int, (c) => c.notNull().references("time_entries.id").onDelete("cascade"))
    .addColumn("tag_id", int, (c) => c.notNull().references("tags.id").onDelete("cascade"))
    .addPrimaryKeyConstraint("time_entry_tags_key", ["entry_id", "tag_id"])
    .modifyEnd(tableEnd)
    .execute();
  await db.schema.createIndex("time_entry_tags_tag").on("time_entry_tags").column("tag_id").execute();
};
