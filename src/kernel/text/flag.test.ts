import { expect, test } from "vitest";
import { flagWords, readFlag } from "./flag.ts";

test.each(["true", "1", "yes", "on", "True", "YES"])("%s is on", (text) => {
  expect(readFlag(text)).toBe(true);
});

test.each(["false", "0", "no", "off", "False", "NO"])("%s is off", (text) => {
  expect(readFlag(text)).toBe(false);
});

test.each(["", "2", "y", "ja", "truee"])("%j is neither", (text) => {
  expect(readFlag(text)).toBeUndefined();
});

test("every word is read", () => {
  expect(flagWords.map(readFlag)).not.toContain(undefined);
});
