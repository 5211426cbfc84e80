/** Texts with values to fill in: `Bearer ${apiKey}`, `Basic ${base64(${username}/token:${password})}`. */

export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly name: string }
  | { readonly kind: "base64"; readonly parts: readonly Part[] };

export type Template = readonly Part[];

/** A template can't be understood; the sentence goes behind its name. */
export class TemplateFault extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "TemplateFault";
  }
}

const opening = "${";
const encoding = "${base64(";

const parse = (text: string, from: number, closing: string | undefined): [parts: Part[], end: number] => {
  const parts: Part[] = [];
  let at = from;
  let plain = "";
  const flush = (): void => {
    if (plain !== "") parts.push({ kind: "text", text: plain });
    plain = "";
  };
  while (at < text.length) {
    if (closing !== undefined && text.startsWith(closing, at)) {
      flush();
      return [parts, at + closing.length];
    }
    if (text.startsWith(encoding, at)) {
      if (closing !== undefined) throw new TemplateFault("has a base64(…) within another");
      flush();
      const [inner, end] = parse(text, at + encoding.length, ")}");
      parts.push({ kind: "base64", parts: inner });
      at = end;
    } else if (text.startsWith(opening, at)) {
      const end = text.indexOf("}", at);
      if (end < 0) throw new TemplateFault("has a ${ without its }");
      flush();
      parts.push({ kind: "value", name: text.slice(at + opening.length, end) });
      at = end + 1;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (closing !== undefined) throw new TemplateFault("has a ${base64( without its )}");
  flush();
  return [parts, at];
};

const parsed = new Map<string, Template>();

/** @param text of a provider's file: it is kept. @throws TemplateFault */
export const templateOf = (text: string): Template => {
  const template = parsed.get(text) ?? parse(text, 0, undefined)[0];
  parsed.set(text, template);
  return template;
};

/** The names of the values that a template takes. */
export const namesIn = (template: Template): readonly string[] =>
  template.flatMap((part) =>
    part.kind === "text" ? [] : part.kind === "value" ? [part.name] : namesIn(part.parts),
  );

/** @param encode what happens to a value, and to a base64 as a whole, where it stands */
export const fill = (
  template: Template,
  valueOf: (name: string) => string,
  encode: (value: string, name: string) => string = (value) => value,
): string => {
  let filled = "";
  for (const part of template) {
    if (part.kind === "text") filled += part.text;
    else if (part.kind === "value") filled += encode(valueOf(part.name), part.name);
    else filled += encode(Buffer.from(fill(part.parts, valueOf), "utf8").toString("base64"), "base64");
  }
  return filled;
};
