/**
 * The root keys: they wrap the data keys of sealed records, and nothing else. They live outside the store,
 * so that a copy of the store alone opens nothing.
 */
import { createSecretKey, type KeyObject } from "node:crypto";

import { SetupFault } from "../errors.ts";
import { keyedDigest } from "./digest.ts";

const keySize = 32;
const idForm = /^[A-Za-z0-9._-]{1,64}$/;

export type RootKey = {
  readonly id: string;
  /** 256 bits for AES; a KeyObject, because that does not print. */
  readonly key: KeyObject;
};

export type RootKeys = {
  /** The one that wraps. */
  readonly current: RootKey;
  /** Every one opens. */
  byId(id: string): RootKey | undefined;
  /** In the order given, the current one first. */
  readonly ids: readonly string[];
};

const parseEntry = (entry: string, where: string): RootKey => {
  const colon = entry.indexOf(":");
  const id = entry.slice(0, colon);
  // The entry is never quoted: someone who forgot the id has the key at its place.
  if (colon < 0 || !idForm.test(id)) {
    throw new SetupFault(
      `${where} must be written id:base64, the id of 1 to 64 letters, digits, dots, hyphens or underscores`,
    );
  }
  const text = entry.slice(colon + 1);
  const bytes = Buffer.from(text, "base64");
  // Node skips what is not base64, so only a text that comes back the same was one.
  if (bytes.length !== keySize || bytes.toString("base64") !== text) {
    throw new SetupFault(
      `${where} (${id}) must carry ${keySize} bytes of base64, as "openssl rand -base64 ${keySize}" prints them`,
    );
  }
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, key };
};

/**
 * Reads `id:base64` entries separated by commas or line ends; the first wraps, all open. Blank entries and
 * lines that start with `#` are passed over.
 *
 * @param where names the file or variable in the sentence of a fault
 * @throws SetupFault naming the entry and the rule that it breaks; it never holds the key
 */
export const parseRootKeys = (text: string, where: string): RootKeys => {
  const found = new Map<string, RootKey>();
  const entries = text
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  for (const [index, entry] of entries.entries()) {
    const place = `${where}: root key ${index + 1}`;
    const rootKey = parseEntry(entry, place);
    if (found.has(rootKey.id)) {
      throw new SetupFault(`${place} (${rootKey.id}) has the id of an earlier one; each needs its own`);
    }
    found.set(rootKey.id, rootKey);
  }
  const [current] = found.values();
  if (current === undefined) {
    throw new SetupFault(`${where} has no root key; it needs at least one, written id:base64`);
  }
  return { current, byId: (id) => found.get(id), ids: [...found.keys()] };
};

/**
 * A value that the store keeps beside a root key's id, so that another key under the same id is noticed
 * before it wraps anything. HMAC-SHA-256 under a label of its own: it tells nothing about the key.
 * 64 hex digits.
 */
export const checkValue = (rootKey: RootKey): string =>
  keyedDigest(rootKey.key, "latchkey root key check", rootKey.id);
