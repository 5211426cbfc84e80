/** What an e-mail address is here, and when two of them are the same account. */

import { domainToASCII, domainToUnicode } from "node:url";
import type { Issue } from "../errors.ts";
import { unseenIn, unseenSentence, withoutUnseenAround } from "./unseen.ts";

export type EmailAddress = {
  /** Where mail goes: the local part as typed, the domain in its lower-case ASCII form (RFC 5891). */
  readonly address: string;
  /** What is unique: the address with its local part in lower case. ASCII only. */
  readonly canonical: string;
};

/** RFC 5321 §4.5.3.1: a path of 256 octets with its two angle brackets. */
const maxAddress = 254;
const maxLocal = 64;
/** Nobody's address; spares the rest the work. */
const maxTyped = 1024;

/** Dot-string of RFC 5321 §4.1.2. The dot is in no class, so there is one way to match and no backtracking. */
const localPart = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/**
 * NTT DoCoMo and KDDI gave out addresses with dots in a row and at the end, which their owners still have. RFC 5321 takes
 * such a local part in quotes only, and so it is written there (`quotedMailbox`).
 */
const freerDomains: ReadonlySet<string> = new Set(["docomo.ne.jp", "ezweb.ne.jp"]);
const freerLocalPart = /^[\w!#$%&'*+/=?^`{|}~-][\w!#$%&'*+/=?^`{|}~.-]*$/;
/** LDH label of RFC 1123 §2.1. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const beyondAscii = /[\u0080-\uffff]/;

/**
 * An address that mail can be sent to and that no other spelling of another account reaches. What can't be seen around
 * it is dropped. The local part is ASCII without quotes; the domain has a dot (or is `localhost`), may be
 * international, is no IP address and has no trailing dot. A domain with characters that IDNA would *map* to
 * others instead of encoding them (full-width letters, the Kelvin sign, soft hyphens, an ideographic stop) is
 * refused: what is not the same text must not be the same account.
 *
 * @returns The address, or the issue of the field `email`; `"rule" in result` tells them apart. Rules: `required`,
 * `too_long`, `unseen`, `local_part`, `domain`, `format`. Never throws.
 */
export const parseEmailAddress = (text: string): EmailAddress | Issue => {
  if (text.length > maxTyped) return tooLong(maxAddress, "email");
  const typed = withoutUnseenAround(text);
  if (typed === "") return issue("required", "email is required");
  const hidden = unseenIn(typed);
  if (hidden !== undefined) return issue("unseen", unseenSentence("email", hidden));
  const at = typed.indexOf("@");
  if (at < 1 || at === typed.length - 1 || typed.includes("@", at + 1)) return malformed();
  const local = typed.slice(0, at);
  if (beyondAscii.test(local)) {
    return issue("local_part", "email must have only ASCII characters before the @, like name@example.com");
  }
  if (local.length > maxLocal) return tooLong(maxLocal, "email's part before the @");
  const domain = parseDomain(typed.slice(at + 1));
  const isFreer = domain !== undefined && freerDomains.has(domain);
  if (!(isFreer ? freerLocalPart : localPart).test(local)) return malformed();
  if (domain === undefined) {
    return issue("domain", "email must have a plain domain name after the @, like name@example.com");
  }
  const address = `${local}@${domain}`;
  if (address.length > maxAddress) return tooLong(maxAddress, "email");
  return { address, canonical: `${local.toLowerCase()}@${domain}` };
};

/**
 * What somebody else's server may have given out as an address, whatever it looks like to us: something, an `@`, something,
 * and no blank outside of quotes (RFC 5321 §4.1.2, RFC 6531). Whose address it is, that server can say.
 */
export const mayBeEmailAddress = /^(?:"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"|[^\s"@\p{Cc}]+)@[^\s@\p{Cc}]+$/u;

/** The address as RFC 5321 has it on the wire: a local part that is no dot-string stands in quotes. */
export const quotedMailbox = (address: string): string => {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, at);
  return localPart.test(local) ? address : `"${local}"${address.slice(at)}`;
};

const issue = (rule: string, message: string): Issue => ({ field: "email", rule, message });
const malformed = (): Issue => issue("format", "email must be an address like name@example.com");
const tooLong = (limit: number, what: string): Issue =>
  issue("too_long", `${what} must be at most ${limit} characters`);

const parseDomain = (typed: string): string | undefined => {
  const domain = beyondAscii.test(typed) ? encode(typed) : typed.toLowerCase();
  if (domain === undefined) return undefined;
  if (domain === "localhost") return domain;
  const labels = domain.split(".");
  if (labels.length < 2 || !labels.every((each) => label.test(each))) return undefined;
  // No top-level domain begins with a digit; what does is an IPv4 address in one of its spellings.
  if (/^[0-9]/.test(labels.at(-1) ?? "")) return undefined;
  return domain.includes("xn--") && !isDecodable(domain) ? undefined : domain;
};

/** IDNA by UTS 46, but only where it encodes: the way back must give what was typed, in lower case. */
const encode = (typed: string): string | undefined => {
  if (typed.normalize("NFKC") !== typed) return undefined;
  const encoded = domainToASCII(typed);
  return encoded !== "" && domainToUnicode(encoded) === lowerCase(typed) ? encoded : undefined;
};

/** Character by character, as UTS 46 maps: on a whole word JavaScript would end it with a final sigma. */
const lowerCase = (text: string): string => Array.from(text, (character) => character.toLowerCase()).join("");

/** A label that only looks encoded stays as it is when decoded, or empties the whole. */
const isDecodable = (domain: string): boolean => {
  const decoded = domainToUnicode(domain);
  return decoded !== "" && !decoded.split(".").some((each) => each.startsWith("xn--"));
};
