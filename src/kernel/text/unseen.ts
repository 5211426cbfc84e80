/**
 * What nobody sees in a text: blanks of every script, and what has no width (U+200B, U+FEFF, soft hyphens, marks of the
 * writing direction). It comes along when something is copied, and is no part of an address or a token.
 */
const unseen = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]/u;

const isSeen = (character: string): boolean => !unseen.test(character);

/** The text from its first character that can be seen to its last. Linear, whatever the text. */
export const withoutUnseenAround = (text: string): string => {
  const characters = Array.from(text);
  const first = characters.findIndex(isSeen);
  return first < 0 ? "" : characters.slice(first, characters.findLastIndex(isSeen) + 1).join("");
};

/** The same without what can't be seen anywhere: for what has no blanks of its own, such as a code. */
export const withoutUnseen = (text: string): string => Array.from(text).filter(isSeen).join("");

/** They can't be seen either, but nobody copies them by accident: they are told of wherever they stand. */
const control = /\p{Cc}/u;

/** The first character that can't be seen and is no plain space, by its code point: `U+200B`. */
export const unseenIn = (text: string): string | undefined => {
  const found = Array.from(text).find(
    (character) => character !== " " && (!isSeen(character) || control.test(character)),
  );
  const code = found?.codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
};

/** A refusal's words for it. */
export const unseenSentence = (what: string, codePoint: string): string =>
  `${what} has a character in it that can't be seen (${codePoint})`;
