import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEmailAddress } from "./email-address.ts";

const canonical = (text: string): string | undefined => {
  const result = parseEmailAddress(text);
  return "rule" in result ? undefined : result.canonical;
};

const rule = (text: string): string => {
  const result = parseEmailAddress(text);
  return "rule" in result ? result.rule : "accepted";
};

/** Punycode from RFC 3492 §6.2, so that what IDNA made of a label can be read back without IDNA. */
const decodePunycode = (encoded: string): string => {
  const output = Array.from(encoded.slice(0, Math.max(0, encoded.lastIndexOf("-"))), (each) =>
    each.charCodeAt(0),
  );
  let [code, position, bias] = [128, 0, 72];
  let rest = encoded.slice(encoded.lastIndexOf("-") + 1);
  for (let first = true; rest !== ""; first = false) {
    const start = position;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = "abcdefghijklmnopqrstuvwxyz0123456789".indexOf(rest.charAt(0));
      if (digit < 0 || rest === "") throw new Error("not punycode");
      rest = rest.slice(1);
      position += digit * weight;
      const threshold = Math.min(26, Math.max(1, k - bias));
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    let delta = Math.floor((position - start) / (first ? 700 : 2));
    delta += Math.floor(delta / (output.length + 1));
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(position / (output.length + 1));
    position %= output.length + 1;
    output.splice(position, 0, code);
    position += 1;
  }
  return String.fromCodePoint(...output);
};

const within = (word: string, letters: string): boolean =>
  word !== "" && Array.from(word).every((each) => letters.includes(each.toLowerCase()));

/** A second reading of the ASCII rules, word by word instead of by expressions. */
const asciiOracle = (typed: string): string | undefined => {
  const text = typed.replace(/^\s+/, "").replace(/\s+$/, "");
  const parts = text.split("@");
  const [local = "", domain = ""] = parts;
  if (parts.length !== 2 || text.length > 254 || local.length > 64) return undefined;
  const digits = "0123456789";
  const letters = `abcdefghijklmnopqrstuvwxyz${digits}`;
  if (!local.split(".").every((word) => within(word, `${letters}!#$%&'*+-/=?^_\`{|}~`))) return undefined;
  const labels = domain.toLowerCase().split(".");
  for (const each of labels) {
    if (!within(each, `${letters}-`) || each.startsWith("-") || each.endsWith("-") || each.length > 63)
      return undefined;
  }
  const top = labels[labels.length - 1] ?? "";
  if (domain.toLowerCase() !== "localhost" && (labels.length < 2 || digits.includes(top.charAt(0))))
    return undefined;
  return text.toLowerCase();
};

describe("parseEmailAddress", () => {
  test("keeps the local part as typed, and lowers it for comparison only", () => {
    expect(parseEmailAddress("  Mike.O'Neil+Tag@Example.COM\n")).toEqual({
      address: "Mike.O'Neil+Tag@example.com",
      canonical: "mike.o'neil+tag@example.com",
    });
  });

  test.each([
    "name@example.com",
    "a@b.co",
    "first.last+tag@sub.example.co.uk",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "_@a-b.example",
    "123@4.example",
    "root@localhost",
    "me@r3---sn.example.com",
    `${"a".repeat(64)}@example.com`,
    `a@${"b".repeat(63)}.example`,
  ])("accepts %s", (text) => {
    expect(parseEmailAddress(text)).toEqual({ address: text, canonical: text });
  });

  test("encodes an international domain, whose two forms are one address", () => {
    expect(parseEmailAddress("Name@exámple.com")).toEqual({
      address: "Name@xn--exmple-qta.com",
      canonical: "name@xn--exmple-qta.com",
    });
    expect(canonical("name@EXÁMPLE.com")).toBe("name@xn--exmple-qta.com");
    expect(canonical("name@XN--EXMPLE-QTA.com")).toBe("name@xn--exmple-qta.com");
    expect(canonical("name@faß.de")).toBe("name@xn--fa-hia.de");
    expect(canonical("name@ΑΣ-Α.gr")).toBe("name@xn----ylbb4e.gr");
    expect(canonical("name@ασ-α.gr")).toBe("name@xn----ylbb4e.gr");
    expect(canonical("name@例え.テスト")).toBe("name@xn--r8jz45g.xn--zckzah");
  });

  test("names the field, the rule and what would be right", () => {
    expect(parseEmailAddress("nobody")).toEqual({
      field: "email",
      rule: "format",
      message: "email must be an address like name@example.com",
    });
    expect(parseEmailAddress(" ")).toEqual({
      field: "email",
      rule: "required",
      message: "email is required",
    });
    expect(parseEmailAddress("é@example.com")).toMatchObject({ rule: "local_part" });
    expect(parseEmailAddress("a@example.com.")).toMatchObject({ rule: "domain" });
    expect(parseEmailAddress(`${"a".repeat(65)}@b.co`)).toEqual({
      field: "email",
      rule: "too_long",
      message: "email's part before the @ must be at most 64 characters",
    });
  });

  test.each([
    ["no @", "example.com"],
    ["nothing before the @", "@example.com"],
    ["nothing after it", "name@"],
    ["two", "a@b@example.com"],
    ["a leading dot", ".a@example.com"],
    ["a trailing dot", "a.@example.com"],
    ["two dots", "a..b@example.com"],
    ["two dots at a neighbour of docomo.ne.jp", "a..b@mail.docomo.ne.jp"],
    ["a leading dot even there", ".a@docomo.ne.jp"],
    ["quotes", '"a b"@example.com'],
    ["a blank", "a b@example.com"],
    ["a comma", "a,b@example.com"],
    ["a display name", "Name <name@example.com>"],
    ["a comment", "name(comment)@example.com"],
    ["a mailto", "mailto:name@example.com"],
  ])("refuses %s as no address", (_, text) => {
    expect(rule(text)).toBe("format");
  });

  test.each([
    "a@example",
    "a@example.com.",
    "a@.example.com",
    "a@example..com",
    "a@-example.com",
    "a@example-.com",
    "a@exa_mple.com",
    "a@exa mple.com",
    "a@example.com:25",
    "a@example.com/x",
    "a@ex%61mple.com",
    "a@127.0.0.1",
    "a@127.1",
    "a@0x7f.0x1",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@example.123",
    "a@xn--a.com",
    "a@xn--.com",
    "a@localhost.",
    `a@${"b".repeat(64)}.com`,
  ])("refuses the domain of %s", (text) => {
    expect(rule(text)).toBe("domain");
  });

  test("refuses what is too long, at exactly one character", () => {
    const domain = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(60)}.co`;
    expect(rule(`${"x".repeat(253 - domain.length)}@${domain}`)).toBe("accepted");
    expect(rule(`${"x".repeat(254 - domain.length)}@${domain}`)).toBe("too_long");
    expect(rule(`${"x".repeat(64)}@b.co`)).toBe("accepted");
    expect(rule(`${"x".repeat(65)}@b.co`)).toBe("too_long");
    expect(rule("x".repeat(10_000_000))).toBe("too_long");
  });

  test("A18 look-alikes never become another account's address", () => {
    const lookAlikes = [
      "mıke@example.com",
      "mi\u212Ae@example.com",
      "ｍike@example.com",
      "miĸe@example.com",
      "mike@example.com.",
      "mike@example。com",
      "mike@example．com",
      "mike@ｅxample.com",
      "mike@exa\u00admple.com",
      "mike@exa\u200bmple.com",
      "mike@exa\u200dmple.com",
      "mike@\u2060example.com",
      "mike@example.c\u1d52m",
      "mike@ⓔxample.com",
      "mi\u200bke@example.com",
      "mike＠example.com",
      "mike@example.com\u0000",
      "mike+tag@example.com",
      "m.ike@example.com",
      "mike@exаmple.com",
    ];
    for (const text of lookAlikes) expect(canonical(text), text).not.toBe("mike@example.com");
    expect(canonical("MIKE@EXAMPLE.COM")).toBe("mike@example.com");
    for (const kelvin of ["a@\u212Aexample.com", "a@example.\u212Aom", "a@ſexample.com"]) {
      expect(rule(kelvin)).toBe("domain");
    }
    expect(canonical("mike@exаmple.com")).toBe("mike@xn--exmple-4nf.com");
  });

  test("A19 nothing that could end a header or add a recipient gets through", () => {
    const texts = [
      "a@b.co\r\nBcc: c@d.co",
      "a\r\n@b.co",
      "a@b.co,c@d.co",
      "a@b.co;c@d.co",
      "a@b\n.co",
      "a@b.co\0",
      "a\t@b.co",
    ];
    for (const text of texts) expect(rule(text), text).not.toBe("accepted");
    let accepted = 0;
    const noise = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.string({ unit: "binary-ascii", maxLength: 2 }),
      fc.constantFrom("\r\n", "\n", ",", ";", "<", "%0a", "\u0085", "\u2028", "\u560a", "\u0100"),
    );
    fc.assert(
      fc.property(noise, fc.nat(16), (between, place) => {
        const base = "name@example.com";
        const result = parseEmailAddress(base.slice(0, place) + between + base.slice(place));
        if ("rule" in result) return;
        accepted += 1;
        expect(result.address).toMatch(/^[!-~]+$/);
        expect(result.address).not.toMatch(/[\s,;:<>()[\]"\\]/);
        expect(result.address.split("@").length).toBe(2);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  test("A18 agrees with an independent reading on ASCII", () => {
    const mostly = (right: readonly string[], wrong: readonly string[]) =>
      fc.oneof(
        { weight: 15, arbitrary: fc.constantFrom(...right) },
        { weight: 1, arbitrary: fc.constantFrom(...wrong) },
      );
    const local = fc.string({
      unit: mostly(["a", "B", "1", "_", "-", "+", "'", "~"], [".", "..", '"', " ", "@", ",", "\\", "\t"]),
      maxLength: 8,
    });
    const word = fc.string({
      unit: mostly(["a", "B", "1", "z"], ["-", "_", " ", "%", "/", "[", "]", ":"]),
      maxLength: 4,
    });
    const top = mostly(["com", "CO", "x1"], ["1", "0x1", "com.", "", "c-", "localhost"]);
    const domain = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(word, fc.constant("."), top).map((parts) => parts.join("")) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("localhost", "LOCALHOST", "example", "127.0.0.1", "a.b.c.example"),
      },
    );
    const address = fc
      .tuple(
        mostly(["", " "], ["\n", "."]),
        local,
        mostly(["@"], ["", "@@", " @"]),
        domain,
        mostly(["", "\t"], ["."]),
      )
      .map((parts) => parts.join(""));
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(address, (text) => {
        const expected = asciiOracle(text);
        expect(canonical(text)).toBe(expected);
        if (expected === undefined) refused += 1;
        else accepted += 1;
      }),
      { numRuns: 5000 },
    );
    // Agreement means something only where both endings are met often.
    expect(Math.min(accepted, refused)).toBeGreaterThan(500);
  });

  test("A18 a domain label beyond ASCII is encoded, letter for letter, and never mapped to a plain one", () => {
    const mapped = Array.from("ſKİ。．ｅⓔﬁ\u00ad\u200b\u200d\u0301");
    const letter = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...Array.from("aZ1-éÉßΣσаı例☃")) },
      { weight: 1, arbitrary: fc.constantFrom(...mapped) },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }) },
    );
    const met = { plain: 0, encoded: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(letter, { minLength: 1, maxLength: 6 }), (letters) => {
        const typed = letters.join("");
        fc.pre(!typed.includes(".") && !typed.includes("@"));
        const found = canonical(`a@x${typed}x.com`)?.slice(2);
        if (found === undefined) {
          met.refused += 1;
          return;
        }
        const [label = "", top, ...more] = found.split(".");
        expect([top, more]).toEqual(["com", []]);
        const lower = Array.from(`x${typed}x`, (each) => each.toLowerCase()).join("");
        if (Array.from(typed).every((each) => each < "\x80")) {
          expect(label).toBe(lower);
          met.plain += 1;
        } else {
          expect([label.slice(0, 4), decodePunycode(label.slice(4))]).toEqual(["xn--", lower]);
          met.encoded += 1;
        }
      }),
      { numRuns: 5000 },
    );
    for (const [ending, times] of Object.entries(met)) expect(times, ending).toBeGreaterThan(100);
  });

  test("A18 what is canonical stays so, and an address finds its own account", () => {
    const typed = fc.oneof(
      fc.emailAddress(),
      fc.tuple(fc.constant("Me"), fc.domain()).map((parts) => parts.join("@")),
    );
    let accepted = 0;
    fc.assert(
      fc.property(typed, (text) => {
        const result = parseEmailAddress(text);
        if ("rule" in result) return;
        accepted += 1;
        expect(parseEmailAddress(result.canonical)).toEqual({
          address: result.canonical,
          canonical: result.canonical,
        });
        expect(canonical(result.address)).toBe(result.canonical);
      }),
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
