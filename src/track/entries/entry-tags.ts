import { invalid } from "../../kernel/errors.ts";
import { ensureTags, tagsById } from "../store/tags.ts";
import type { Queries } from "../store/tables.ts";

/** Tags as a client names them: by number, by name, or both. */
export type NamedTags = {
  readonly tags?: readonly string[] | null | undefined;
  readonly tag_ids?: readonly number[] | null | undefined;
};

/**
 * The numbers of tags of a workspace. Names that are unknown there are made (contract §7.2).
 *
 * @returns undefined when no tags were named
 * @throws Refusal input_invalid naming `tag_ids` when one of them is not of this workspace
 */
export const tagIdsOf = async (
  query: Queries,
  place: { readonly workspaceId: number; readonly creatorId: number },
  { tags, tag_ids }: NamedTags,
  now: number,
): Promise<readonly number[] | undefined> => {
  if (!tags && !tag_ids) return undefined;
  const ids = [...new Set(tag_ids)];
  const known = await tagsById(query, place.workspaceId, ids);
  const unknown = ids.find((id) => !known.some((tag) => tag.id === id));
  if (unknown !== undefined) {
    throw invalid("tag_ids", "unknown", `Tag with the ID ${unknown} isn't present in this workspace`);
  }
  const names = [...new Set((tags ?? []).map((name) => name.trim()).filter((name) => name !== ""))];
  const made = await ensureTags(query, place, names, now);
  return [...new Set([...ids, ...made])];
};
