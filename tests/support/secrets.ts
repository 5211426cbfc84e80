// Finding secrets where they must not be, in whatever way they may be spelled.

/** By what it is, for the failure that tells of it. */
export type Secrets = ReadonlyMap<string, string | Buffer>;

/** Shorter ones are found in anything. */
const shortest = 8;

/** The base64 of the bytes wherever they may begin in a longer text: without what neighbours would change. */
const base64Inside = (bytes: Buffer): readonly string[] =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const first = [0, 2, 3][before] ?? 0;
    const last = [0, 3, 2][(before + bytes.length) % 3] ?? 0;
    return text.slice(first, text.length - last);
  });

const spellingsOf = (secret: string | Buffer): ReadonlyMap<string, Buffer> => {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = base64Inside(bytes);
  const texts = new Map([
    ["hex", hex],
    ["hex in capitals", hex.toUpperCase()],
    ...base64.flatMap((text, index): [string, string][] => [
      [`base64, ${index} behind`, text],
      [`base64url, ${index} behind`, text.replaceAll("+", "-").replaceAll("/", "_")],
    ]),
  ]);
  if (typeof secret === "string") {
    texts.set("JSON", JSON.stringify(secret).slice(1, -1));
    texts.set("a URL", encodeURIComponent(secret));
    texts.set("reversed", Array.from(secret).toReversed().join(""));
  }
  const spellings = new Map([...texts].map(([name, text]) => [name, Buffer.from(text)]));
  spellings.set("as it is", bytes);
  if (typeof secret === "string") spellings.set("UTF-16", Buffer.from(secret, "utf16le"));
  return spellings;
};

/** Each secret that is in the bytes, with its spelling. */
export const findSecrets = (secrets: Secrets, where: Buffer | string): readonly string[] => {
  const haystack = Buffer.from(where);
  return [...secrets].flatMap(([name, secret]) => {
    if (secret.length < shortest) throw new Error(`The secret "${name}" is too short to be searched for.`);
    return [...spellingsOf(secret)]
      .filter(([, spelling]) => haystack.includes(spelling))
      .map(([spelling]) => `${name}, ${spelling}`);
  });
};
