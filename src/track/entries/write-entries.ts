import type { Clock } from "../../kernel/clock.ts";
import type { Store, Tx } from "../../kernel/db/store.ts";
import { invalid, Refusal } from "../../kernel/errors.ts";
import type { Caller } from "../caller.ts";
import { refusals } from "../refusals.ts";
import {
  editEntry,
  entryOf,
  holdEntries,
  insertEntry,
  runningEntryOf,
  setEntryTags,
  type Entry,
} from "../store/entries.ts";
import { projectOf } from "../store/projects.ts";
import type { Queries } from "../store/tables.ts";
import { workspaceOf } from "../store/workspaces.ts";
import type { ChangeEntry, CreateEntry } from "./bodies.ts";
import { tagIdsOf } from "./entry-tags.ts";
import { shownNewEntry, shownWrittenEntry } from "./shown-entry.ts";
import { timingOf } from "./timing.ts";

type Deps = { readonly store: Store; readonly clock: Clock };

/** The project that was named by either name; undefined when none was, null when it is to have none. */
const projectIdOf = async (
  query: Queries,
  workspaceId: number,
  { project_id, pid }: Pick<ChangeEntry, "project_id" | "pid">,
): Promise<number | null | undefined> => {
  const id = project_id === undefined ? pid : project_id;
  if (id === undefined || id === null) return id;
  if (await projectOf(query, workspaceId, id)) return id;
  throw invalid(
    "project_id",
    "unknown",
    `Project with the ID ${id} isn't present in workspace ${workspaceId}`,
  );
};

const refuseTasks = ({ task_id, tid }: Pick<ChangeEntry, "task_id" | "tid">): void => {
  const id = task_id ?? tid;
  if (typeof id !== "number") return;
  throw invalid("task_id", "unknown", `Task with the ID ${id} isn't present in this workspace`);
};

/** What runs, ends where the next one begins. An entry that began later ends as it began. */
const stopRunning = async (query: Queries, accountId: number, at: number, now: number): Promise<void> => {
  const running = await runningEntryOf(query, accountId);
  if (!running) return;
  const stop = Math.max(running.start, at);
  await editEntry(query, running.id, { stop, duration: stop - running.start }, now);
};

/** An entry as a path names it: with its workspace, or by its number alone. */
export type EntryPlace = { readonly workspaceId: number | undefined; readonly id: number };

/** @throws Refusal not_found, also when it is somebody else's, or in another workspace */
const found = async (query: Queries, accountId: number, { workspaceId, id }: EntryPlace): Promise<Entry> => {
  const entry = await entryOf(query, accountId, id);
  if (entry && (workspaceId ?? entry.workspace_id) === entry.workspace_id) return entry;
  throw new Refusal(refusals.not_found, { text: "Time entry not found" });
};

/** Changes of one person's entries come one after the other: of two that are started at once, one runs. */
const changing =
  ({ store, clock }: Deps) =>
  <Result>(accountId: number, work: (tx: Tx, now: number) => Promise<Result>): Promise<Result> =>
    store.transaction(async (tx) => {
      await holdEntries(tx.query, accountId);
      return work(tx, clock.now());
    });

const mergedTags = (
  entry: Entry,
  named: readonly number[] | undefined,
  action: ChangeEntry["tag_action"],
): readonly number[] | undefined => {
  if (named === undefined) return undefined;
  const had = entry.tags.map(({ id }) => id);
  switch (action) {
    case "add":
      return [...new Set([...had, ...named])];
    case "delete":
    case "remove":
      return had.filter((id) => !named.includes(id));
    case "":
    case null:
    case undefined:
      return named;
  }
};

/** Makes, changes, stops and deletes time entries of the caller (contract §7.2). */
export const writeEntries = (deps: Deps) => {
  const change = changing(deps);
  return {
    /**
     * One that runs ends the one that ran before.
     * @param path the workspace in the path, where there is one
     * @throws Refusal not_found when the workspace is not the caller's, input_invalid
     */
    createEntry: ({ account }: Caller, path: number | undefined, body: CreateEntry) =>
      change(account.id, async ({ query }, now) => {
        const workspaceId = path ?? body.workspace_id ?? body.wid;
        if (typeof workspaceId !== "number") {
          throw invalid("workspace_id", "required", "workspace_id needs to be provided");
        }
        if (!(await workspaceOf(query, account.id, workspaceId))) throw new Refusal(refusals.not_found);
        refuseTasks(body);
        const timing = timingOf({ start: body.start, stop: body.stop, duration: body.duration });
        const project = await projectIdOf(query, workspaceId, body);
        const tags = await tagIdsOf(query, { workspaceId, creatorId: account.id }, body, now);
        if (timing.duration === null) await stopRunning(query, account.id, timing.start, now);
        const id = await insertEntry(
          query,
          {
            ...timing,
            workspace_id: workspaceId,
            account_id: account.id,
            project_id: project ?? null,
            description: body.description ?? null,
            billable: body.billable === true ? 1 : 0,
            created_with: body.created_with,
          },
          now,
        );
        if (tags) await setEntryTags(query, id, tags);
        return shownNewEntry(await found(query, account.id, { workspaceId, id }));
      }),
    /** @throws Refusal not_found, input_invalid */
    changeEntry: ({ account }: Caller, place: EntryPlace, body: ChangeEntry) =>
      change(account.id, async ({ query }, now) => {
        const entry = await found(query, account.id, place);
        const { id, workspace_id: workspaceId } = entry;
        refuseTasks(body);
        const timing = timingOf(
          { start: body.start ?? entry.start, stop: body.stop, duration: body.duration },
          entry,
        );
        const project = await projectIdOf(query, workspaceId, body);
        const named = await tagIdsOf(query, { workspaceId, creatorId: account.id }, body, now);
        // What runs already is the one that runs.
        if (timing.duration === null && entry.duration !== null) {
          await stopRunning(query, account.id, timing.start, now);
        }
        await editEntry(
          query,
          id,
          {
            start: timing.start,
            stop: timing.stop,
            duration: timing.duration,
            ...(project === undefined ? {} : { project_id: project }),
            ...(body.description === undefined ? {} : { description: body.description }),
            ...(typeof body.billable === "boolean" ? { billable: body.billable ? 1 : 0 } : {}),
          },
          now,
        );
        const tags = mergedTags(entry, named, body.tag_action);
        if (tags) await setEntryTags(query, id, tags);
        return shownWrittenEntry(await found(query, account.id, place));
      }),
    /** @throws Refusal not_found, already_stopped */
    stopEntry: ({ account }: Caller, place: EntryPlace) =>
      change(account.id, async ({ query }, now) => {
        const entry = await found(query, account.id, place);
        if (entry.duration !== null) throw new Refusal(refusals.already_stopped);
        const stop = Math.max(entry.start, Math.floor(now / 1000));
        await editEntry(query, entry.id, { stop, duration: stop - entry.start }, now);
        return shownWrittenEntry(await found(query, account.id, place));
      }),
    /** @throws Refusal not_found, also when it was deleted before */
    deleteEntry: ({ account }: Caller, place: EntryPlace) =>
      change(account.id, async ({ query }, now) => {
        const entry = await found(query, account.id, place);
        // Of what is deleted nothing runs any more.
        const ended = entry.duration === null ? { duration: 0 } : {};
        await editEntry(query, entry.id, { ...ended, deleted_at: now }, now);
      }),
  };
};
