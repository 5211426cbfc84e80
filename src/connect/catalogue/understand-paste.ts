import { withoutUnseenAround } from "../../kernel/text/unseen.ts";
import { commandWords } from "./command-words.ts";
import { hasControl } from "./model/field-value.ts";
import type { Provider, Shape } from "./model/provider.ts";
import { shapeOf, type Submitted } from "./shape-of.ts";
import { templateOf } from "./model/template.ts";

/** People copy more than the field asks for: a line of a manual, a header. What they mean is in it. */

export type Understood = { readonly shape: Shape; readonly values: Submitted };

type Pair = { readonly username: string; readonly password: string };

/** Longer than any line that somebody copies to get at a token. */
const longestPaste = 8192;

const pairAt = (text: string): Pair | undefined => {
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
};

/** `Authorization: Basic …`, or only what is behind its name. */
const pairOfHeader = (line: string): Pair | undefined => {
  const [, code] = /^(?:authorization\s*:\s*)?basic\s+([\w+/-]+={0,2})$/i.exec(line.trim()) ?? [];
  if (code === undefined) return undefined;
  const text = Buffer.from(code, "base64").toString("utf8");
  return hasControl(text) || text.includes("\ufffd") ? undefined : pairAt(text);
};

type Curl = {
  readonly user: string | undefined;
  readonly headers: readonly string[];
  readonly urls: readonly URL[];
};

const readCurl = (text: string): Curl | undefined => {
  if (!/^(?:[$>#%]\s*)?curl(?:\.exe)?\s/i.test(text)) return undefined;
  const words = commandWords(text);
  if (words === undefined) return undefined;
  let user: string | undefined;
  const headers: string[] = [];
  const urls: URL[] = [];
  for (const [index, word] of words.entries()) {
    const next = words[index + 1] ?? "";
    const [, inline] = /^(?:--user=|-u(?=.))(.*)$/s.exec(word) ?? [];
    if (inline !== undefined) user = inline;
    else if (/^(?:--user|-[a-zA-Z#]*u)$/.test(word)) user = next;
    else if (/^(?:--header|-H)$/.test(word)) headers.push(next);
    else if (/^(?:--header=|-H(?=.))/.test(word)) headers.push(word.replace(/^(?:--header=|-H)/, ""));
    else if (/^https?:\/\//i.test(word)) {
      const url = URL.parse(word);
      if (url) urls.push(url);
    }
  }
  return { user, headers, urls };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const pairOfUrl = (url: URL): Pair | undefined =>
  url.username === "" && url.password === ""
    ? undefined
    : { username: decoded(url.username), password: decoded(url.password) };

/** What a shape fills in by itself, written behind the token as manuals do: `token:api_token`. */
const pairWithFiller = ({ shapes }: Provider, text: string): Pair | undefined => {
  const pair = pairAt(text);
  const isFiller = shapes.some(({ fields }) => {
    const filler = fields["password"];
    return filler?.hidden === true && (filler.default ?? "") === pair?.password;
  });
  return isFiller && pair?.username !== "" ? pair : undefined;
};

const pairOf = (provider: Provider, text: string): Pair | undefined => {
  const curl = readCurl(text);
  if (curl === undefined) return pairOfHeader(text) ?? pairWithFiller(provider, text);
  if (curl.user !== undefined) return pairAt(curl.user) ?? { username: curl.user, password: "" };
  const found = [...curl.headers.map(pairOfHeader), ...curl.urls.map(pairOfUrl)];
  return found.find((pair) => pair !== undefined);
};

const startsAlike = (text: string, start: string): boolean =>
  text.slice(0, start.length).toLowerCase() === start.toLowerCase();

/** `X-Key: …` and `Bearer …` by the headers that the provider's calls carry. */
const keyOfHeader = ({ headers }: Provider, line: string): string | undefined => {
  for (const [name, text] of Object.entries(headers)) {
    const [first, second, ...more] = templateOf(text);
    const before = first?.kind === "text" ? first.text : "";
    const value = first?.kind === "text" ? second : first;
    if (value?.kind !== "value" || value.name !== "apiKey" || more.length > 0) continue;
    const [, given, rest = ""] = /^([\w-]+)\s*:\s*(.*)$/s.exec(line) ?? [];
    const said = given?.toLowerCase() === name.toLowerCase() ? rest : before === "" ? undefined : line;
    if (said !== undefined && startsAlike(said, before)) return said.slice(before.length).trim();
  }
  return undefined;
};

const keyOfUrl = ({ query }: Provider, url: URL | null): string | undefined => {
  const name = Object.keys(query).find((one) => query[one] === "${apiKey}");
  return name === undefined ? undefined : (url?.searchParams.get(name) ?? undefined);
};

const keyOf = (provider: Provider, text: string): string | undefined => {
  const curl = readCurl(text);
  if (curl === undefined) return keyOfHeader(provider, text) ?? keyOfUrl(provider, URL.parse(text));
  const found = [
    ...curl.headers.map((line) => keyOfHeader(provider, line)),
    ...curl.urls.map((url) => keyOfUrl(provider, url)),
  ];
  return found.find((key) => key !== undefined && key !== "");
};

const meantBy = (provider: Provider, pasted: string): Submitted | undefined => {
  const text = withoutUnseenAround(withoutUnseenAround(pasted).replace(/^(["'`])(.*)\1$/s, "$2"));
  if (text === "" || text.length > longestPaste) return undefined;
  if (provider.auth_mode === "BASIC") return pairOf(provider, text);
  if (provider.auth_mode !== "API_KEY") return undefined;
  const apiKey = keyOf(provider, text);
  return apiKey === undefined || apiKey === "" ? undefined : { apiKey };
};

/** `api_token` and the token in each other's places, as people have them who know the call's other order. */
const swappedPair = ({ shapes }: Provider, values: Submitted): Understood | undefined => {
  const { username, password } = values;
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  const typed = withoutUnseenAround(username);
  const shape = shapes.find(({ fields }) => {
    const filler = fields["password"];
    return filler?.hidden === true && filler.default !== "" && filler.default === typed;
  });
  if (shape === undefined || ["", typed].includes(withoutUnseenAround(password))) return undefined;
  return { shape, values: { username: password } };
};

/**
 * What somebody means who pasted a curl line, a header, or `token:api_token`: clean fields, of another shape when that
 * is what was in it. Whatever is not understood stays as it is. A person's password is never looked into.
 */
export const understandPaste = (provider: Provider, shape: Shape, values: Submitted): Understood => {
  const swapped = swappedPair(provider, values);
  if (swapped !== undefined) return swapped;
  for (const [name, field] of Object.entries(shape.fields)) {
    const pasted = Object.hasOwn(values, name) ? values[name] : undefined;
    if (typeof pasted !== "string" || field.hidden || field.keep_blanks) continue;
    const meant = meantBy(provider, pasted);
    if (meant === undefined) continue;
    const found = shapeOf(provider, meant);
    const asked = Object.entries(meant).filter(([key]) => found.fields[key]?.hidden === false);
    return { shape: found, values: Object.fromEntries(asked) };
  }
  return { shape, values };
};
