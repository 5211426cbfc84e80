import { sql } from "kysely";
import { tables, type Queries, type TimeEntryRow } from "./tables.ts";

/** Time entries of one person. What was deleted stays as a row, so that clients hear of it; it is read by `since` only. */

export type EntryDraft = Omit<TimeEntryRow, "id" | "deleted_at" | "created_at" | "updated_at">;

/** A tag of an entry. */
export type EntryTag = { readonly id: number; readonly name: string };

export type Entry = TimeEntryRow & { readonly tags: readonly EntryTag[] };

const withTags = async (query: Queries, rows: readonly TimeEntryRow[]): Promise<Entry[]> => {
  if (rows.length === 0) return [];
  const tagged = await tables(query)
    .selectFrom("time_entry_tags")
    .innerJoin("tags", "tags.id", "time_entry_tags.tag_id")
    .select(["time_entry_tags.entry_id", "tags.id", "tags.name"])
    .where(
      "time_entry_tags.entry_id",
      "in",
      rows.map(({ id }) => id),
    )
    .where("tags.deleted_at", "is", null)
    .orderBy("tags.name")
    .execute();
  const byEntry = Map.groupBy(tagged, ({ entry_id }) => entry_id);
  return rows.map((row) => ({
    ...row,
    tags: (byEntry.get(row.id) ?? []).map(({ id, name }) => ({ id, name })),
  }));
};

const first = async (query: Queries, row: TimeEntryRow | undefined): Promise<Entry | undefined> =>
  row && (await withTags(query, [row]))[0];

/** No other transaction changes this person's entries until this one is done: one of them may run. */
export const holdEntries = async (query: Queries, accountId: number): Promise<void> => {
  await tables(query)
    .updateTable("track_profiles")
    .set((eb) => ({ beginning_of_week: eb.ref("beginning_of_week") }))
    .where("account_id", "=", accountId)
    .execute();
};

export const insertEntry = async (query: Queries, draft: EntryDraft, now: number): Promise<number> =>
  (
    await tables(query)
      .insertInto("time_entries")
      .values({ ...draft, created_at: now, updated_at: now })
      .returning("id")
      .executeTakeFirstOrThrow()
  ).id;

export const editEntry = async (
  query: Queries,
  id: number,
  edit: Partial<Omit<EntryDraft, "account_id">> & { readonly deleted_at?: number },
  now: number,
): Promise<void> => {
  await tables(query)
    .updateTable("time_entries")
    .set({ ...edit, updated_at: now })
    .where("id", "=", id)
    .execute();
};

export const setEntryTags = async (
  query: Queries,
  entryId: number,
  tagIds: readonly number[],
): Promise<void> => {
  await tables(query).deleteFrom("time_entry_tags").where("entry_id", "=", entryId).execute();
  if (tagIds.length === 0) return;
  await tables(query)
    .insertInto("time_entry_tags")
    .values(tagIds.map((tag_id) => ({ entry_id: entryId, tag_id })))
    .execute();
};

const livingOf = (query: Queries, accountId: number) =>
  tables(query)
    .selectFrom("time_entries")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("deleted_at", "is", null);

/** Undefined when it is somebody else's, as when there is none. */
export const entryOf = async (query: Queries, accountId: number, id: number): Promise<Entry | undefined> =>
  first(query, await livingOf(query, accountId).where("id", "=", id).executeTakeFirst());

export const runningEntryOf = async (query: Queries, accountId: number): Promise<Entry | undefined> =>
  first(query, await livingOf(query, accountId).where("duration", "is", null).executeTakeFirst());

/** Seconds since 1970: from the first on, and before the second. */
export type Range = { readonly from?: number | undefined; readonly before?: number | undefined };

/** The newest first. */
export const entriesByStart = async (
  query: Queries,
  accountId: number,
  { from, before }: Range,
  most: number,
): Promise<readonly Entry[]> =>
  withTags(
    query,
    await livingOf(query, accountId)
      .$if(from !== undefined, (select) => select.where("start", ">=", from ?? 0))
      .$if(before !== undefined, (select) => select.where("start", "<", before ?? 0))
      .orderBy("start", "desc")
      .orderBy("id", "desc")
      .limit(most)
      .execute(),
  );

/** What was changed since then, deleted ones too: those that were changed last come first. @param at milliseconds */
export const entriesChangedSince = async (
  query: Queries,
  accountId: number,
  at: number,
  most: number,
): Promise<readonly Entry[]> =>
  withTags(
    query,
    await tables(query)
      .selectFrom("time_entries")
      .selectAll()
      .where("account_id", "=", accountId)
      .where("updated_at", ">=", at)
      .orderBy("updated_at", "desc")
      .orderBy("id", "desc")
      .limit(most)
      .execute(),
  );

/** What an entry's names are, for those who ask for them. */
export type EntryNames = {
  readonly clientName: string | null;
  readonly projectName: string | null;
  readonly projectColor: string | null;
  readonly projectActive: boolean | null;
  readonly projectBillable: boolean | null;
};

export const namesOfProjects = async (
  query: Queries,
  projectIds: readonly number[],
): Promise<ReadonlyMap<number, EntryNames>> => {
  if (projectIds.length === 0) return new Map();
  const rows = await tables(query)
    .selectFrom("projects")
    .leftJoin("clients", "clients.id", "projects.client_id")
    .select(["projects.id", "projects.name", "projects.color", "projects.active", "projects.billable"])
    .select(sql<string | null>`clients.name`.as("client_name"))
    .where("projects.id", "in", [...new Set(projectIds)])
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        clientName: row.client_name,
        projectName: row.name,
        projectColor: row.color,
        projectActive: row.active === 1,
        projectBillable: row.billable === null ? null : row.billable === 1,
      },
    ]),
  );
};
