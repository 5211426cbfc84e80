import type { Entry, EntryNames } from "../store/entries.ts";
import { instant, instantInSeconds, instantWithOffset } from "../wire/times.ts";

/** Entries, field by field, in the order of the recorded answers (contract §7.1). */

const seconds = (at: number | null, shown: (milliseconds: number) => string): string | null =>
  at === null ? null : shown(at * 1000);

const facts = (entry: Entry, shown: (milliseconds: number) => string) => ({
  id: entry.id,
  workspace_id: entry.workspace_id,
  project_id: entry.project_id,
  task_id: null,
  billable: entry.billable === 1,
  start: seconds(entry.start, shown),
  stop: seconds(entry.stop, shown),
  // Of what runs, the time at which it began: a client that adds the clock to it has how long it runs.
  duration: entry.duration ?? -entry.start,
});

const tail = (entry: Entry) => ({
  duronly: true,
  at: instant(entry.updated_at),
  server_deleted_at: entry.deleted_at === null ? null : instantWithOffset(entry.deleted_at),
  user_id: entry.account_id,
});

const olderNames = (entry: Entry) => ({
  uid: entry.account_id,
  wid: entry.workspace_id,
  ...(entry.project_id === null ? {} : { pid: entry.project_id }),
});

const tagsOf = ({ tags }: Entry) => ({
  tags: tags.map(({ name }) => name),
  tag_ids: tags.map(({ id }) => id),
});

/** As it is read among others. */
export const shownEntry = (entry: Entry) => ({
  ...facts(entry, instantWithOffset),
  description: entry.description ?? "",
  ...tagsOf(entry),
  ...tail(entry),
  ...olderNames(entry),
});

/** As it is read by its number: without the older names of its ids. */
export const shownOneEntry = (entry: Entry) => ({
  ...facts(entry, instantWithOffset),
  description: entry.description ?? "",
  ...tagsOf(entry),
  ...tail(entry),
});

/** As whoever just stopped or changed it sees it. */
export const shownWrittenEntry = (entry: Entry) => ({
  ...facts(entry, instantInSeconds),
  description: entry.description ?? "",
  ...tagsOf(entry),
  ...tail(entry),
  ...olderNames(entry),
});

/** As whoever just made it sees it: what it does not have is null, also where it is read as empty. */
export const shownNewEntry = (entry: Entry) => {
  const { tags, tag_ids } = tagsOf(entry);
  return {
    ...facts(entry, instantInSeconds),
    description: entry.description,
    tags: tags.length === 0 ? null : tags,
    tag_ids: tag_ids.length === 0 ? null : tag_ids,
    ...tail(entry),
    ...olderNames(entry),
  };
};

export type Namer = { readonly name: string; readonly picture: string };

/** With what belongs to it by name. */
export const shownEntryWithNames = (entry: Entry, names: EntryNames | undefined, user: Namer) => ({
  ...shownEntry(entry),
  client_name: names?.clientName ?? null,
  project_name: names?.projectName ?? null,
  project_color: names?.projectColor ?? null,
  project_active: names?.projectActive ?? null,
  project_billable: names?.projectBillable ?? null,
  user_name: user.name,
  user_avatar_url: user.picture,
});
