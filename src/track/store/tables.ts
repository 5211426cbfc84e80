import type { Generated, Kysely, Selectable } from "kysely";
import type { KernelTables } from "../../kernel/db/tables.ts";

/** The tables of this room, as migrations made them. Times are milliseconds unless a name says otherwise. */

type OrganizationTable = {
  id: Generated<number>;
  owner_id: number;
  name: string;
  created_at: number;
  updated_at: number;
};

type WorkspaceTable = {
  id: Generated<number>;
  organization_id: number;
  name: string;
  created_at: number;
  updated_at: number;
};

type TrackProfileTable = {
  account_id: number;
  default_workspace_id: number | null;
  beginning_of_week: number;
  country_id: number | null;
};

/** What somebody may do in a workspace. */
export type Role = "admin" | "member";

type MemberTable = {
  id: Generated<number>;
  workspace_id: number;
  account_id: number;
  role: Role;
  created_at: number;
  updated_at: number;
};

type ClientTable = {
  id: Generated<number>;
  workspace_id: number;
  creator_id: number | null;
  name: string;
  notes: string | null;
  external_reference: string | null;
  archived: number;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
};

type ProjectTable = {
  id: Generated<number>;
  workspace_id: number;
  client_id: number | null;
  name: string;
  color: string;
  is_private: number;
  active: number;
  billable: number | null;
  start_date: string;
  end_date: string | null;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
};

type TagTable = {
  id: Generated<number>;
  workspace_id: number;
  creator_id: number | null;
  name: string;
  updated_at: number;
  deleted_at: number | null;
};

type TimeEntryTable = {
  id: Generated<number>;
  workspace_id: number;
  account_id: number;
  project_id: number | null;
  description: string | null;
  billable: number;
  /** Seconds since 1970, as is `stop`. */
  start: number;
  stop: number | null;
  /** Seconds; null while it runs. */
  duration: number | null;
  created_with: string;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
};

type TimeEntryTagTable = { entry_id: number; tag_id: number };

type TrackTables = {
  organizations: OrganizationTable;
  workspaces: WorkspaceTable;
  workspace_members: MemberTable;
  track_profiles: TrackProfileTable;
  clients: ClientTable;
  projects: ProjectTable;
  tags: TagTable;
  time_entries: TimeEntryTable;
  time_entry_tags: TimeEntryTagTable;
};

export type ProjectRow = Selectable<ProjectTable>;
export type TagRow = Selectable<TagTable>;
export type TimeEntryRow = Selectable<TimeEntryTable>;
export type OrganizationRow = Selectable<OrganizationTable>;
export type WorkspaceRow = Selectable<WorkspaceTable>;
export type TrackProfile = Selectable<TrackProfileTable>;

export type Queries = Kysely<KernelTables>;

export const tables = (query: Queries): Kysely<KernelTables & TrackTables> =>
  query.$extendTables<TrackTables>();
