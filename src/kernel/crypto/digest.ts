import { createHmac, hash, type KeyObject } from "node:crypto";

/**
 * 64 hex digits of SHA-256 (FIPS 180-4). Only for looking up random secrets of at least 128 bits (tokens,
 * mailed codes): nobody can search those. A thing that a person chose needs `keyedDigest` or a password hash.
 */
export const sha256Hex = (text: string): string => hash("sha256", text);

/**
 * One encoding per list of texts, and one list per encoding: each text goes after its own length (4 bytes,
 * big-endian), so `ab`+`c` and `a`+`bc` differ. The bytes are UTF-16 as JavaScript holds them, because
 * UTF-8 turns every lone surrogate into the same replacement character.
 */
export const lengthPrefixed = (...parts: readonly string[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part, "utf16le");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );

/** 64 hex digits of HMAC-SHA-256 (RFC 2104) over the parts, so encoded that no two lists of parts collide. */
export const keyedDigest = (key: Buffer | KeyObject, ...parts: readonly string[]): string =>
  createHmac("sha256", key)
    .update(lengthPrefixed(...parts))
    .digest("hex");
