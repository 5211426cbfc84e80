import { tables, type Queries, type TagRow } from "./tables.ts";

const livingTags = (query: Queries, workspaceId: number) =>
  tables(query)
    .selectFrom("tags")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("deleted_at", "is", null);

export const tagsById = async (
  query: Queries,
  workspaceId: number,
  ids: readonly number[],
): Promise<readonly TagRow[]> =>
  ids.length === 0 ? [] : livingTags(query, workspaceId).where("id", "in", ids).execute();

/** The numbers of tags by their names; those that are not there are made. */
export const ensureTags = async (
  query: Queries,
  place: { readonly workspaceId: number; readonly creatorId: number },
  names: readonly string[],
  now: number,
): Promise<readonly number[]> => {
  if (names.length === 0) return [];
  await tables(query)
    .insertInto("tags")
    .values(
      names.map((name) => ({
        workspace_id: place.workspaceId,
        creator_id: place.creatorId,
        name,
        updated_at: now,
      })),
    )
    // Also of two who come at once.
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "name"]).where("deleted_at", "is", null).doNothing(),
    )
    .execute();
  const rows = await livingTags(query, place.workspaceId).where("name", "in", names).execute();
  return rows.map(({ id }) => id);
};
