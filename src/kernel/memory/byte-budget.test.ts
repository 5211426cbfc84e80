import { expect, test } from "vitest";
import { createByteBudget } from "./byte-budget.ts";

const wound = () => {
  let at = 1000;
  return { clock: { now: () => at }, advance: (milliseconds: number) => void (at += milliseconds) };
};

test("gives out what it has, takes it back, and gives it out again", () => {
  const budget = createByteBudget({ clock: wound().clock, mostBytes: 10 });
  const one = budget.open();
  const other = budget.open();
  expect([one.grow(6), other.grow(4), other.grow(1)]).toEqual([true, true, false]);
  one.free();
  one.free();
  expect([one.grow(1), other.grow(6), other.grow(1)]).toEqual([false, true, false]);
});

test("whoever has held a share for long makes room, the oldest first, and no more of them than it takes", () => {
  const { clock, advance } = wound();
  const budget = createByteBudget({ clock, mostBytes: 10 });
  const gone: string[] = [];
  const hold = (name: string, bytes: number) => {
    const share = budget.open(() => gone.push(name));
    expect(share.grow(bytes)).toBe(true);
    return share;
  };
  hold("first", 3);
  hold("second", 3);
  hold("third", 3);
  const quick = budget.open(() => gone.push("quick"));
  expect(quick.grow(5)).toBe(false);
  expect(gone).toEqual([]);

  advance(1001);
  const late = budget.open();
  expect(late.grow(5)).toBe(true);
  expect(gone).toEqual(["first", "second"]);
  // It was there before the third one was old, and is not pushed out by what itself asks for.
  expect(quick.grow(5)).toBe(true);
  expect(gone).toEqual(["first", "second", "third"]);
});

test("what does not say that it can be crowded out stays", () => {
  const { clock, advance } = wound();
  const budget = createByteBudget({ clock, mostBytes: 10 });
  expect(budget.open().grow(10)).toBe(true);
  advance(60_000);
  expect(budget.open().grow(1)).toBe(false);
});
