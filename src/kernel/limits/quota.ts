/** An hourly allowance a key, in memory, told to the caller with every answer. */

import { LRUCache } from "lru-cache";
import { hour, second, type Clock } from "../clock.ts";
import { atMost } from "../at-most.ts";

export type QuotaState = {
  /** Calls that are left in the window; never below 0. */
  readonly remaining: number;
  /** Whole seconds, 1 to 3,600, until the window ends. A window that has not begun counts as whole. */
  readonly resetsInSeconds: number;
  /** Calls that a window allows. */
  readonly total: number;
  /** From `count`: this call was one too many. From `peek`: the next one would be. */
  readonly exceeded: boolean;
};

export type Quota = {
  /** Counts one call. */
  count(key: string): QuotaState;
  /** The state without a call. */
  peek(key: string): QuotaState;
};

export type QuotaOptions = {
  readonly clock: Clock;
  /** Calls allowed in an hour. */
  readonly total: number;
  /** How many keys are remembered; the one that was used longest ago is forgotten first. */
  readonly maxKeys?: number;
};

type Window = { used: number; since: number };

/** The window is 60 minutes that begin with the first call. */
export const createQuota = ({ clock, total, maxKeys = 50_000 }: QuotaOptions): Quota => {
  const windows = new LRUCache<string, Window>(atMost(maxKeys));

  const current = (key: string, now: number): Window | undefined => {
    const window = windows.get(key);
    if (window === undefined || now - window.since >= hour) return undefined;
    // A clock that was set back must not make the window longer than an hour.
    if (now < window.since) window.since = now;
    return window;
  };

  const state = (window: Window | undefined, now: number, exceeded: boolean): QuotaState => ({
    remaining: Math.max(0, total - (window?.used ?? 0)),
    resetsInSeconds: Math.ceil((window === undefined ? hour : window.since + hour - now) / second),
    total,
    exceeded,
  });

  return {
    count: (key) => {
      const now = clock.now();
      let window = current(key, now);
      if (window === undefined) {
        window = { used: 0, since: now };
        windows.set(key, window);
      }
      window.used += 1;
      return state(window, now, window.used > total);
    },
    peek: (key) => {
      const now = clock.now();
      const window = current(key, now);
      return state(window, now, (window?.used ?? 0) >= total);
    },
  };
};
