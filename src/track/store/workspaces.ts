import { tables, type OrganizationRow, type Queries, type Role, type WorkspaceRow } from "./tables.ts";

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

export const insertMember = async (
  query: Queries,
  member: { readonly workspaceId: number; readonly accountId: number; readonly role: Role },
  now: number,
): Promise<void> => {
  await tables(query)
    .insertInto("workspace_members")
    .values({
      workspace_id: member.workspaceId,
      account_id: member.accountId,
      role: member.role,
      created_at: now,
      updated_at: now,
    })
    .execute();
};

export const organizationsOf = (query: Queries, accountId: number): Promise<OrganizationRow[]> =>
  tables(query)
    .selectFrom("organizations")
    .selectAll()
    .where("owner_id", "=", accountId)
    .orderBy("id")
    .execute();

const workspacesOfMember = (query: Queries, accountId: number) =>
  tables(query)
    .selectFrom("workspace_members")
    .innerJoin("workspaces", "workspaces.id", "workspace_members.workspace_id")
    .selectAll("workspaces")
    .where("workspace_members.account_id", "=", accountId);

export const workspacesOf = (query: Queries, accountId: number): Promise<WorkspaceRow[]> =>
  workspacesOfMember(query, accountId).orderBy("workspaces.id").execute();

/** Undefined when it is somebody else's, as when there is none. */
export const workspaceOf = (
  query: Queries,
  accountId: number,
  workspaceId: number,
): Promise<WorkspaceRow | undefined> =>
  workspacesOfMember(query, accountId).where("workspaces.id", "=", workspaceId).executeTakeFirst();
