import fc from "fast-check";
import { expect, test } from "vitest";
import { GrowingBuffer } from "./growing-buffer.ts";

/** Counts what is taken. */
const counted = (room = Infinity) => {
  let taken = 0;
  const grow = (bytes: number): boolean => {
    if (taken + bytes > room) return false;
    taken += bytes;
    return true;
  };
  return { share: { grow, free: () => {} }, taken: () => taken };
};

test("what came is what is there, and holds at most twice as much", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }), (pieces) => {
      const { share, taken } = counted();
      const whole = Buffer.concat(pieces);
      const buffer = new GrowingBuffer(share, 2400);
      for (const piece of pieces) expect(buffer.add(piece)).toBe(true);
      expect(buffer.bytes.equals(whole)).toBe(true);
      expect(buffer.length).toBe(whole.length);
      expect(taken()).toBeLessThanOrEqual(2 * whole.length);
    }),
  );
});

test("A14 a body in pieces of one byte holds no more than one in one piece", () => {
  const { share, taken } = counted();
  const buffer = new GrowingBuffer(share, 65_536);
  const piece = Buffer.from("p");
  for (let count = 0; count < 65_536; count += 1) buffer.add(piece);
  expect(buffer.length).toBe(65_536);
  expect(taken()).toBe(65_536);
});

test("what has no room is not added, and what was there stays", () => {
  const { share } = counted(10);
  const buffer = new GrowingBuffer(share, 100);
  expect(buffer.add(Buffer.from("12345678"))).toBe(true);
  expect(buffer.add(Buffer.from("9abc"))).toBe(false);
  expect(buffer.bytes.toString()).toBe("12345678");
});
