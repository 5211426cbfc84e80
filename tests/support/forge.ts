// Session tokens as an attacker would make them, out of a real one and whatever key is at hand.

import { sign, type KeyObject } from "node:crypto";

export const base64url = (text: string | Buffer): string => Buffer.from(text).toString("base64url");

/** The three parts of a token: header and claims as their JSON texts, the signature as it stands. */
export const partsOf = (
  token: string,
): { readonly header: string; readonly claims: string; readonly signature: string } => {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const text = (part: string): string => Buffer.from(part, "base64url").toString("utf8");
  return { header: text(header), claims: text(claims), signature };
};

/** The claims as an object, to be written back with changes. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> => {
  const claims: unknown = JSON.parse(partsOf(token).claims);
  if (typeof claims !== "object" || claims === null) throw new Error("The token has no claims.");
  return { ...claims };
};

/** The number of the session in the lists of sessions. */
export const sessionIdOf = (token: string): string => String(claimsOf(token)["jti"]);

/** A token of any header and claims text, truly signed by the key. */
export const forge = (header: string, claims: string, privateKey: KeyObject): string => {
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${base64url(sign(null, Buffer.from(signed), privateKey))}`;
};
