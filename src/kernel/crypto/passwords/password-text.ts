/** The one form in which a password is counted, compared with the blocklist, and hashed. */

/** In Unicode code points after NFC. NIST SP 800-63B-4 §3.1.1.2 asks for at least 64. */
export const longestPassword = 1024;

/** No code point decomposes into more than 4, of 2 UTF-16 units each: longer can't come down to the limit. */
const longestTyped = longestPassword * 4 * 2;

/** Counted as passwords are, whatever else they may be: longer than any of them. */
export const isLongerThanPasswords = (text: string): boolean =>
  text.length > longestTyped || Array.from(text.normalize("NFC")).length > longestPassword;

/** Zs without the ASCII space: what keyboards and programs put in its place, unseen. */
const otherSpaces = /[^\P{Zs} ]/gu;

/**
 * A password in NFC, its spaces all the ASCII one (RFC 8265 §4.2.2), and only that: case and look-alikes stay apart (NIST
 * SP 800-63B-4 §3.1.1.2 normalises so that two keyboards agree). With lone surrogates it is no text: UTF-8 would make them
 * all the same.
 */
export const canonicalPassword = (
  typed: string,
): { readonly text: string; readonly length: number } | "not_text" | "too_long" => {
  if (typed.length > longestTyped) return "too_long";
  if (!typed.isWellFormed()) return "not_text";
  const text = typed.replaceAll(otherSpaces, " ").normalize("NFC");
  const length = Array.from(text).length;
  return length > longestPassword ? "too_long" : { text, length };
};

/** The form that passwords with other spaces were hashed in until 0.2; undefined when it is the one of today. */
export const formerPassword = (typed: string): string | undefined => {
  const text = typed.normalize("NFC");
  return text.search(otherSpaces) < 0 ? undefined : text;
};
