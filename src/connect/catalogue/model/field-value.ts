import { isLongerThanPasswords, longestPassword } from "../../../kernel/crypto/passwords/password-text.ts";
import { mayBeEmailAddress } from "../../../kernel/text/email-address.ts";
import { isHostname } from "../../../kernel/text/host.ts";
import { unseenIn, unseenSentence, withoutUnseenAround } from "../../../kernel/text/unseen.ts";
import { matchesWhole } from "./pattern.ts";
import type { Field } from "./provider.ts";

/** What one field takes, whoever fills it in. */

/** Why a field does not take a value: the rule by its name, and a sentence without its full stop. */
export type ValueFault = { readonly rule: string; readonly sentence: string };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const isWebAddress = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
};

const formats: Readonly<
  Record<NonNullable<Field["format"]>, { readonly fits: (value: string) => boolean; readonly says: string }>
> = {
  hostname: { fits: isHostname, says: "a host name, without https:// and without a path" },
  uri: { fits: isWebAddress, says: "an address that starts with https://" },
  uuid: { fits: (value) => uuid.test(value), says: "a UUID" },
  email: { fits: (value) => mayBeEmailAddress.test(value), says: "an e-mail address" },
};

/** The controls that no header and no store takes, and halves of characters. */
export const hasControl = (text: string): boolean => {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return !text.isWellFormed();
};

const like = (example: string | undefined): string => (example === undefined ? "" : `, like ${example}`);

/** A rule that the value breaks. */
const broken = (field: Field, value: string): ValueFault | undefined => {
  const { title, pattern, format, enum: choices, example } = field;
  if (choices !== undefined && !choices.includes(value)) {
    return { rule: "enum", sentence: `${title} must be one of these: ${choices.join(", ")}` };
  }
  if (format !== undefined && !formats[format].fits(value)) {
    return { rule: "format", sentence: `${title} must be ${formats[format].says}${like(example)}` };
  }
  if (pattern !== undefined && !matchesWhole(pattern, value)) {
    const said =
      field.looks_like === undefined
        ? `${title} does not have the right form${like(example)}`
        : `${title} must be ${field.looks_like}`;
    return { rule: "pattern", sentence: said };
  }
  return undefined;
};

/** @param value not empty, and without what was pasted around it */
export const faultOfValue = (field: Field, value: string): ValueFault | undefined => {
  const { title } = field;
  // Whatever is the password of an account here can be linked, too.
  if (isLongerThanPasswords(value)) {
    return { rule: "too_long", sentence: `${title} is longer than ${longestPassword} characters` };
  }
  if (hasControl(value)) {
    return {
      rule: "control_character",
      sentence: `${title} has a line break or another control character in it`,
    };
  }
  const fault = broken(field, value);
  const hidden = unseenIn(value);
  // A password that a person made up may have any blank in it; a key that a program made has none.
  const isKey = field.secret && !field.keep_blanks;
  return hidden !== undefined && (fault !== undefined || isKey)
    ? { rule: "unseen", sentence: unseenSentence(title, hidden) }
    : fault;
};

/** As answers of APIs and lines of programs have them around a value. */
const quoted = /^(["'`])(.*)\1$/su;
const lineEndsAround = /^[\t\r\n]+|[\t\r\n]+$/g;

/** A value without what came along when it was pasted: blanks, and what the form shows around the input. */
export const unwrapped = (field: Field, pasted: string): string => {
  if (field.keep_blanks) return pasted.replace(lineEndsAround, "");
  const value = withoutUnseenAround(withoutUnseenAround(pasted).replace(quoted, "$2"));
  if (field.format === "hostname") return value.replace(/^https?:\/\//i, "").replace(/\/.*$/s, "");
  const { prefix, suffix } = field;
  const begun = prefix !== undefined && startsAlike(value, prefix) ? value.slice(prefix.length) : value;
  if (suffix === undefined) return begun;
  // With what stood behind it in the address bar.
  const end = begun.toLowerCase().indexOf(suffix.toLowerCase());
  const rest = end < 0 ? "" : begun.slice(end + suffix.length);
  return end > 0 && (rest === "" || rest.startsWith("/")) ? begun.slice(0, end) : begun;
};

const startsAlike = (value: string, prefix: string): boolean =>
  value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
