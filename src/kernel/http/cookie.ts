/** Reads one cookie strictly, and writes it. Node's and most libraries' leniency is what cookie tossing lives on. */

export type CookieReading =
  | { readonly kind: "none" }
  | { readonly kind: "one"; readonly value: string }
  | { readonly kind: "ambiguous" };

const maxHeader = 16 * 1024;
const maxValue = 4096;
const tab = 0x09;
const blank = 0x20;
const dollar = 0x24;
const equals = 0x3d;
const legacyMark = "$version";
/** RFC 6265 §4.1.1: visible ASCII without the double quote, comma, semicolon and backslash. */
const cookieOctets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

const none: CookieReading = Object.freeze({ kind: "none" });
const ambiguous: CookieReading = Object.freeze({ kind: "ambiguous" });

/**
 * The cookie of exactly this name, by the grammar of RFC 6265 §4.2.1 (RFC 6265bis §4.2.1). Only spaces and tabs
 * around a pair are dropped: a name with any other blank, or in another case, is another cookie. Strange cookies
 * of other names are passed over.
 *
 * `ambiguous`, which must never sign anybody in: the name occurs twice, its value is not made of cookie octets
 * (quotes included) or is longer than 4,096 characters, a `$Version` pair asks for the legacy syntax of RFC 2965,
 * or the header is longer than 16 KiB. Allocates only when the cookie is there. Never throws.
 *
 * @param header Node's `headers.cookie`, in which several Cookie lines are already joined with `; `.
 */
export const readCookie = (header: string | undefined, name: string): CookieReading => {
  if (header === undefined) return none;
  if (header.length > maxHeader) return ambiguous;
  let valueStart = -1;
  let valueEnd = -1;
  let end = -1;
  while (end < header.length) {
    let start = end + 1;
    const semicolon = header.indexOf(";", start);
    end = semicolon === -1 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start += 1;
    if (isLegacyMark(header, start, end)) return ambiguous;
    const equalsAt = start + name.length;
    if (equalsAt >= end || header.charCodeAt(equalsAt) !== equals || !header.startsWith(name, start))
      continue;
    if (valueStart !== -1) return ambiguous;
    valueStart = equalsAt + 1;
    valueEnd = end;
    while (valueEnd > valueStart && isBlank(header.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  }
  if (valueStart === -1) return none;
  if (valueEnd - valueStart > maxValue) return ambiguous;
  const value = header.slice(valueStart, valueEnd);
  return cookieOctets.test(value) ? { kind: "one", value } : ambiguous;
};

const isBlank = (code: number): boolean => code === blank || code === tab;

/** Attribute names of the legacy syntax are case-insensitive (RFC 2965 §3.1). */
const isLegacyMark = (header: string, start: number, end: number): boolean => {
  if (header.charCodeAt(start) !== dollar) return false;
  const markEnd = start + legacyMark.length;
  if (markEnd > end || header.slice(start, markEnd).toLowerCase() !== legacyMark) return false;
  const next = header.charCodeAt(markEnd);
  return markEnd === end || next === equals || isBlank(next);
};

const attributes = "Path=/; HttpOnly; Secure; SameSite=Lax";

/**
 * The `Set-Cookie` value of a session.
 *
 * @param value Made of cookie octets (a JWT is); written as it is.
 * @param options.maxAge Whole seconds; without it the cookie ends with the browser.
 */
export const sessionCookie = (
  name: string,
  value: string,
  options: { readonly maxAge?: number | undefined } = {},
): string =>
  options.maxAge === undefined
    ? `${name}=${value}; ${attributes}`
    : `${name}=${value}; ${attributes}; Max-Age=${options.maxAge}`;

/** The `Set-Cookie` value that makes a browser forget the session. */
export const clearedCookie = (name: string): string => sessionCookie(name, "", { maxAge: 0 });
