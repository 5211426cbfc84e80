import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { systemRandom as random } from "../ids.ts";
import { Secret } from "../secret.ts";
import { open, type Place, rewrap, seal, UnsealError } from "./envelope.ts";
import { parseRootKeys } from "./root-keys.ts";

const entry = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString("base64")}`;
const keysOf = (...entries: string[]) => parseRootKeys(entries.join(","), "the test");

const keys = keysOf(entry("k1", 1));
const place: Place = { room: "accounts", row: "a1", field: "api_token", version: 3 };
const plaintext = "a third party's pass\0word, ünïcode 🔑";

const failureOf = (run: () => unknown): UnsealError => {
  try {
    run();
  } catch (error) {
    if (error instanceof UnsealError) return error;
    throw error;
  }
  throw new Error("it opened");
};

describe("seal and open", () => {
  test("give back any text, as a Secret", () => {
    expect(open(keys, place, seal(keys, random, place, new Secret(plaintext)))).toBeInstanceOf(Secret);
    expect(open(keys, place, seal(keys, random, place, plaintext)).reveal()).toBe(plaintext);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
        fc.pre(text.isWellFormed());
        expect(open(keys, place, seal(keys, random, place, text)).reveal()).toBe(text);
      }),
      { seed: 3 },
    );
  });

  test("A47 never write the same twice, nor anything of the text", () => {
    const sealed = Array.from({ length: 50 }, () => seal(keys, random, place, plaintext));
    expect(new Set(sealed).size).toBe(50);
    // Neither data key nor nonce repeats: the first 16 bytes of both parts all differ.
    expect(
      new Set(
        sealed.flatMap((text) =>
          text
            .split(":")
            .slice(2)
            .map((part) => part.slice(0, 21)),
        ),
      ).size,
    ).toBe(100);
    for (const text of sealed) {
      expect(text).toMatch(/^v1:k1:[\w-]{80}:[\w-]+$/);
      for (const encoding of ["utf8", "hex", "base64", "base64url"] as const) {
        expect(text).not.toContain(Buffer.from(plaintext).toString(encoding).slice(0, 12));
      }
    }
  });

  test("refuse to seal what UTF-8 would change", () => {
    expect(() => seal(keys, random, place, "a\ud800")).toThrow(TypeError);
  });
});

describe("A48 a sealed record", () => {
  const sealed = seal(keys, random, place, plaintext);

  test("does not open with any one character changed", () => {
    const characters = "ABab01-_:.=\n v";
    for (let at = 0; at < sealed.length; at += 1) {
      for (const character of characters) {
        if (sealed[at] === character) continue;
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        expect(failureOf(() => open(keys, place, changed)).place).toEqual(place);
      }
    }
  });

  test("does not open with any one bit of its bytes changed", () => {
    const [version, id, ...parts] = sealed.split(":");
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, "base64url");
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const text = [version, id, ...parts.with(index, changed.toString("base64url"))].join(":");
        expect(failureOf(() => open(keys, place, text)).reason).toBe("not_authentic");
      }
    }
  });

  test("does not open cut short or made longer", () => {
    for (let end = 0; end < sealed.length; end += 1) {
      expect(() => open(keys, place, sealed.slice(0, end))).toThrow(UnsealError);
    }
    for (const more of ["A", "AAAA", "=", "\n", ":", ":AAAA"]) {
      expect(() => open(keys, place, sealed + more)).toThrow(UnsealError);
    }
  });

  test("has one spelling: bits left over in its base64url are refused", () => {
    // One byte of text makes 29 bytes, the last character of which carries four idle bits.
    const short = seal(keys, random, place, "x");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(short.slice(-1));
    const other = short.slice(0, -1) + alphabet.charAt(last ^ 1);
    expect(Buffer.from(other.split(":")[3] ?? "", "base64url")).toEqual(
      Buffer.from(short.split(":")[3] ?? "", "base64url"),
    );
    expect(() => open(keys, place, other)).toThrow(UnsealError);
  });

  test.each([
    ["another room", { room: "connect" }],
    ["another row", { row: "a2" }],
    ["another field", { field: "password" }],
    ["an older version", { version: 2 }],
    ["a newer version", { version: 4 }],
    ["a place whose parts join to the same text", { room: "account", row: "sa1" }],
    ["a place with row and field joined otherwise", { row: "a1api", field: "_token" }],
  ])("does not open in %s", (_, change) => {
    const failure = failureOf(() => open(keys, { ...place, ...change }, sealed));
    expect(failure.reason).toBe("not_authentic");
    expect(failure.place).toEqual({ ...place, ...change });
  });

  test("does not open with the data key, or the body, of another record of the same place", () => {
    const [version, id, wrapped, body] = sealed.split(":");
    const [, , otherWrapped, otherBody] = seal(keys, random, place, plaintext).split(":");
    expect(() => open(keys, place, [version, id, otherWrapped, body].join(":"))).toThrow(UnsealError);
    expect(() => open(keys, place, [version, id, wrapped, otherBody].join(":"))).toThrow(UnsealError);
    expect(() => open(keys, place, [version, id, body, wrapped].join(":"))).toThrow(UnsealError);
  });

  test("does not open without its root key, under another one, or under another id of the same key", () => {
    expect(failureOf(() => open(keysOf(entry("k2", 1)), place, sealed)).reason).toBe("root_key_unknown");
    expect(failureOf(() => open(keysOf(entry("k1", 2)), place, sealed)).reason).toBe("not_authentic");
    const renamed = sealed.replace("v1:k1:", "v1:k2:");
    expect(failureOf(() => open(keysOf(entry("k2", 1)), place, renamed)).reason).toBe("not_authentic");
  });

  test("names its place and root key when it fails, never its content", () => {
    const failure = failureOf(() => open(keysOf(entry("k2", 2)), place, sealed));
    expect(failure.message).toBe(
      "accounts/a1/api_token version 3 does not open: its root key is not among those given (root key k1)",
    );
    expect(inspect(failure)).not.toContain(sealed.slice(6, 30));
    expect(failureOf(() => open(keys, place, plaintext)).message).not.toContain("pass");
  });
});

describe("rewrap", () => {
  const sealed = seal(keys, random, place, plaintext);
  const both = keysOf(entry("k2", 2), entry("k1", 1));

  test("moves a record to the current root key without touching it", () => {
    const moved = rewrap(both, random, place, sealed);
    expect(moved.split(":")[1]).toBe("k2");
    expect(moved.split(":")[3]).toBe(sealed.split(":")[3]);
    expect(open(keysOf(entry("k2", 2)), place, moved).reveal()).toBe(plaintext);
    expect(open(both, place, sealed).reveal()).toBe(plaintext);
  });

  test("leaves a record that is there already as it is", () => {
    expect(rewrap(keys, random, place, sealed)).toBe(sealed);
  });

  test("still ties the record to its place", () => {
    const moved = rewrap(both, random, { ...place, row: "a2" }, sealed);
    expect(() => open(both, { ...place, row: "a2" }, moved)).toThrow(UnsealError);
  });

  test("fails on a record whose root key is not at hand, or that was changed", () => {
    expect(() => rewrap(keysOf(entry("k2", 2)), random, place, sealed)).toThrow(UnsealError);
    expect(() => rewrap(both, random, place, sealed.replace(/:(.)/, ":x"))).toThrow(UnsealError);
  });
});
