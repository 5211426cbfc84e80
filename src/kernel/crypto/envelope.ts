/**
 * Sealing at rest. Each record has a data key of its own, wrapped by the current root key; associated data
 * ties the record to its place and the wrapped key to its root key's id, so that neither can be moved.
 *
 * A sealed text is `v1:<root key id>:<wrapped data key>:<record>`, the last two base64url of nonce (12),
 * ciphertext and tag (16).
 */
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";

import type { Random } from "../ids.ts";
import { Secret } from "../secret.ts";
import { lengthPrefixed } from "./digest.ts";
import type { RootKey, RootKeys } from "./root-keys.ts";

const algorithm = "aes-256-gcm";
const keySize = 32;
// NIST SP 800-38D §8.2.2, §8.3: random 96-bit nonces serve up to 2^32 uses of a key. A data key has one use;
// a root key would need four thousand million records.
const nonceSize = 12;
const tagSize = 16;
const sealedForm = /^v1:([A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]{80}):([A-Za-z0-9_-]{38,})$/;

/** Where a sealed record belongs. A copy in another room, row or field, or of an older version, does not open. */
export type Place = {
  readonly room: string;
  readonly row: string;
  readonly field: string;
  /** Goes up with every new value of the field. */
  readonly version: number;
  /** Facts beside the record that it must not be used without: altered ones don't open it. */
  readonly binding?: string;
};

export type UnsealReason = "malformed" | "root_key_unknown" | "not_authentic";

const sentences: Record<UnsealReason, string> = {
  malformed: "it is not a sealed text",
  root_key_unknown: "its root key is not among those given",
  not_authentic: "it was changed, moved, or sealed under another key",
};

/** A sealed record that does not open: the store was tampered with, or is used with the wrong keys. */
export class UnsealError extends Error {
  readonly place: Place;
  readonly reason: UnsealReason;
  readonly rootKeyId: string | undefined;

  constructor(place: Place, reason: UnsealReason, rootKeyId?: string) {
    const { room, row, field, version } = place;
    const by = rootKeyId === undefined ? "" : ` (root key ${rootKeyId})`;
    super(`${room}/${row}/${field} version ${version} does not open: ${sentences[reason]}${by}`);
    this.name = "UnsealError";
    this.place = place;
    this.reason = reason;
    this.rootKeyId = rootKeyId;
  }
}

const placeData = ({ room, row, field, version, binding }: Place): Buffer =>
  lengthPrefixed("record", room, row, field, String(version), ...(binding === undefined ? [] : [binding]));

const keyData = (rootKeyId: string): Buffer => lengthPrefixed("data key", rootKeyId);

type Crypt = { readonly key: Buffer | KeyObject; readonly data: Buffer };

const encrypt = ({ key, data }: Crypt, nonce: Buffer, plain: Buffer): string => {
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagSize }).setAAD(data);
  const sealed = [nonce, cipher.update(plain), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString("base64url");
};

/** Undefined when the text is not base64url in its one canonical spelling, or is not authentic. */
const decrypt = ({ key, data }: Crypt, text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) return undefined;
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceSize), { authTagLength: tagSize })
    .setAAD(data)
    .setAuthTag(bytes.subarray(-tagSize));
  const plain = decipher.update(bytes.subarray(nonceSize, -tagSize));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined; // the tag does not fit: GCM's only way to say so
  }
};

const wrap = ({ id, key }: RootKey, random: Random, dataKey: Buffer): string =>
  `v1:${id}:${encrypt({ key, data: keyData(id) }, random.bytes(nonceSize), dataKey)}`;

const unwrap = (keys: RootKeys, place: Place, sealed: string) => {
  const [, rootKeyId, wrapped, record] = sealedForm.exec(sealed) ?? [];
  if (rootKeyId === undefined || wrapped === undefined || record === undefined) {
    throw new UnsealError(place, "malformed");
  }
  const rootKey = keys.byId(rootKeyId);
  if (rootKey === undefined) throw new UnsealError(place, "root_key_unknown", rootKeyId);
  const dataKey = decrypt({ key: rootKey.key, data: keyData(rootKeyId) }, wrapped);
  if (dataKey === undefined) throw new UnsealError(place, "not_authentic", rootKeyId);
  return { rootKeyId, dataKey, record };
};

/**
 * Seals a text for one place.
 *
 * @throws TypeError when the text has lone surrogates, which UTF-8 can't carry: the edge must refuse those
 */
export const seal = (keys: RootKeys, random: Random, place: Place, plaintext: Secret | string): string => {
  const text = plaintext instanceof Secret ? plaintext.reveal() : plaintext;
  if (!text.isWellFormed()) throw new TypeError("only well-formed Unicode text can be sealed");
  const dataKey = random.bytes(keySize);
  const plain = Buffer.from(text, "utf8");
  const record = encrypt({ key: dataKey, data: placeData(place) }, random.bytes(nonceSize), plain);
  const wrapped = wrap(keys.current, random, dataKey);
  dataKey.fill(0);
  plain.fill(0);
  return `${wrapped}:${record}`;
};

/** Opens what `seal` made for the same place. @throws UnsealError for anything else */
export const open = (keys: RootKeys, place: Place, sealed: string): Secret => {
  const { rootKeyId, dataKey, record } = unwrap(keys, place, sealed);
  const plain = decrypt({ key: dataKey, data: placeData(place) }, record);
  dataKey.fill(0);
  if (plain === undefined) throw new UnsealError(place, "not_authentic", rootKeyId);
  const text = plain.toString("utf8");
  plain.fill(0);
  return new Secret(text);
};

/**
 * The same record with its data key wrapped by the current root key, or the same text when it is already.
 * The record itself is neither opened nor changed.
 *
 * @throws UnsealError when its own root key is not at hand or did not wrap it
 */
export const rewrap = (keys: RootKeys, random: Random, place: Place, sealed: string): string => {
  const { rootKeyId, dataKey, record } = unwrap(keys, place, sealed);
  const wrapped = rootKeyId === keys.current.id ? undefined : wrap(keys.current, random, dataKey);
  dataKey.fill(0);
  return wrapped === undefined ? sealed : `${wrapped}:${record}`;
};
