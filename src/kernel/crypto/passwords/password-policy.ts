/**
 * Which passwords may be chosen: long enough, not among the common ones, not made from what everyone knows
 * about the account (NIST SP 800-63B-4 §3.1.1.2; ASVS 5.0 6.2.1, 6.2.4, 6.2.5, 6.2.11). No rule asks for
 * digits, capitals or signs. Works without a network.
 */
import { readFileSync } from "node:fs";

import type { Issue } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { canonicalPassword, longestPassword } from "./password-text.ts";

export type PasswordContext = {
  /** The fewest characters, in Unicode code points after NFC. */
  readonly minimum: number;
  /** The account's e-mail address and display name, each as a whole; a text with an `@` is an address. */
  readonly context: readonly string[];
  /** What the service is called, in lower case. */
  readonly serviceWords: readonly string[];
};

/** Shorter words are in too many good passwords. */
const shortestWord = 4;

/** One line an entry in lower case, after a notice that ends at the first blank line; 38,452 entries. */
const commonPasswords = (() => {
  const file = readFileSync(new URL("./common-passwords.txt", import.meta.url), "latin1")
    // Git on Windows may have given it other line ends, and then nothing would match.
    .replaceAll("\r", "");
  // One text and one search a sign-up, instead of a set of 38,452 small strings kept for good.
  return file.slice(file.indexOf("\n\n") + 1);
})();

const folded = (text: string): string => text.normalize("NFC").toLowerCase();

/** A text's letters, without accents: José's password is not `jose-1234`. */
const lettersOf = (text: string): string => text.normalize("NFD").replaceAll(/\P{L}/gu, "");

const longEnough = (word: string): boolean => Array.from(word).length >= shortestWord;

/** What of an address or a name may not be the password: the whole, its parts, and the words in those. */
const wordsOf = (text: string): string[] => {
  const whole = folded(text).trim();
  const at = whole.lastIndexOf("@");
  const parts = at < 0 ? [] : [whole.slice(0, at), whole.slice(at + 1), ...whole.slice(at + 1).split(".")];
  return [whole, ...parts, ...whole.split(/[^\p{L}\p{M}]+/u)];
};

/**
 * A password is made from a word when it is that word, or when both have the same four letters or more once
 * digits, punctuation, blanks and accents are left out of them: `Jane.Smith-2024` is made from `jane.smith@…`.
 */
const madeFrom = (password: string, words: readonly string[]): boolean => {
  const letters = lettersOf(password);
  return words.filter(longEnough).some((word) => {
    const wordLetters = lettersOf(word);
    return password === word || (longEnough(wordLetters) && letters === wordLetters);
  });
};

const issue = (rule: string, message: string): Issue => ({ field: "password", rule, message });

/** The first rule that a chosen password breaks, or undefined when it may be used. */
export const checkPassword = (
  password: Secret,
  { minimum, context, serviceWords }: PasswordContext,
): Issue | undefined => {
  const canonical = canonicalPassword(password.reveal());
  if (canonical === "not_text") return issue("not_text", "password must be well-formed Unicode text");
  if (canonical === "too_long") {
    return issue("too_long", `password must have at most ${longestPassword} characters`);
  }
  // No header can carry them (RFC 7617 §2), so the password would work on some ways in only.
  if (/\p{Cc}/u.test(canonical.text)) {
    return issue("control_character", "password must not have line breaks or other control characters in it");
  }
  if (canonical.length < minimum) {
    return issue("too_short", `password must have at least ${minimum} characters`);
  }
  const text = folded(canonical.text);
  // With HTTP Basic that word in the password's place says "this is an API token".
  if (madeFrom(text, ["api_token"])) return issue("reserved", "password must not be made from api_token");
  if (madeFrom(text, serviceWords)) {
    return issue("from_service", "password must not be made from the name of this service");
  }
  const made = context.find((known) => madeFrom(text, wordsOf(known)));
  if (made !== undefined) {
    return made.includes("@")
      ? issue("from_email", "password must not be made from your email address")
      : issue("from_name", "password must not be made from your name");
  }
  if (commonPasswords.includes(`\n${text}\n`)) {
    return issue("common", "password is one of the most common passwords");
  }
  return undefined;
};
