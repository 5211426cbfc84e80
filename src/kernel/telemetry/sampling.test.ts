import { expect, test } from "vitest";
import { createTestClock } from "../mail/testing/store.ts";
import { createSampling } from "./sampling.ts";

const often = (times: number, work: () => number | undefined) => Array.from({ length: times }, work);

test("the same thing is said a few times a minute, and then how often it was left out", () => {
  const clock = createTestClock();
  const sampling = createSampling(clock, { ofOneKey: 3, ofAll: 100 });

  expect(often(5, () => sampling.pass("wrong password from 203.0.113.7"))).toEqual([
    0,
    0,
    0,
    undefined,
    undefined,
  ]);
  expect(sampling.pass("wrong password from 203.0.113.8")).toBe(0);

  clock.wind(59_999);
  expect(sampling.pass("wrong password from 203.0.113.7")).toBeUndefined();
  clock.wind(1);
  expect(often(2, () => sampling.pass("wrong password from 203.0.113.7"))).toEqual([3, 0]);
});

test("an attacker with many addresses can't have a line from each", () => {
  const clock = createTestClock();
  const sampling = createSampling(clock, { ofOneKey: 3, ofAll: 10 });

  const said = Array.from({ length: 5000 }, (_, at) => sampling.pass(`from 2001:db8:${at}::/64`));
  expect(said.filter((one) => one !== undefined)).toHaveLength(10);
  clock.wind(60_000);
  expect(sampling.pass("from elsewhere")).toBe(0);
});

test("a clock that was set back opens the window", () => {
  const clock = createTestClock();
  const sampling = createSampling(clock, { ofOneKey: 1, ofAll: 10 });
  sampling.pass("x");
  clock.wind(-3_600_000);
  expect(sampling.pass("x")).toBe(0);
});
