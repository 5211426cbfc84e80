import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { accept, base64url, claims, forged, header, issuer, token } from "./jwt.fixture.ts";

describe("A34 signature and encoding", () => {
  test("flipping any bit of the token makes it another, refused one", () => {
    const bytes = Buffer.from(token);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(accept(changed.toString("latin1"))).toBeUndefined();
    }
  });

  test("flipping any bit of the signature's 64 bytes is refused", () => {
    const [head, body, signature = ""] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(accept(`${head}.${body}.${base64url(changed)}`)).toBeUndefined();
    }
  });

  test("S plus the group order, which fits the same equation, is refused (RFC 8032 §5.1.7)", () => {
    const [head, body, signature = ""] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString("hex")}`);
    for (const malleable of [s + order, s + 2n * order].filter((value) => value < 2n ** 256n)) {
      const tail = Buffer.from(malleable.toString(16).padStart(64, "0"), "hex").toReversed();
      const other = base64url(Buffer.concat([bytes.subarray(0, 32), tail]));
      expect(accept(`${head}.${body}.${other}`)).toBeUndefined();
    }
  });

  test("each part has one spelling: trailing bits, padding, white space and other alphabets are refused", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const parts = token.split(".");
    for (const [index, part] of parts.entries()) {
      const idle = (part.length * 6) % 8;
      for (let bits = 1; bits < 2 ** idle; bits += 1) {
        const last = alphabet.charAt(alphabet.indexOf(part.slice(-1)) ^ bits);
        const respelt = part.slice(0, -1) + last;
        expect(Buffer.from(respelt, "base64url")).toEqual(Buffer.from(part, "base64url"));
        expect(accept(parts.with(index, respelt).join("."))).toBeUndefined();
      }
      for (const respelt of [
        `${part}=`,
        `${part}==`,
        ` ${part}`,
        `${part}\n`,
        `${part}A`,
        part.slice(0, -1),
        "",
      ]) {
        expect(accept(parts.with(index, respelt).join("."))).toBeUndefined();
      }
    }
    expect(accept(`${token}.`)).toBeUndefined();
    expect(accept(`${token}.${parts[2]}`)).toBeUndefined();
    expect(accept(parts.slice(0, 2).join("."))).toBeUndefined();
    expect(accept(JSON.stringify({ payload: parts[1], signatures: [] }))).toBeUndefined();
  });

  test("a token over 4,096 characters is refused before anything is read", () => {
    const long = forged(header, JSON.stringify({ ...claims, iss: `${issuer}${"x".repeat(4000)}` }));
    expect(accept(long, { issuer: `${issuer}${"x".repeat(4000)}` })).toBeUndefined();
    expect(accept("x".repeat(10_000_000))).toBeUndefined();
  });

  test("any text is answered without throwing", () => {
    const part = fc.string({ unit: fc.constantFrom(..."abAB01-_.=+/ \n\0é".split("")) });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(part).map((parts) => parts.join(".")),
        ),
        (text) => {
          expect(accept(text)).toBeUndefined();
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });
});
