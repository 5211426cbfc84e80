/** Ed25519 keys that sign session tokens, in the forms in which they are stored and published. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

import { Secret } from "../../secret.ts";

export type SigningKey = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** A public key as RFC 8037 §2 writes it, with no private member. */
export type PublicJwk = {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  /** 43 characters of base64url. */
  readonly x: string;
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "EdDSA";
};

/** The pair comes from OpenSSL's own generator: node:crypto takes no other source for it. */
export const newSigningKey = (): SigningKey => generateKeyPairSync("ed25519");

const mustBeEd25519 = (key: KeyObject): KeyObject => {
  if (key.asymmetricKeyType === "ed25519") return key;
  throw new TypeError(`a signing key must be Ed25519, not ${key.asymmetricKeyType ?? key.type}`);
};

/** PKCS #8 (RFC 8410 §7), DER in base64: a text to be sealed before it is stored. */
export const exportPrivateKey = (privateKey: KeyObject): Secret =>
  new Secret(mustBeEd25519(privateKey).export({ format: "der", type: "pkcs8" }).toString("base64"));

/** The pair of what `exportPrivateKey` wrote. @throws when it is no Ed25519 private key */
export const importPrivateKey = (exported: Secret): SigningKey => {
  const der = Buffer.from(exported.reveal(), "base64");
  const privateKey = mustBeEd25519(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  der.fill(0);
  return { privateKey, publicKey: createPublicKey(privateKey) };
};

/** The 32 bytes of RFC 8032 §5.1.5 as 43 characters of base64url, the `x` of a JWK. Takes either half of a pair. */
export const exportPublicKey = (key: KeyObject): string => {
  const publicKey = mustBeEd25519(key.type === "private" ? createPublicKey(key) : key);
  const { x } = publicKey.export({ format: "jwk" });
  if (x === undefined) throw new TypeError("the key has no public part");
  return x;
};

/** The key of what `exportPublicKey` wrote. @throws when it is no Ed25519 public key */
export const importPublicKey = (x: string): KeyObject =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });

/**
 * The id of a new key: the day in UTC, then `-2`, `-3`, … when that day has one already.
 *
 * @param now epoch milliseconds
 */
export const kidFor = (now: number, taken: ReadonlySet<string>): string => {
  const day = new Date(now).toISOString().slice(0, 10);
  let kid = day;
  for (let next = 2; taken.has(kid); next += 1) kid = `${day}-${next}`;
  return kid;
};

export const toJwk = (kid: string, key: KeyObject): PublicJwk => ({
  kty: "OKP",
  crv: "Ed25519",
  x: exportPublicKey(key),
  kid,
  use: "sig",
  alg: "EdDSA",
});
