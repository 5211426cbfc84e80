import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayBeEmailAddress, parseEmailAddress, quotedMailbox } from "./email-address.ts";

const canonical = (text: string): string | undefined => {
  const result = parseEmailAddress(text);
  return "rule" in result ? undefined : result.canonical;
};

describe("addresses as others give them out, and as they are pasted", () => {
  test.each(["a..b@docomo.ne.jp", "abc.@docomo.ne.jp", "A...b..@ezweb.ne.jp"])(
    "accepts %s, as its domain gave such addresses out, and quotes it on the wire",
    (text) => {
      const at = text.indexOf("@");
      expect(parseEmailAddress(text)).toEqual({ address: text, canonical: text.toLowerCase() });
      expect(quotedMailbox(text)).toBe(`"${text.slice(0, at)}"${text.slice(at)}`);
      expect(quotedMailbox(`x${text.slice(at)}`)).toBe(`x${text.slice(at)}`);
    },
  );

  test.each(["\u200b", "\ufeff", "\u2060", "\u00ad", "\u00a0", "\u200e", "\u202a", "\u3000"])(
    "drops %j around an address, and names it inside",
    (mark) => {
      expect(canonical(`${mark}ada@example.com${mark} `)).toBe("ada@example.com");
      const named = `U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      for (const text of [`a${mark}da@example.com`, `ada@${mark}example.com`]) {
        expect(parseEmailAddress(text)).toEqual({
          field: "email",
          rule: "unseen",
          message: `email has a character in it that can't be seen (${named})`,
        });
      }
    },
  );

  test("whatever is an address here may be one elsewhere, and others too", () => {
    const letters = "abz019!#$%&'*+-/=?^_`{|}~.@é\u00a0 ";
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...letters.split("")) }), (text) => {
        const parsed = parseEmailAddress(text);
        if ("address" in parsed) expect(parsed.address).toMatch(mayBeEmailAddress);
      }),
    );
    for (const text of [
      "r&d@example.com",
      "grüße@exämple.de",
      '"a b"@example.com',
      "root@[127.0.0.1]",
      "a@b",
    ]) {
      expect(text).toMatch(mayBeEmailAddress);
    }
    for (const text of ["", "@", "a@", "@b", "a b@c.d", "a@b c", "no address", '"a"b"@c.d', "a\u0000@b"]) {
      expect(text).not.toMatch(mayBeEmailAddress);
    }
  });
});
