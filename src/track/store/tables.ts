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

type TrackTables = {
  organizations: OrganizationTable;
  workspaces: WorkspaceTable;
  track_profiles: TrackProfileTable;
};

export type OrganizationRow = Selectable<OrganizationTable>;
export type WorkspaceRow = Selectable<WorkspaceTable>;
export type TrackProfile = Selectable<TrackProfileTable>;

export type Queries = Kysely<KernelTables>;

export const tables = (query: Queries): Kysely<KernelTables & TrackTables> =>
  query.$extendTables<TrackTables>();
