import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBucket } from "./bucket.ts";

const hand = { time: 1_700_000_000_000, now: () => hand.time };

const make = (ratePerSecond = 20, burst = 100, maxKeys?: number) =>
  createBucket({ clock: hand, ratePerSecond, burst, ...(maxKeys !== undefined && { maxKeys }) });

const drain = (take: () => { ok: boolean }, tries: number): number => {
  let passed = 0;
  for (let count = 0; count < tries; count += 1) if (take().ok) passed += 1;
  return passed;
};

describe("createBucket", () => {
  test("lets the burst through at once, and then the rate", () => {
    const bucket = make();
    expect(drain(() => bucket.take("a"), 150)).toBe(100);
    hand.time += 1000;
    expect(drain(() => bucket.take("a"), 150)).toBe(20);
    hand.time += 3_600_000;
    expect(drain(() => bucket.take("a"), 150)).toBe(100);
  });

  test("tells in whole seconds when a call fits again, and it does", () => {
    const bucket = make(0.25, 2);
    expect(drain(() => bucket.take("a"), 2)).toBe(2);
    expect(bucket.take("a")).toEqual({ ok: false, retryAfterSeconds: 4 });
    hand.time += 3500;
    expect(bucket.take("a")).toEqual({ ok: false, retryAfterSeconds: 1 });
    hand.time += 500;
    expect(bucket.take("a")).toEqual({ ok: true });
    expect(bucket.take("a")).toEqual({ ok: false, retryAfterSeconds: 4 });
  });

  test("a refused call costs nothing", () => {
    const bucket = make(1, 1);
    expect(drain(() => bucket.take("a"), 1000)).toBe(1);
    hand.time += 1000;
    expect(bucket.take("a").ok).toBe(true);
  });

  test("keys do not share", () => {
    const bucket = make(1, 1);
    expect(bucket.take("a").ok).toBe(true);
    expect(bucket.take("b").ok).toBe(true);
    expect(bucket.take("a").ok).toBe(false);
  });

  test("A51 a clock that is set back neither locks out nor empties", () => {
    const bucket = make(1, 2);
    expect(drain(() => bucket.take("a"), 3)).toBe(2);
    hand.time -= 86_400_000;
    expect(bucket.take("a")).toEqual({ ok: false, retryAfterSeconds: 1 });
    hand.time += 1000;
    expect(bucket.take("a").ok).toBe(true);
    expect(bucket.take("a").ok).toBe(false);
  });

  test("remembers no more keys than it may, and the used ones longest", () => {
    const bucket = make(1, 1, 100);
    for (let index = 0; index < 1000; index += 1) {
      bucket.take(`key ${index}`);
      bucket.take("regular");
    }
    expect(bucket.take("regular").ok).toBe(false);
    expect(bucket.take("key 999").ok).toBe(false);
    expect(bucket.take("key 0").ok).toBe(true);
  });

  test("never lets more through in any span than the burst and the rate allow, and refuses no one else", () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 700 }), calls: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step),
        (rate, burst, steps) => {
          const bucket = make(rate, burst);
          const passed: number[] = [];
          for (const { wait, calls } of steps) {
            hand.time += wait;
            for (let count = 0; count < calls; count += 1) {
              // By the definition over all spans that end now, in whole thousandths of a call.
              const fits = passed.every(
                (from, index) =>
                  (passed.length - index + 1) * 1000 <= burst * 1000 + rate * (hand.time - from),
              );
              expect(bucket.take("a").ok).toBe(fits);
              if (fits) passed.push(hand.time);
            }
          }
        },
      ),
    );
  });
});
