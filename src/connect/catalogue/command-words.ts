/**
 * The words of a command line as a POSIX shell would split them: quotes, backslashes, lines that go on. Nothing is
 * expanded.
 *
 * @returns undefined when a quote stays open
 */
export const commandWords = (line: string): readonly string[] | undefined => {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const character = line[at] ?? "";
    at += 1;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "\\") {
      const next = line[at] ?? "";
      at += 1;
      if (next !== "\n") word = (word ?? "") + next;
    } else if (character === "'" || character === '"') {
      const quoted = character === "'" ? upToQuote(line, at) : upToDoubleQuote(line, at);
      if (quoted === undefined) return undefined;
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
};

type Quoted = { readonly text: string; readonly end: number };

const upToQuote = (line: string, from: number): Quoted | undefined => {
  const end = line.indexOf("'", from);
  return end < 0 ? undefined : { text: line.slice(from, end), end: end + 1 };
};

const upToDoubleQuote = (line: string, from: number): Quoted | undefined => {
  let text = "";
  for (let at = from; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === '"') return { text, end: at + 1 };
    const next = line[at + 1];
    // Only before these does a backslash mean something there.
    if (character === "\\" && next !== undefined && '$`"\\\n'.includes(next)) {
      at += 1;
      if (next !== "\n") text += next;
    } else text += character;
  }
  return undefined;
};
