import { z } from "zod";
import { readTime } from "../wire/times.ts";

/**
 * What clients write of an entry. They send back what they got, so fields that can't be written are ignored, and both
 * names of an id are taken.
 */

const longestDescription = 3000;
const mostTags = 100;
const longestTag = 128;

const id = z.int().min(1);

/** Whole seconds since 1970: fractions are dropped, as Toggl does (contract §7.1). */
const time = (field: string) =>
  z.string({ error: `${field} must be a time, such as 2026-11-30T09:00:00Z` }).transform((text, context) => {
    const at = readTime(text);
    if (at !== undefined) return Math.floor(at / 1000);
    context.addIssue({
      code: "custom",
      message: `${field} must be a time, such as 2026-11-30T09:00:00Z`,
      params: { rule: "time" },
    });
    return z.NEVER;
  });

const fields = {
  description: z
    .string()
    .max(longestDescription, `Description must be at most ${longestDescription} characters`)
    .nullish(),
  billable: z.boolean().nullish(),
  stop: time("stop").nullish(),
  duration: z.int().nullish(),
  project_id: id.nullish(),
  pid: id.nullish(),
  task_id: id.nullish(),
  tid: id.nullish(),
  tags: z.array(z.string().max(longestTag)).max(mostTags).nullish(),
  tag_ids: z.array(id).max(mostTags).nullish(),
};

export const createEntryBody = z.object({
  ...fields,
  created_with: z
    .string({ error: "created_with needs to be provided" })
    .min(1, "created_with needs to be provided")
    .max(255),
  start: time("start"),
  workspace_id: id.nullish(),
  wid: id.nullish(),
});

export const changeEntryBody = z.object({
  ...fields,
  start: time("start").nullish(),
  /** Of the tags that are given; left out, they are the entry's from now on. */
  tag_action: z.enum(["add", "delete", "remove", ""]).nullish(),
});

export type CreateEntry = z.output<typeof createEntryBody>;
export type ChangeEntry = z.output<typeof changeEntryBody>;
