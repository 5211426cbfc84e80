import { describe, expect, test } from "vitest";

import { openTestStore } from "../mail/testing/store.ts";
import { createFreshCache } from "./fresh-cache.ts";

type Value = { readonly name: string };

const open = async () => {
  const kernel = await openTestStore();
  const { store } = kernel;
  await store.changes.start();
  const cache = createFreshCache<Value>(store.changes, { max: 3 });
  const remember = (key: string, accountId: number, name = key) =>
    cache.load(key, async () => ({ accountId, value: { name } }));
  const change = (accountId: number | "all"): Promise<void> =>
    store.transaction(async (tx) => tx.changed(accountId));
  return { ...kernel, cache, remember, change };
};

describe("a cache that is fresh", () => {
  test("forgets an account's entries, and only those, when the transaction that changed it is committed", async () => {
    const { cache, remember, change, store } = await open();
    await remember("one", 1);
    await remember("one too", 1);
    await remember("two", 2);

    await store.transaction(async (tx) => {
      tx.changed(1);
      expect(cache.get("one")).toEqual({ name: "one" });
    });

    expect([cache.get("one"), cache.get("one too"), cache.get("two")]).toEqual([
      undefined,
      undefined,
      { name: "two" },
    ]);
    await change("all");
    expect(cache.get("two")).toBeUndefined();
  });

  test("keeps what a transaction that was rolled back would have changed", async () => {
    const { cache, remember, store } = await open();
    await remember("one", 1);
    const failed = store.transaction(async (tx) => {
      tx.changed(1);
      throw new Error("No.");
    });
    await expect(failed).rejects.toThrow("No.");
    expect(cache.get("one")).toEqual({ name: "one" });
  });

  test("A31 does not keep what was read before a change, when the reading ends behind it", async () => {
    const { cache, change } = await open();
    const { promise, resolve } = Promise.withResolvers<void>();
    const loaded = cache.load("one", async () => {
      await promise;
      return { accountId: 1, value: { name: "stale" } };
    });
    await change(1);
    resolve();

    expect(await loaded).toEqual({ name: "stale" });
    expect(cache.get("one")).toBeUndefined();
  });

  test("A31 answers nothing, and keeps nothing, while the change feed is not confirmed", async () => {
    const { another } = await open();
    const deaf = another();
    const cache = createFreshCache<Value>(deaf.changes, { max: 3 });
    await cache.load("one", async () => ({ accountId: 1, value: { name: "one" } }));
    expect(cache.get("one")).toBeUndefined();
    await deaf.changes.start();
    expect(cache.get("one")).toBeUndefined();
  });

  test("A31 learns of what another process has changed, and of what was purged before it could be read", async () => {
    const { cache, remember, another, store } = await open();
    const elsewhere = another();
    await remember("one", 1);
    await remember("two", 2);
    await elsewhere.transaction(async (tx) => tx.changed(1));
    await expect.poll(() => cache.get("one")).toBeUndefined();
    expect(cache.get("two")).toEqual({ name: "two" });

    // Counted, and its row gone already.
    await elsewhere.transaction(async ({ query }) => {
      await query
        .updateTable("change_counter")
        .set((eb) => ({ seq: eb("seq", "+", 1) }))
        .execute();
    });
    await expect.poll(() => cache.get("two")).toBeUndefined();
    expect(store.changes.isCurrent()).toBe(true);
  });

  test("holds no more than it may, and does not keep what was not found", async () => {
    const { cache, remember } = await open();
    expect(await cache.load("none", async () => undefined)).toBeUndefined();
    for (const key of ["one", "two", "three", "four"]) await remember(key, 1);
    expect(["one", "two", "three", "four", "none"].map((key) => cache.get(key)?.name)).toEqual([
      undefined,
      "two",
      "three",
      "four",
      undefined,
    ]);
  });
});
