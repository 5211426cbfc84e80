import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createQuota } from "./quota.ts";

const hour = 3_600_000;
const hand = { time: 1_700_000_000_000, now: () => hand.time };
const make = (total: number, maxKeys?: number) =>
  createQuota({ clock: hand, total, ...(maxKeys !== undefined && { maxKeys }) });

describe("createQuota", () => {
  test("counts down, refuses at the end, and never shows less than none", () => {
    const quota = make(2);
    expect(quota.count("a")).toEqual({ remaining: 1, resetsInSeconds: 3600, total: 2, exceeded: false });
    expect(quota.count("a")).toEqual({ remaining: 0, resetsInSeconds: 3600, total: 2, exceeded: false });
    expect(quota.count("a")).toEqual({ remaining: 0, resetsInSeconds: 3600, total: 2, exceeded: true });
    expect(quota.count("b").remaining).toBe(1);
  });

  test("the window begins with the first call and lasts sixty minutes", () => {
    const quota = make(1);
    hand.time += 1_234_567;
    quota.count("a");
    hand.time += hour - 1;
    expect(quota.count("a")).toMatchObject({ resetsInSeconds: 1, exceeded: true });
    hand.time += 1;
    expect(quota.count("a")).toMatchObject({ resetsInSeconds: 3600, exceeded: false });
  });

  test("peeking is not counted and opens no window", () => {
    const quota = make(1);
    expect(quota.peek("a")).toEqual({ remaining: 1, resetsInSeconds: 3600, total: 1, exceeded: false });
    hand.time += 60_000;
    expect(quota.count("a")).toMatchObject({ resetsInSeconds: 3600, exceeded: false });
    hand.time += 60_000;
    expect(quota.peek("a")).toEqual({ remaining: 0, resetsInSeconds: 3540, total: 1, exceeded: true });
    hand.time += hour;
    expect(quota.peek("a")).toEqual({ remaining: 1, resetsInSeconds: 3600, total: 1, exceeded: false });
  });

  test("A51 a clock that is set back makes no window longer than an hour", () => {
    const quota = make(1);
    quota.count("a");
    hand.time -= 24 * hour;
    expect(quota.count("a")).toMatchObject({ resetsInSeconds: 3600, exceeded: true });
    hand.time += hour;
    expect(quota.count("a").exceeded).toBe(false);
  });

  test("remembers no more keys than it may", () => {
    const quota = make(1, 10);
    for (let index = 0; index < 100; index += 1) quota.count(`key ${index}`);
    expect(quota.peek("key 99").remaining).toBe(0);
    expect(quota.peek("key 0").remaining).toBe(1);
  });

  test("agrees with a list of calls, whatever the times", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.integer({ min: 0, max: hour + 10 })),
        (total, waits) => {
          const quota = make(total);
          let opened: number | undefined;
          let calls = 0;
          for (const wait of waits) {
            hand.time += wait;
            if (opened === undefined || hand.time >= opened + hour) {
              opened = hand.time;
              calls = 0;
            }
            calls += 1;
            expect(quota.count("a")).toEqual({
              remaining: Math.max(0, total - calls),
              resetsInSeconds: Math.ceil((opened + hour - hand.time) / 1000),
              total,
              exceeded: calls > total,
            });
          }
        },
      ),
    );
  });
});
