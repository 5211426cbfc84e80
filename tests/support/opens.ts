// Whether a cookie's value opens anything: asked through the door, many at a time.

import { expect } from "vitest";
import type { TestHouse } from "./house.ts";

/** The status that the Track API answers a session cookie of this value with. */
export const statusOf = async (house: TestHouse, session: string): Promise<number> =>
  (await house.send("GET", "/api/v9/me/logged", { session })).status;

/** Each value under its own name. */
export const byThemselves = (values: readonly string[]): ReadonlyMap<string, string> =>
  new Map(values.map((value) => [value, value]));

/**
 * Each of these values must be refused as a session that is none: not admitted, and nothing breaks either.
 * @param values by the names that a failure tells
 */
export const expectAllRefused = async (
  house: TestHouse,
  values: ReadonlyMap<string, string>,
): Promise<void> => {
  const named = [...values];
  expect(named.length).toBeGreaterThan(0);
  const admitted: string[] = [];
  for (let from = 0; from < named.length; from += 64) {
    const some = named.slice(from, from + 64);
    const statuses = await Promise.all(some.map(([, value]) => statusOf(house, value)));
    statuses.forEach((status, index) => {
      if (status !== 403) admitted.push(`${status} for ${some[index]?.[0]}`);
    });
  }
  expect(admitted).toEqual([]);
};
