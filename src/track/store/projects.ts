import { tables, type ProjectRow, type Queries } from "./tables.ts";

const livingProjects = (query: Queries) =>
  tables(query).selectFrom("projects").selectAll().where("deleted_at", "is", null);

/** Undefined when it is of another workspace, as when there is none. */
export const projectOf = (query: Queries, workspaceId: number, id: number): Promise<ProjectRow | undefined> =>
  livingProjects(query).where("workspace_id", "=", workspaceId).where("id", "=", id).executeTakeFirst();
