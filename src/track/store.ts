import type { Generated, Kysely, Selectable } from "kysely";
import type { KernelTables } from "../kernel/db/tables.ts";

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

type Queries = Kysely<KernelTables>;
const tables = (query: Queries): Kysely<KernelTables & TrackTables> => query.$extendTables<TrackTables>();

/** All SQL of the track room. */

export const insertOrganization = async (
  query: Queries,
  organization: { readonly ownerId: number; readonly name: string },
  now: number,
): Promise<number> =>
  (
    await tables(query)
      .insertInto("organizations")
      .values({ owner_id: organization.ownerId, name: organization.name, created_at: now, updated_at: now })
      .returning("id")
      .executeTakeFirstOrThrow()
  ).id;

export const insertWorkspace = async (
  query: Queries,
  workspace: { readonly organizationId: number; readonly name: string },
  now: number,
): Promise<number> =>
  (
    await tables(query)
      .insertInto("workspaces")
      .values({
        organization_id: workspace.organizationId,
        name: workspace.name,
        created_at: now,
        updated_at: now,
      })
      .returning("id")
      .executeTakeFirstOrThrow()
  ).id;

export const insertProfile = async (query: Queries, profile: TrackProfile): Promise<void> => {
  await tables(query).insertInto("track_profiles").values(profile).execute();
};

export const profileOf = (query: Queries, accountId: number): Promise<TrackProfile | undefined> =>
  tables(query)
    .selectFrom("track_profiles")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();

export const editProfile = async (
  query: Queries,
  accountId: number,
  edit: Partial<Omit<TrackProfile, "account_id">>,
): Promise<void> => {
  if (Object.keys(edit).length === 0) return;
  await tables(query).updateTable("track_profiles").set(edit).where("account_id", "=", accountId).execute();
};

export const organizationsOf = (query: Queries, accountId: number): Promise<OrganizationRow[]> =>
  tables(query)
    .selectFrom("organizations")
    .selectAll()
    .where("owner_id", "=", accountId)
    .orderBy("id")
    .execute();

const workspacesOfOwner = (query: Queries, accountId: number) =>
  tables(query)
    .selectFrom("workspaces")
    .innerJoin("organizations", "organizations.id", "workspaces.organization_id")
    .selectAll("workspaces")
    .where("organizations.owner_id", "=", accountId);

export const workspacesOf = (query: Queries, accountId: number): Promise<WorkspaceRow[]> =>
  workspacesOfOwner(query, accountId).orderBy("workspaces.id").execute();

/** Undefined when it is somebody else's, as when there is none. */
export const workspaceOf = (
  query: Queries,
  accountId: number,
  workspaceId: number,
): Promise<WorkspaceRow | undefined> =>
  workspacesOfOwner(query, accountId).where("workspaces.id", "=", workspaceId).executeTakeFirst();
