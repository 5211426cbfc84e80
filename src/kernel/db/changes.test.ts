import { expect, test } from "vitest";
import { openTestStore } from "../mail/testing/store.ts";
import type { Store } from "./store.ts";

const listen = (store: Store): (number | "all")[] => {
  const heard: (number | "all")[] = [];
  store.changes.onChange((accountId) => heard.push(accountId));
  return heard;
};

const change = (store: Store, accountId: number | "all"): Promise<void> =>
  store.transaction(async (tx) => tx.changed(accountId));

test("a change is told once where it was made, and once wherever the feed is read", async () => {
  const { store, another } = await openTestStore();
  const other = another();
  await store.changes.start();
  await other.changes.start();
  const [here, there] = [listen(store), listen(other)];

  await change(store, 7);
  expect(here).toEqual([7]);
  await change(other, 8);
  await change(store, "all");
  // Changes are read in the order of their numbers: who has heard of the last one has passed all others.
  await change(another(), 9);
  for (const heard of [here, there]) {
    await expect.poll(() => heard.at(-1), { timeout: 5000 }).toBe(9);
    expect(heard.map(String).toSorted((x, y) => x.localeCompare(y))).toEqual(["7", "8", "9", "all"]);
  }
});

test("a change of a transaction that failed is told to nobody", async () => {
  const { store } = await openTestStore();
  await store.changes.start();
  const heard = listen(store);

  const failing = store.transaction(async (tx) => {
    tx.changed(7);
    throw new Error("on second thoughts");
  });

  await expect(failing).rejects.toThrow("on second thoughts");
  await change(store, 8);
  expect(heard).toEqual([8]);
});

test("rows that were purged before they were read count as everything", async () => {
  const { store, another } = await openTestStore();
  await store.changes.start();
  const heard = listen(store);
  // Two changes, and no rows of them.
  await another()
    .query.updateTable("change_counter")
    .set((eb) => ({ seq: eb("seq", "+", 2) }))
    .execute();

  await expect.poll(() => heard, { timeout: 5000 }).toEqual(["all"]);
});
