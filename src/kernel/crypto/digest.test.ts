import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { keyedDigest, lengthPrefixed, sha256Hex } from "./digest.ts";

const key = Buffer.alloc(32, 7);

test("SHA-256 gives the value of FIPS 180-4's example", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

describe("a keyed digest", () => {
  test("is HMAC-SHA-256 over each part behind its length", () => {
    expect(lengthPrefixed("a", "").toString("hex")).toBe("00000002610000000000");
    expect(keyedDigest(key, "a", "")).toMatch(/^[0-9a-f]{64}$/);
    expect(keyedDigest(key, "a")).toBe(keyedDigest(Buffer.alloc(32, 7), "a"));
    expect(keyedDigest(key, "a")).not.toBe(keyedDigest(Buffer.alloc(32, 8), "a"));
  });

  test.each([
    [
      ["ab", "c"],
      ["a", "bc"],
    ],
    [["ab"], ["a", "b"]],
    [["a"], ["a", ""]],
    [[], [""]],
    [["\ud800"], ["\ud801"]],
    [["\ud800"], ["\ufffd"]],
    [["a\0"], ["a"]],
  ])("A41 tells %j from %j", (one, other) => {
    expect(keyedDigest(key, ...one)).not.toBe(keyedDigest(key, ...other));
  });

  test("A41 the encoding of a list of parts can be read back, so no two lists share one", () => {
    const read = (bytes: Buffer): string[] => {
      const parts: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + 4 + bytes.readUInt32BE(at);
        parts.push(bytes.subarray(at + 4, end).toString("utf16le"));
        at = end;
      }
      return parts;
    };
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (parts) => {
        expect(read(lengthPrefixed(...parts))).toEqual(parts);
      }),
      { seed: 2 },
    );
  });
});
