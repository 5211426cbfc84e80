import { z } from "zod";
import { jsonBody, namedQuery, noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { Caller } from "../caller.ts";
import { refusals } from "../refusals.ts";
import type { TrackUseCases } from "../use-cases.ts";
import { isSet } from "../wire/flags.ts";
import { guardedBy, type Gates } from "../wire/gates.ts";
import { idOf } from "../wire/ids.ts";
import { changeEntryBody, createEntryBody } from "./bodies.ts";
import type { EntryPlace } from "./write-entries.ts";

const entry = z
  .object({
    id: z.int(),
    workspace_id: z.int(),
    project_id: z.int().nullable(),
    billable: z.boolean(),
    start: z.string(),
    stop: z.string().nullable(),
    duration: z.int(),
    description: z.string().nullable(),
    tags: z.array(z.string()).nullable(),
    tag_ids: z.array(z.int()).nullable(),
    at: z.string(),
    user_id: z.int(),
  })
  .loose();

const listQuery = z.object({
  since: z.string().describe("Unix time: what was changed since then, deleted entries too").optional(),
  before: z.string().describe("A day or a time: what began before it").optional(),
  start_date: z.string().describe("A day or a time, with `end_date`").optional(),
  end_date: z.string().describe("A day or a time: what began before it").optional(),
  meta: z.string().describe("`true` adds names of projects, clients and the user").optional(),
  include_sharing: z.string().describe("Nothing is shared here").optional(),
});

/** @throws Refusal not_found */
const placeOf = (params: { readonly workspace_id?: string; readonly time_entry_id: string }): EntryPlace => ({
  workspaceId: params.workspace_id === undefined ? undefined : idOf(params.workspace_id),
  id: idOf(params.time_entry_id, "Time entry not found"),
});

/** The caller's time entries (contract §7.1, §7.2). */
export const entryRoutes = <Principal extends Caller>(
  use: TrackUseCases<Principal>,
  gates: Gates<Principal>,
): readonly Route[] => {
  const guarded = guardedBy(gates);
  const made = { means: "The entry as it was made.", schema: entry };
  const changed = { means: "The entry as it is now.", schema: entry };
  const deleted = { means: "It is gone. The body is empty." };
  const inWorkspace = "/api/v9/workspaces/{workspace_id}/time_entries";
  const anywhere = "/api/v9/time_entries";
  const create = {
    ...guarded,
    method: "POST",
    input: jsonBody(createEntryBody),
    refuses: [refusals.not_found],
    answers: made,
  } as const;
  const change = {
    ...guarded,
    method: "PUT",
    input: jsonBody(changeEntryBody),
    refuses: [refusals.not_found],
    answers: changed,
  } as const;
  const remove = {
    ...guarded,
    method: "DELETE",
    input: noBody,
    refuses: [refusals.not_found],
    answers: deleted,
  } as const;
  const stop = {
    ...guarded,
    method: "PATCH",
    input: noBody,
    refuses: [refusals.not_found, refusals.already_stopped],
    answers: changed,
  } as const;
  return [
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/time_entries",
      summary: "The caller's entries, the newest first; without a range those of the last nine days",
      input: noBody,
      query: namedQuery(listQuery, [refusals.input_invalid]),
      answers: { means: "At most 1,000 of them.", schema: z.array(entry) },
      run: async ({ principal, query }) => ({
        json: await use.entries(principal, query, isSet(query.meta)),
      }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/time_entries/current",
      summary: "The entry that runs",
      input: noBody,
      answers: { means: "It, or null when none runs.", schema: entry.nullable() },
      run: async ({ principal }) => ({ json: await use.currentEntry(principal) }),
    }),
    route({
      ...guarded,
      method: "GET",
      path: "/api/v9/me/time_entries/{time_entry_id}",
      summary: "One of the caller's entries",
      input: noBody,
      refuses: [refusals.not_found],
      answers: { means: "The entry.", schema: entry },
      run: async ({ params, principal }) => ({
        json: await use.entry(principal, idOf(params.time_entry_id, "Resource can not be found")),
      }),
    }),
    route({
      ...create,
      path: inWorkspace,
      summary: "Make an entry; one that runs ends the one before",
      run: async ({ params, principal, input }) => ({
        json: await use.createEntry(principal, idOf(params.workspace_id), input),
      }),
    }),
    route({
      ...create,
      path: anywhere,
      summary: "The same, with the workspace in the body",
      run: async ({ principal, input }) => ({ json: await use.createEntry(principal, undefined, input) }),
    }),
    route({
      ...change,
      path: `${inWorkspace}/{time_entry_id}`,
      summary: "Change an entry",
      run: async ({ params, principal, input }) => ({
        json: await use.changeEntry(principal, placeOf(params), input),
      }),
    }),
    route({
      ...change,
      path: `${anywhere}/{time_entry_id}`,
      summary: "The same, without a workspace",
      run: async ({ params, principal, input }) => ({
        json: await use.changeEntry(principal, placeOf(params), input),
      }),
    }),
    route({
      ...stop,
      path: `${inWorkspace}/{time_entry_id}/stop`,
      summary: "Stop the entry that runs",
      run: async ({ params, principal }) => ({
        json: await use.stopEntry(principal, placeOf(params)),
      }),
    }),
    route({
      ...remove,
      path: `${inWorkspace}/{time_entry_id}`,
      summary: "Delete an entry",
      run: async ({ params, principal }) => {
        await use.deleteEntry(principal, placeOf(params));
        return {};
      },
    }),
    route({
      ...remove,
      path: `${anywhere}/{time_entry_id}`,
      summary: "The same, without a workspace",
      run: async ({ params, principal }) => {
        await use.deleteEntry(principal, placeOf(params));
        return {};
      },
    }),
  ];
};
