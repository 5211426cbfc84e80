// Every ending that a row tells of was seen in a test of this run, or is listed here with the reason why it was not.
// What a step refuses that many rows have is asked for once a wire, and a list that rows share once for all of them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { RefusalKind } from "#kernel/errors.ts";
import type { Check, Route } from "#kernel/http/route.ts";
import { openHouse, type OpenHouse } from "../../scripts/house.ts";
import { sightingOf } from "../support/sightings.ts";

/** By code, or by group and code. */
const unseen: Readonly<Record<string, string>> = {};

let house: OpenHouse;
const seen = new Set<string>();

beforeAll(async () => {
  house = await openHouse();
  const folder = inject("sightings") ?? "";
  for (const file of folder === "" ? [] : readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), "utf8").split("\n")) seen.add(line);
  }
});
afterAll(() => house.close());

/** Of a step, whoever's rows share it; of a use case, the rows that have the very same list. */
const groupOf = ({ wire, admits }: Route, { step, refuses }: Check): string | readonly RefusalKind[] => {
  if (step === "use case") return refuses;
  return step === "guard" ? `${wire.title}, ${step}: ${admits}` : `${wire.title}, ${step}`;
};

test("the other suites have run: this one judges what they saw", () => {
  expect(seen.size).toBeGreaterThan(100);
});

test("every refusal was seen, or is listed with a reason", () => {
  const told = house.rows.flatMap((row) =>
    row.checks.flatMap((check) => check.refuses.map((kind) => ({ row, kind, group: groupOf(row, check) }))),
  );
  const missing = [...Map.groupBy(told, ({ group }) => group)].flatMap(([group, members]) => {
    const { row: first } = members[0] ?? {};
    const name = typeof group === "string" ? group : `${first?.method} ${first?.path}`;
    return [...Map.groupBy(members, ({ kind }) => kind.code)]
      .filter(([code, of]) => !of.some(({ row, kind }) => seen.has(sightingOf(row, kind.status, code))))
      .map(([code]) => `${name}: ${code}`);
  });
  const isListed = (line: string): boolean =>
    line in unseen || line.slice(line.lastIndexOf(" ") + 1) in unseen;
  expect(missing.filter((line) => !isListed(line)).toSorted()).toEqual([]);
  // A reason that is needed no more is taken out.
  const needed = (listed: string): boolean =>
    missing.some((line) => line === listed || line.endsWith(`: ${listed}`));
  expect(Object.keys(unseen).filter((listed) => !needed(listed))).toEqual([]);
});

test("every good ending was seen", () => {
  const missing = house.rows
    .filter(({ notSupported, streams, wire }) => !notSupported && !streams && !wire.forPeople)
    .filter((row) => !seen.has(sightingOf(row, row.status, undefined)))
    .map(({ method, path }) => `${method} ${path}`);
  expect(missing).toEqual([]);
});
