import { LRUCache } from "lru-cache";
import type { ChangeFeed } from "./changes.ts";
import { atMost } from "../at-most.ts";

/**
 * A bounded cache of what was read about accounts. An account's entries go as soon as the change feed
 * names it; while the feed can't be trusted the cache answers nothing, so that the store decides.
 */
export type FreshCache<Value extends object> = {
  get(key: string): Value | undefined;
  /**
   * Reads through: the value is kept unless its account changed while it was being read, so that a read which
   * began before a change can't outlive it.
   */
  load(
    key: string,
    read: () => Promise<{ accountId: number; value: Value } | undefined>,
  ): Promise<Value | undefined>;
  clear(): void;
};

/** A read that is under way, and the accounts that have changed since it began. */
type Load = { readonly touched: Set<number>; all: boolean };

type Entry<Value> = { readonly accountId: number; readonly value: Value };

export const createFreshCache = <Value extends object>(
  changes: ChangeFeed,
  options: { readonly max: number },
): FreshCache<Value> => {
  const keysOf = new Map<number, Set<string>>();
  const entries = new LRUCache<string, Entry<Value>>({
    ...atMost(options.max),
    dispose: ({ accountId }, key) => {
      const keys = keysOf.get(accountId);
      keys?.delete(key);
      if (keys?.size === 0) keysOf.delete(accountId);
    },
  });

  const loads = new Set<Load>();

  changes.onChange((accountId) => {
    for (const load of loads) {
      if (accountId === "all") load.all = true;
      else load.touched.add(accountId);
    }
    if (accountId === "all") entries.clear();
    // A Set may lose members while it is walked through.
    else for (const key of keysOf.get(accountId) ?? []) entries.delete(key);
  });

  const keep = (key: string, entry: Entry<Value>): void => {
    entries.set(key, entry);
    const keys = keysOf.get(entry.accountId) ?? new Set();
    keys.add(key);
    keysOf.set(entry.accountId, keys);
  };

  return {
    get: (key) => (changes.isCurrent() ? entries.get(key)?.value : undefined),
    load: async (key, read) => {
      const load: Load = { touched: new Set(), all: false };
      loads.add(load);
      try {
        const entry = await read();
        if (entry && !load.all && !load.touched.has(entry.accountId) && changes.isCurrent()) keep(key, entry);
        return entry?.value;
      } finally {
        loads.delete(load);
      }
    },
    clear: () => entries.clear(),
  };
};
