import { tables, type OrganizationRow, type Queries, type WorkspaceRow } from "./tables.ts";

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
