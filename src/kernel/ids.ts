import { randomBytes, randomInt } from "node:crypto";
import { withoutUnseen } from "./text/unseen.ts";

/** Where chance comes from, handed in so that a test can make it repeatable. */
export type Random = {
  bytes(size: number): Buffer;
  /** A whole number of 0 ≤ n < limit, without bias. */
  below(limit: number): number;
};

export const systemRandom: Random = {
  bytes: (size) => randomBytes(size),
  below: (limit) => randomInt(limit),
};

/** 57 characters that cannot be mistaken for one another: no 0, 1, I, O, l. */
const base57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const crockford = "0123456789abcdefghjkmnpqrstvwxyz";

/** 22 characters of base57: more than 128 random bits. The form of an account's public id and of a session's `sub`. */
export const newPublicId = (random: Random): string =>
  Array.from({ length: 22 }, () => base57.charAt(random.below(base57.length))).join("");

/**
 * A password that nobody thought of: groups of five characters of base57 with hyphens between, at least four groups
 * (116 random bits) and so many that it has `minimum` characters.
 */
export const newPassword = (random: Random, minimum: number): string =>
  Array.from({ length: Math.max(4, Math.ceil((minimum + 1) / 6)) }, () =>
    Array.from({ length: 5 }, () => base57.charAt(random.below(base57.length))).join(""),
  ).join("-");

/** 32 lower-case hex digits, 128 random bits: the form of an API token and of a session's `jti`. */
export const newHexId = (random: Random): string => random.bytes(16).toString("hex");

/** 26 characters of lower-case Crockford base32 over 130 random bits: the codes that travel by mail. */
export const newMailCode = (random: Random): string =>
  Array.from({ length: 26 }, () => crockford.charAt(random.below(crockford.length))).join("");

/**
 * What a person may have made of a mailed code: hyphens, blanks and what can't be seen, capitals, and the letters that
 * Crockford's alphabet leaves out because they look like digits. Undefined when it can't be a code.
 */
export const normalizeMailCode = (typed: string): string | undefined => {
  if (typed.length > 128) return undefined;
  const code = withoutUnseen(typed)
    .replaceAll("-", "")
    .toLowerCase()
    .replaceAll("o", "0")
    .replaceAll(/[il]/g, "1");
  return /^[0-9a-hjkmnp-tv-z]{26}$/.test(code) ? code : undefined;
};
