import { LRUCache } from "lru-cache";
import { minute, type Clock } from "../clock.ts";
import { atMost } from "../at-most.ts";

/**
 * What a third party can make the log say again and again is said a few times a minute, and then counted: a log that
 * grows with an attack fills a disk.
 */
export type Sampling = {
  /**
   * @param key what counts as the same
   * @returns undefined when the line is left out; else how many were left out before it
   */
  pass(key: string): number | undefined;
};

type Window = { startedAt: number; passed: number; leftOut: number };

export type SamplingRules = {
  /** Lines a minute of one key. */
  readonly ofOneKey: number;
  /** Lines a minute in all: keys are cheap to an attacker with many addresses. */
  readonly ofAll: number;
};

/** Keys that are remembered at once. */
const mostKeys = 2000;

export const createSampling = (clock: Clock, { ofOneKey, ofAll }: SamplingRules): Sampling => {
  const windows = new LRUCache<string, Window>(atMost(mostKeys));
  const all: Window = { startedAt: -minute, passed: 0, leftOut: 0 };

  const isOpen = (window: Window, most: number, now: number): boolean => {
    if (now - window.startedAt >= minute || now < window.startedAt) {
      window.startedAt = now;
      window.passed = 0;
    }
    return window.passed < most;
  };

  return {
    pass: (key) => {
      const now = clock.now();
      const own = windows.get(key) ?? { startedAt: now, passed: 0, leftOut: 0 };
      windows.set(key, own);
      if (!isOpen(own, ofOneKey, now) || !isOpen(all, ofAll, now)) {
        own.leftOut += 1;
        return undefined;
      }
      own.passed += 1;
      all.passed += 1;
      const { leftOut } = own;
      own.leftOut = 0;
      return leftOut;
    },
  };
};
