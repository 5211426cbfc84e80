// The page of what the tests of one file cause: text that people read, and that every run is compared with.

/** Lines by the names of tests. */
export type CausedPage = Map<string, readonly string[]>;

const varying = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{16,}|\d+/gi;

const byNumbers = (one: string, other: string): number => one.localeCompare(other, "en", { numeric: true });

/**
 * Words with a number that changes from run to run get one that does not: `person12@example.com` and
 * `person14@example.com` are `person#1@…` and `person#2@…`. What is counted keeps its order, what is random that of its
 * coming.
 */
const nameWords = (facts: readonly string[]): ((fact: string) => string) => {
  const words = new Map<string, Set<string>>();
  for (const word of facts.flatMap((fact) => fact.split(" "))) {
    const pattern = word.replaceAll(varying, "#");
    if (pattern !== word) words.set(pattern, (words.get(pattern) ?? new Set()).add(word));
  }
  const names = new Map<string, string>();
  for (const [pattern, found] of words) {
    const isCounted = [...found].every((word) => !/[0-9a-z]{16}|-[0-9a-f]{12}/i.test(word));
    const ordered = isCounted ? [...found].toSorted(byNumbers) : [...found];
    for (const [index, word] of ordered.entries()) {
      names.set(word, ordered.length === 1 ? pattern : pattern.replace("#", `#${index + 1}`));
    }
  }
  return (fact) =>
    fact
      .split(" ")
      .map((word) => names.get(word) ?? word)
      .join(" ");
};

/** Where numbers mean nothing neither do those that tell people apart. */
const kindOf = (fact: string): string => fact.replaceAll(/\S*[\d@]\S*/g, "…");

/** The statement of one test. A line that begins with `~` may come any number of times, or not at all. */
export const statementOf = (facts: readonly string[], isAnyNumber: boolean): readonly string[] => {
  if (isAnyNumber) return [...new Set(facts.map((fact) => `~ ${kindOf(fact)}`))].toSorted();
  const counts = new Map<string, number>();
  for (const fact of facts.map(nameWords(facts))) counts.set(fact, (counts.get(fact) ?? 0) + 1);
  return [...counts].map(([line, count]) => (count === 1 ? line : `${line} ×${count}`)).toSorted();
};

/** Whatever a line of the page says happens, without whose it was and how often. */
export const kindsOn = (page: CausedPage): ReadonlySet<string> =>
  new Set([...page.values()].flat().map((line) => kindOf(line.replace(/^~ /, "").replace(/ ×\d+$/, ""))));

/**
 * What is not as the page says, as lines of a diff. Empty when all of it is.
 *
 * @param anyOf where chance decides: the kinds that the page knows, of which any may come; undefined elsewhere
 */
export const differencesOf = (
  stated: readonly string[],
  caused: readonly string[],
  anyOf: ReadonlySet<string> | undefined,
): readonly string[] => {
  const mayMiss = (line: string): boolean => anyOf !== undefined && line.startsWith("~");
  const mayCome = (line: string): boolean => anyOf?.has(line.replace(/^~ /, "")) === true;
  const missing = stated.filter((line) => !caused.includes(line) && !mayMiss(line));
  const added = caused.filter((line) => !stated.includes(line) && !mayCome(line));
  return [...missing.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
};

const head = (file: string): string =>
  `What each test of ${file} causes: audit events, mails, webhooks, and nothing else. Tests that cause the same stand together.\n`;

const nothing = "nothing";

export const formatPage = (file: string, page: CausedPage): string => {
  const blocks = new Map<string, string[]>();
  for (const [name, lines] of page) {
    const statement = (lines.length === 0 ? [nothing] : lines).map((line) => `    ${line}\n`).join("");
    blocks.set(statement, [...(blocks.get(statement) ?? []), name]);
  }
  const texts = [...blocks].map(
    ([statement, names]) => `${names.map((name) => `${name}\n`).join("")}${statement}`,
  );
  return [head(file), ...texts].join("\n");
};

export const parsePage = (text: string): CausedPage => {
  const page: CausedPage = new Map();
  const [, ...blocks] = text.split("\n\n");
  for (const block of blocks) {
    const rows = block.split("\n").filter((row) => row !== "");
    const lines = rows.filter((row) => row.startsWith("    ")).map((row) => row.slice(4));
    const statement = lines.length === 1 && lines[0] === nothing ? [] : lines;
    for (const name of rows.filter((row) => !row.startsWith("    "))) page.set(name, statement);
  }
  return page;
};
