import type { Clock } from "../../kernel/clock.ts";
import { day } from "../../kernel/clock.ts";
import type { Store } from "../../kernel/db/store.ts";
import { invalid, Refusal } from "../../kernel/errors.ts";
import type { Caller } from "../caller.ts";
import { refusals } from "../refusals.ts";
import {
  entriesByStart,
  entriesChangedSince,
  entryOf,
  namesOfProjects,
  runningEntryOf,
  type Entry,
} from "../store/entries.ts";
import { gravatar } from "../wire/gravatar.ts";
import { readTime } from "../wire/times.ts";
import { shownEntry, shownEntryWithNames, shownOneEntry } from "./shown-entry.ts";

type Deps = { readonly store: Store; readonly clock: Clock };

/** What a list is asked for (contract §7.2). */
export type AskedEntries = {
  readonly since?: string | undefined;
  readonly before?: string | undefined;
  readonly start_date?: string | undefined;
  readonly end_date?: string | undefined;
};

/** As many as one answer has. */
const mostEntries = 1000;
/** Without a range, a list goes back so far. */
const usualMs = 9 * day;

const timeIn = (field: "before" | "start_date" | "end_date", text: string): number => {
  const at = readTime(text);
  if (at === undefined) throw invalid(field, "time", `Invalid ${field}`);
  return Math.floor(at / 1000);
};

const sinceIn = (text: string): number => {
  if (!/^\d{1,12}$/.test(text)) throw invalid("since", "time", "Invalid since");
  return Number(text) * 1000;
};

/** The caller's time entries, as they are read. */
export const readEntries = ({ store, clock }: Deps) => {
  const find = async (accountId: number, asked: AskedEntries): Promise<readonly Entry[]> => {
    const { since, before, start_date: from, end_date: until } = asked;
    if (since !== undefined && before !== undefined) {
      throw invalid("since", "conflict", "'since' and 'before' can not be present simultaneously");
    }
    if (since !== undefined) {
      return entriesChangedSince(store.query, accountId, sinceIn(since), mostEntries);
    }
    if (before !== undefined) {
      return entriesByStart(store.query, accountId, { before: timeIn("before", before) }, mostEntries);
    }
    if ((from === undefined) !== (until === undefined)) {
      const missing = from === undefined ? "start_date" : "end_date";
      throw invalid(missing, "required", "start_date and end_date go together");
    }
    const now = clock.now();
    const range =
      from === undefined || until === undefined
        ? { from: Math.floor((now - usualMs) / 1000), before: Math.floor(now / 1000) + 1 }
        : { from: timeIn("start_date", from), before: timeIn("end_date", until) };
    return entriesByStart(store.query, accountId, range, mostEntries);
  };

  return {
    /** @throws Refusal input_invalid with the contract's sentences */
    entries: async ({ account }: Caller, asked: AskedEntries, withNames: boolean) => {
      const entries = await find(account.id, asked);
      if (!withNames) return entries.map(shownEntry);
      const projects = entries.flatMap(({ project_id: id }) => (id === null ? [] : [id]));
      const names = await namesOfProjects(store.query, projects);
      const user = { name: account.displayName, picture: gravatar(account.email) };
      return entries.map((entry) => shownEntryWithNames(entry, names.get(entry.project_id ?? 0), user));
    },
    /** Null when nothing runs. */
    currentEntry: async ({ account }: Caller) => {
      const running = await runningEntryOf(store.query, account.id);
      return running ? shownEntry(running) : null;
    },
    /** @throws Refusal not_found, also for an entry of somebody else */
    entry: async ({ account }: Caller, id: number) => {
      const entry = await entryOf(store.query, account.id, id);
      if (!entry) throw new Refusal(refusals.not_found, { text: "Resource can not be found" });
      return shownOneEntry(entry);
    },
  };
};
