/** URLs of servers that a password goes to. What is wrong with one is told without ever quoting it. */

/** What ends or bends the part of a URL before its `@`, with how it is written there (RFC 3986 §3.2.1). */
const unescaped = /[/?#@[\]\\\s]|%(?![0-9A-Fa-f]{2})/g;

const escapedForm = (character: string): string =>
  `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, "0")}`;

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;

/** User and password as they were typed: up to the last `@` that can have been meant to end them. */
const userinfoOf = (behindScheme: string, isUrl: boolean): string => {
  const [authority = ""] = behindScheme.split(/[/?#]/, 1);
  const rest = behindScheme.slice(authority.length);
  const [path = ""] = rest.startsWith("?") ? [rest] : rest.split("?", 1);
  // In a query it may stand for itself.
  const until =
    isUrl && !rest.startsWith("#")
      ? authority.length + (rest.startsWith("?") ? 0 : path.length)
      : behindScheme.length;
  const at = behindScheme.slice(0, until).lastIndexOf("@");
  return at < 0 ? "" : behindScheme.slice(0, at);
};

const unescapedIn = (userinfo: string): readonly string[] => [
  // A URL parser takes an @ too many, but other programs take another one of them for the end.
  ...new Set(userinfo.match(unescaped)),
];

/**
 * @param schemes with their colons: `smtp:`
 * @returns the URL, or why it is none: a sentence without its subject and without its full stop
 */
export const readServiceUrl = (text: string, schemes: readonly string[]): URL | string => {
  const scheme = schemes.find((one) => text.toLowerCase().startsWith(`${one}//`));
  if (scheme === undefined)
    return `must be a URL that starts with ${schemes.map((one) => `${one}//`).join(" or ")}`;
  const behindScheme = text.slice(scheme.length + 2);
  const url = URL.parse(text);
  const userinfo = userinfoOf(behindScheme, url !== null);
  const wrong = unescapedIn(userinfo);
  if (wrong.length > 0) {
    const are = wrong.map((character) => (/\s/.test(character) ? "a blank" : character));
    return `has ${listed(are)} in its user or password, which must be written ${listed(wrong.map(escapedForm))} there`;
  }
  const [authority = ""] = behindScheme.slice(userinfo === "" ? 0 : userinfo.length + 1).split(/[/?#]/, 1);
  if (authority.includes(",")) return "names several hosts, and only one can be given";
  if (authority === "") return "names no host, like localhost, behind its //; a socket can't be given";
  return url !== null && url.hostname !== "" ? url : "has a host or a port that no URL can have";
};
