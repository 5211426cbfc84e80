/** The one reading of the Authorization header. It is strict: two programs that read it differently are a hole. */

import { isUtf8 } from "node:buffer";
import { Secret } from "../secret.ts";

export type BasicCredentials = { readonly user: string; readonly password: Secret };

const maxHeader = 8 * 1024;
const headerName = "authorization";
const scheme = "basic";
const tab = 0x09;
const blank = 0x20;
const colonByte = 0x3a;
const del = 0x7f;

/**
 * Basic credentials by RFC 7617, in UTF-8; what is not UTF-8 is ISO-8859-1, as older clients write it (§B.2), with the leniencies that real clients need: the scheme in any case, blanks
 * before it, several after it, missing base64 padding. The password may be empty, and may hold colons.
 *
 * @param rawHeaders Node's `rawHeaders`: `headers` keeps only the first of two Authorization lines.
 * @param header Node's `headers.authorization`.
 * @returns `undefined` without the header; `"malformed"` for everything that is not one well-formed Basic
 * header of at most 8 KiB: another scheme, a list, two headers, base64url, bits or padding that a canonical
 * encoder would not write (RFC 4648 §3.5), control characters (RFC 7617 §2), no colon, an empty user. Never throws.
 */
export const parseBasic = (
  rawHeaders: readonly string[],
  header: string | undefined,
): BasicCredentials | "malformed" | undefined => {
  if (header === undefined) return undefined;
  if (header.length > maxHeader || isRepeated(rawHeaders)) return "malformed";
  const token = tokenOf(header);
  if (token === undefined) return "malformed";
  const bytes = decodeBase64(token);
  if (bytes === undefined || hasControl(bytes)) return "malformed";
  const colon = bytes.indexOf(colonByte);
  if (colon < 1) return "malformed";
  // One reading, which the bytes decide: no second guess at a password. A colon byte is part of no longer UTF-8 sequence.
  const encoding = isUtf8(bytes) ? "utf8" : "latin1";
  return {
    user: bytes.toString(encoding, 0, colon),
    password: new Secret(bytes.toString(encoding, colon + 1)),
  };
};

const isRepeated = (rawHeaders: readonly string[]): boolean => {
  let seen = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== headerName.length || name.toLowerCase() !== headerName) continue;
    if (seen) return true;
    seen = true;
  }
  return false;
};

const isBlank = (code: number): boolean => code === blank || code === tab;

/** What follows `Basic` and its blanks, without the optional white space that HTTP lets stand around a value. */
const tokenOf = (header: string): string | undefined => {
  let start = 0;
  let end = header.length;
  while (start < end && isBlank(header.charCodeAt(start))) start += 1;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end -= 1;
  const afterScheme = start + scheme.length;
  if (header.slice(start, afterScheme).toLowerCase() !== scheme) return undefined;
  start = afterScheme;
  // RFC 9110 §11.4 separates the scheme by spaces only.
  while (start < end && header.charCodeAt(start) === blank) start += 1;
  return start === afterScheme ? undefined : header.slice(start, end);
};

/** Node's decoder skips what it does not know, so the text counts only when encoding gives it back. */
const decodeBase64 = (token: string): Buffer | undefined => {
  const bytes = Buffer.from(token, "base64");
  const canonical = bytes.toString("base64");
  if (canonical === token) return bytes;
  // What `canonical` has beyond a prefix of its own length in bits can only be padding.
  const paddingLeftOut = canonical.startsWith(token) && !token.endsWith("=");
  return paddingLeftOut ? bytes : undefined;
};

const hasControl = (bytes: Buffer): boolean => {
  for (const byte of bytes) {
    if (byte < blank || byte === del) return true;
  }
  return false;
};
