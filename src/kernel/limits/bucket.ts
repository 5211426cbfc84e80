/** A leaky bucket a key, in memory: how fast one credential may call. */

import { LRUCache } from "lru-cache";
import { second, type Clock } from "../clock.ts";
import { atMost } from "../at-most.ts";

export type BucketAnswer =
  | { readonly ok: true }
  /** Whole seconds, at least 1, after which one call fits again. */
  | { readonly ok: false; readonly retryAfterSeconds: number };

export type Bucket = {
  /** Pours one call into the key's bucket, unless it would run over. */
  take(key: string): BucketAnswer;
};

export type BucketOptions = {
  readonly clock: Clock;
  /** Calls that leak out in a second. */
  readonly ratePerSecond: number;
  /** Calls that fit in at once. */
  readonly burst: number;
  /** How many keys are remembered; the one that was used longest ago is forgotten first. */
  readonly maxKeys?: number;
};

type Level = { calls: number; at: number };

const passed: BucketAnswer = Object.freeze({ ok: true });
/** More than what rounding adds up to, less than anybody could use. */
const rounding = 1e-9;

/** Refused calls don't fill the bucket. A clock set back neither locks a key out nor empties its bucket. */
export const createBucket = ({ clock, ratePerSecond, burst, maxKeys = 50_000 }: BucketOptions): Bucket => {
  const levels = new LRUCache<string, Level>(atMost(maxKeys));
  const room = burst - 1 + rounding;
  return {
    take: (key) => {
      const now = clock.now();
      const level = levels.get(key);
      if (level === undefined) {
        levels.set(key, { calls: 1, at: now });
        return passed;
      }
      const leaked = (Math.max(0, now - level.at) * ratePerSecond) / second;
      level.calls = Math.max(0, level.calls - leaked);
      level.at = now;
      if (level.calls > room) {
        const wait = (level.calls - room) / ratePerSecond;
        return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(wait)) };
      }
      level.calls += 1;
      return passed;
    },
  };
};
