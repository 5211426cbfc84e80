/** A signing pair, a token of it, and the means to forge others: for the tests of `jwt.ts`. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import { type SessionClaims, signJwt, verifyJwt } from "./jwt.ts";

export const kid = "2026-11-21";
export const issuer = "https://latchkey.example";
export const pair = generateKeyPairSync("ed25519");
export const iat = 1_795_000_000;
export const now = iat * 1000 + 500;

export const claims: SessionClaims = {
  aud: ["track"],
  exp: iat + 2_419_200,
  iat,
  iss: issuer,
  jti: "0123456789abcdef0123456789abcdef",
  nbf: iat - 300,
  sub: "23456789ABCDEFGHJKLMNP",
};

export const keys: ReadonlyMap<string, KeyObject> = new Map([[kid, pair.publicKey]]);

export const accept = (token: string, change: { now?: number; issuer?: string; audience?: string } = {}) =>
  verifyJwt(token, { key: (id) => keys.get(id), issuer, audience: "track", now, ...change });

export const token = signJwt(claims, { kid, privateKey: pair.privateKey });
export const header = JSON.stringify({ alg: "EdDSA", kid, typ: "JWT" });
export const payload = JSON.stringify(claims);

export const base64url = (text: string | Buffer): string => Buffer.from(text).toString("base64url");

/** A token with any header and payload text, truly signed with our key. */
export const forged = (headerText: string, payloadText: string): string => {
  const signed = `${base64url(headerText)}.${base64url(payloadText)}`;
  return `${signed}.${base64url(sign(null, Buffer.from(signed), pair.privateKey))}`;
};
