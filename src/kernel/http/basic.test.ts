import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBasic } from "./basic.ts";

const encode = (text: string): string => Buffer.from(text, "utf8").toString("base64");

/** What a request with these Authorization lines is read as: `[user, password]`, or the word. */
const read = (...lines: string[]): readonly [string, string] | "malformed" | undefined => {
  const rawHeaders = lines.flatMap((line) => ["Authorization", line]);
  const result = parseBasic(["Host", "localhost", ...rawHeaders, "Accept", "*/*"], lines[0]);
  return typeof result === "object" ? [result.user, result.password.reveal()] : result;
};

/**
 * Written anew from RFC 7617 §2 and RFC 4648 §4: one expression for the whole header, bits instead of a decoder,
 * UTF-8 by TextDecoder and what it refuses byte by byte, the control characters by the grammar.
 */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const oracle = (header: string): readonly [string, string] | "malformed" => {
  const match = /^[ \t]*[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+)(={0,2})[ \t]*$/.exec(header);
  const [, letters = "", padding = ""] = match ?? [];
  if (header.length > 8192 || letters.length < 2 || letters.length % 4 === 1) return "malformed";
  if (padding !== "" && (letters.length + padding.length) % 4 !== 0) return "malformed";
  const bits = Array.from(letters, (letter) => alphabet.indexOf(letter).toString(2).padStart(6, "0")).join(
    "",
  );
  const whole = bits.length - (bits.length % 8);
  if (/1/.test(bits.slice(whole))) return "malformed";
  const bytes = Uint8Array.from(bits.slice(0, whole).match(/.{8}/g) ?? [], (octet) =>
    Number.parseInt(octet, 2),
  );
  const text = textOf(bytes);
  const pair = /^([^\p{Cc}:]|[\u0080-\u009f])+:([^\p{Cc}]|[\u0080-\u009f])*$/u.test(text);
  return pair ? [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)] : "malformed";
};

const textOf = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
};

describe("parseBasic", () => {
  test("reads the examples of RFC 7617", () => {
    expect(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")).toEqual(["Aladdin", "open sesame"]);
    expect(read("Basic dGVzdDoxMjPCow==")).toEqual(["test", "123£"]);
  });

  test("gives undefined only when there is no Authorization header", () => {
    expect(parseBasic(["Host", "localhost"], undefined)).toBeUndefined();
    expect(read("")).toBe("malformed");
  });

  test("splits at the first colon only, and the password may be empty", () => {
    expect(read(`Basic ${encode("a@b.example:x:y::")}`)).toEqual(["a@b.example", "x:y::"]);
    expect(read(`Basic ${encode("a@b.example:")}`)).toEqual(["a@b.example", ""]);
  });

  test("takes the scheme in any case, blanks around it, and base64 without its padding", () => {
    for (const header of ["basic YTpi", "BASIC YTpi", " Basic YTpi", "\tBasic   YTpi ", "bAsIc YTpi"]) {
      expect(read(header), header).toEqual(["a", "b"]);
    }
    expect(read("Basic YTo")).toEqual(["a", ""]);
    expect(read("Basic YTpiYw")).toEqual(["a", "bc"]);
  });

  test("keeps a byte order mark, and composed apart from decomposed", () => {
    expect(read(`Basic ${encode("\ufeffa:\ufeffb")}`)).toEqual(["\ufeffa", "\ufeffb"]);
    expect(read(`Basic ${encode("a:e\u0301")}`)).toEqual(["a", "e\u0301"]);
  });

  test.each([
    ["an empty user", `Basic ${encode(":password")}`],
    ["no colon", `Basic ${encode("password")}`],
    ["nothing", "Basic"],
    ["only blanks", "Basic   "],
    ["no blank after the scheme", "BasicYTpi"],
    ["a tab after the scheme", "Basic\tYTpi"],
    ["a line feed in what is not UTF-8", `Basic ${Buffer.from([0x61, 0x3a, 0xff, 0x0a]).toString("base64")}`],
    ["a NUL in the password", `Basic ${encode("a:b\0c")}`],
    ["a line feed in the user", `Basic ${encode("a\nb:c")}`],
    ["a DEL", `Basic ${encode("a:\x7f")}`],
    ["base64url", "Basic YTo_Pz8_"],
    ["white space inside", "Basic YT pi"],
    ["bits that no encoder writes, with padding", "Basic YTpiYx=="],
    ["bits that no encoder writes, without padding", "Basic YTpiYx"],
    ["a letter too many", "Basic YTpiY"],
    ["half of its padding", "Basic YTpiYw="],
    ["too much padding", "Basic YTpi="],
    ["padding inside", "Basic YTo=YTo="],
    ["a comma list", "Basic YTpi, Basic YTpi"],
    ["a trailing comma", "Basic YTpi,"],
    ["a parameter list", 'Basic realm="x"'],
    ["the Bearer scheme", "Bearer YTpi"],
    ["the Token scheme", "Token token=YTpi"],
    ["a no-break space before", "\u00a0Basic YTpi"],
    ["more than 8 KiB", `Basic ${encode(`a:${"b".repeat(8192)}`)}`],
  ])("A40 refuses %s", (_, header) => {
    expect(read(header)).toBe("malformed");
  });

  test("A40 refuses two Authorization headers in any case, even equal ones", () => {
    expect(read("Basic YTpi", "Basic YTpi")).toBe("malformed");
    expect(parseBasic(["authorization", "Basic YTpi", "AUTHORIZATION", "Bearer x"], "Basic YTpi")).toBe(
      "malformed",
    );
    // A header's value is not a header's name.
    const result = parseBasic(["X-Of", "authorization", "Authorization", "Basic YTpi"], "Basic YTpi");
    expect(result).toMatchObject({ user: "a" });
  });

  test("never prints the password", () => {
    const result = parseBasic([], `Basic ${encode("a:hunter2")}`);
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });

  test("A40 gives back every pair that a client may send", () => {
    const part = fc
      .string({ unit: "binary" })
      .filter(
        (text) => text.isWellFormed() && Array.from(text).every((each) => each >= " " && each !== "\x7f"),
      );
    const user = part.filter((text) => text !== "" && !text.includes(":"));
    fc.assert(
      fc.property(user, part, fc.boolean(), (name, password, padded) => {
        const token = encode(`${name}:${password}`);
        expect(read(`Basic ${padded ? token : token.replaceAll("=", "")}`)).toEqual([name, password]);
      }),
    );
  });

  test("reads as ISO-8859-1 what is not UTF-8, and nothing else", () => {
    expect(
      read(`Basic ${Buffer.from("eva@example.com:gr\u00fc\u00dfe", "latin1").toString("base64")}`),
    ).toEqual(["eva@example.com", "gr\u00fc\u00dfe"]);
    const unit = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x3a && code !== 0x7f);
    // By chance alone hardly any bytes are UTF-8.
    const letters = fc.array(fc.constantFrom("a", "é", "ß", "漢"), { minLength: 1, maxLength: 6 });
    const part = fc.oneof(
      fc.array(unit, { minLength: 1, maxLength: 12 }),
      letters.map((some) => [...Buffer.from(some.join(""), "utf8")]),
    );
    let [utf8, latin1] = [0, 0];
    fc.assert(
      fc.property(part, part, (user, password) => {
        const bytes = Buffer.from([...user, 0x3a, ...password]);
        const asUtf8 = bytes.toString("utf8");
        const isUtf8 = !asUtf8.includes("\ufffd");
        const [name = "", typed = ""] = (isUtf8 ? asUtf8 : bytes.toString("latin1")).split(":");
        expect(read(`Basic ${bytes.toString("base64")}`)).toEqual([name, typed]);
        if (isUtf8) utf8 += 1;
        else latin1 += 1;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(utf8, latin1)).toBeGreaterThan(100);
  });

  test("A40 agrees with an independent reading on anything, and never throws", () => {
    // Each part is right most of the time, so that many headers are wrong in one place only, and many in none.
    const mostly = (right: readonly string[], wrong: readonly string[]) =>
      fc.oneof(
        { weight: 24, arbitrary: fc.constantFrom(...right) },
        { weight: 1, arbitrary: fc.constantFrom(...wrong) },
      );
    const unit = mostly(["a", "Z", ":", "é", "€", "😀", "\u0085", "\ufeff"], ["\0", "\x1f", "\x7f"]);
    const text = fc.string({ unit, minLength: 1, maxLength: 8 });
    const pair = fc.tuple(text, mostly([":"], ["", ";"]), text).map((parts) => encode(parts.join("")));
    const bytes = fc
      .uint8Array({ maxLength: 12 })
      .map((value) => Buffer.from([0x61, 0x3a, ...value]).toString("base64"));
    const unpadded = fc
      .tuple(pair, fc.constantFrom("", "=", "=="))
      .map(([token, end]) => token.replace(/=*$/, end));
    const letter = fc.constantFrom(...Array.from("AQgw159+/-_=, \té\n"));
    const bent = fc
      .tuple(pair, fc.nat(24), letter)
      .map(([token, place, other]) => token.slice(0, place) + other + token.slice(place + 1));
    const header = fc
      .tuple(
        mostly(["", " ", "\t"], ["\u00a0", "x", ","]),
        mostly(["Basic", "basic", "BASIC", "bAsIc"], ["Bearer", "Basi", "Basics", "Ba\u017fic"]),
        mostly([" ", "   "], ["", "\t", "\n", " \t"]),
        fc.oneof(
          { weight: 4, arbitrary: pair },
          bytes,
          unpadded,
          bent,
          fc.string({ unit: letter, maxLength: 8 }),
        ),
        mostly(["", " ", "\t "], ["\r", "=", ",", ", Basic YTpi"]),
      )
      .map((parts) => parts.join(""));
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: header }, fc.string({ unit: "binary" })), (anything) => {
        const expected = oracle(anything);
        expect(read(anything)).toEqual(expected);
        if (expected === "malformed") refused += 1;
        else accepted += 1;
      }),
      { numRuns: 5000 },
    );
    // Agreement means something only where both endings are met often.
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });
});
