import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unseenIn, withoutUnseen, withoutUnseenAround } from "./unseen.ts";

const marks = [
  "\u0009\u000a\u0085\u00a0\u00ad\u034f\u061c\u1680\u180e\u2000\u2007\u200a\u200b\u200c\u200d\u200e\u200f",
  "\u2028\u2029\u202a\u202e\u202f\u205f\u2060\u2064\u2066\u2069\u2800\u3000\u3164\ufe0f\ufeff\ufff9\u{e0001}\u{e007f}",
].flatMap((text) => Array.from(text));

describe("what can't be seen", () => {
  test.each(
    marks.map((mark) => [`U+${mark.codePointAt(0)?.toString(16).padStart(4, "0").toUpperCase()}`, mark]),
  )("%s is dropped around a text, and named inside", (name, mark) => {
    expect(withoutUnseenAround(`${mark} a b${mark}${mark}`)).toBe("a b");
    expect(withoutUnseen(`${mark}a ${mark}b`)).toBe("ab");
    expect(unseenIn(`a${mark}b`)).toBe(name);
  });

  test("a control is no part of what is dropped, and is named", () => {
    expect(withoutUnseenAround("a\u0000")).toBe("a\u0000");
    expect(unseenIn("a\u0000")).toBe("U+0000");
  });

  test("a plain space is nothing to name, and what is seen stays", () => {
    expect(unseenIn("a b")).toBeUndefined();
    expect(withoutUnseenAround("\u{1f600}é=")).toBe("\u{1f600}é=");
    expect(withoutUnseenAround(" \u200b ")).toBe("");
  });

  test("taking it away twice is taking it away once", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "é", "\u{1f600}", ...marks) }), (text) => {
        const bare = withoutUnseenAround(text);
        expect(withoutUnseenAround(bare)).toBe(bare);
        expect(text).toContain(bare);
      }),
    );
  });
});
