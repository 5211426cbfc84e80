// What `latchkey doctor` finds, and a place for it to look at.

import { expect } from "vitest";
import * as z from "zod";
import { newPlace, type Place } from "./command.ts";

/** A place where a store has been made and used. */
export const usedPlace = async (settings: Readonly<Record<string, string>> = {}): Promise<Place> => {
  const place = await newPlace(settings);
  await place.latchkey(["migrate"]);
  const { code, err } = await place.latchkey(["account", "create", "ada@example.com"]);
  expect({ code, err }).toMatchObject({ code: 0 });
  return place;
};

const Finding = z.strictObject({
  name: z.string(),
  state: z.enum(["ok", "warn", "fail"]),
  message: z.string(),
  remedy: z.string().optional(),
});

/** What the doctor finds, by name; the last one of a name. */
export const examine = async (place: Place, settings: Readonly<Record<string, string>> = {}) => {
  const ended = await place.latchkey(["doctor", "--json"], { settings });
  const findings = z.array(Finding).parse(JSON.parse(ended.out));
  for (const { state, message, remedy } of findings) {
    expect(message).toMatch(/[.?]$/);
    expect(remedy === undefined).toBe(state === "ok");
  }
  expect(ended.code).toBe(findings.some(({ state }) => state === "fail") ? 1 : 0);
  return {
    code: ended.code,
    all: findings,
    of: (name: string): z.output<typeof Finding> => {
      const found = findings.findLast((finding) => finding.name === name);
      if (!found) throw new Error(`The doctor says nothing of "${name}": ${ended.out}`);
      return found;
    },
  };
};
