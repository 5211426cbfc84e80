import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesWhole, patternFault } from "./pattern.ts";

describe("patterns that may be used", () => {
  test.each([
    "[0-9a-f]{32}",
    "xox[bp]-[A-Za-z0-9-]{10,250}",
    "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "[^@]+@[^@]+",
    ".*(?:blocked|deactivated).*",
    "(?<kind>live|test)_\\w+",
    "(?i:bearer) .+",
    "(?:ab)*",
    "\\p{L}+[\\]\\\\a]{2,}",
    "a|b|c",
    "^null$",
    "[\\u{1F600}-\\u{1F64F}]+?",
    "",
  ])("%s", (pattern) => {
    expect(patternFault(pattern)).toBeUndefined();
  });
});

describe("patterns that may not", () => {
  test.each([
    ["(a+)+", /too long/],
    ["(?:a*)*b", /too long/],
    ["(a|a)*", /too long/],
    ["(a|aa)+$", /too long/],
    ["([a-z]+\\.)+[a-z]+", /too long/],
    ["(?:(?:a?){50}){50}", /too long/],
    [".*.*.*x", /too long/],
    ["a{1,9}".repeat(12), /too long/],
    ["(?=a)a", /look ahead/],
    ["(?<!a)b", /look ahead/],
    ["(a)\\1", /refer back/],
    ["(?<x>a)\\k<x>", /refer back/],
    ["[", /JavaScript/],
    ["a{2,1}", /JavaScript/],
    ["\\-", /JavaScript/],
    ["a".repeat(501), /500 characters/],
  ])("%s", (pattern, reason) => {
    expect(patternFault(pattern)).toMatch(reason);
  });
});

test("the whole of a value is matched, and only of one that a field may hold", () => {
  expect(matchesWhole("a|b", "a")).toBe(true);
  expect(matchesWhole("a|b", "ab")).toBe(false);
  expect(matchesWhole("a+", "a\n")).toBe(false);
  expect(matchesWhole("a+", "a".repeat(1024))).toBe(true);
  expect(matchesWhole("a+", "a".repeat(1025))).toBe(false);
});

test("a pattern never makes the check throw, and an accepted one can be tried on anything", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "\\d",
    "\\]",
    "[a-z]",
    "[^\\]]",
    "(",
    "(?:",
    "(?=",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{2,}",
    "{3}",
    "??",
    "\\1",
    "^",
    "$",
    "[",
    "]",
    "\\p{L}",
    "é",
  );
  const pattern = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  let accepted = 0;
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom("a", "b", "1"), maxLength: 40 }),
      (text, value) => {
        const fault = patternFault(text);
        if (fault !== undefined) return;
        accepted += 1;
        expect(matchesWhole(text, value)).toBe(new RegExp(`^(?:${text})$`, "u").test(value));
      },
    ),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
