/**
 * Patterns of providers' files. They run on what strangers type and answer, so their cost is bounded before they are
 * used: in how many ways a value of the longest length could be taken apart (backtracking tries each of them).
 */

/** As many characters of a value as a pattern is ever tried on. */
const longestValue = 1024;

const longestPattern = 500;
/** Measured: some milliseconds. */
const mostWays = 4 * (longestValue + 1) ** 2;

class TooHard extends Error {}

const refuse = (sentence: string): never => {
  throw new TooHard(sentence);
};

const bounded = (ways: number): number =>
  ways <= mostWays
    ? ways
    : refuse("could take too long: no repeat within a repeat, and no more than two without an end");

const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;
const groupHead = /\((?:\?(?:<(?![=!])[^>]*>|[a-z-]*:))?/y;
const lookAround = /\(\?<?[=!]/y;
const set = /\[(?:\\.|[^\]\\])*\]/suy;
const escape = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|.)/suy;
const reference = /\\[1-9k]/y;
const single = /./suy;

/** Reads a pattern that JavaScript accepts. */
const readerOf = (pattern: string) => {
  let at = 0;
  const take = (part: RegExp): RegExpExecArray | null => {
    part.lastIndex = at;
    const found = part.exec(pattern);
    if (found) at += found[0].length;
    return found;
  };

  const atom = (): number => {
    if (take(lookAround)) refuse("must not look ahead or behind, as (?=…) and (?<=…) do");
    if (take(reference)) refuse("must not refer back to a group");
    if (take(groupHead)) {
      const ways = alternatives();
      at += 1;
      return ways;
    }
    if (!take(set) && !take(escape)) take(single);
    return 1;
  };

  const repeated = (ways: number): number => {
    const found = take(quantifier);
    if (!found) return ways;
    const [, sign, least = "0", comma, most] = found;
    const low = sign === "+" ? 1 : Number(least);
    const high =
      sign === "?" ? 1 : sign || (comma && most === "") ? longestValue : Number(comma ? most : least);
    if (ways === 1) return bounded(Math.max(1, Math.min(high, longestValue) - low + 1));
    let sum = 0;
    for (let times = low; times <= high; times++) sum = bounded(sum + ways ** times);
    return sum;
  };

  const sequence = (): number => {
    let ways = 1;
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
      ways = bounded(ways * repeated(atom()));
    }
    return ways;
  };

  const alternatives = (): number => {
    let ways = sequence();
    while (pattern[at] === "|") {
      at += 1;
      ways = bounded(ways + sequence());
    }
    return ways;
  };

  return alternatives;
};

/** What is wrong with a pattern, behind its name; undefined when it may be used. */
export const patternFault = (pattern: string): string | undefined => {
  if (pattern.length > longestPattern) return `must not have more than ${longestPattern} characters`;
  try {
    void new RegExp(pattern, "u");
  } catch {
    return "is not a pattern that JavaScript knows (flag u)";
  }
  try {
    readerOf(pattern)();
    return undefined;
  } catch (error) {
    if (error instanceof TooHard) return error.message;
    throw error;
  }
};

const compiled = new Map<string, RegExp>();

/** Whether the whole of a value matches a pattern of a provider's file. */
export const matchesWhole = (pattern: string, value: string): boolean => {
  const known = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`, "u");
  compiled.set(pattern, known);
  return value.length <= longestValue && known.test(value);
};
