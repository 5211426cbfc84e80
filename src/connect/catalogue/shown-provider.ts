import { z } from "zod";
import { inProcess, type Field, type Fields, type Provider, type Shape } from "./model/provider.ts";

/** A provider as `GET /providers/{provider}` shows it: the original's fields as recorded, and ours behind them. */

const fieldAnswer = z.object({
  type: z.literal("string"),
  title: z.string(),
  description: z.string(),
  example: z.string().optional(),
  pattern: z.string().optional(),
  looks_like: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.string()).optional(),
  optional: z.boolean().optional(),
  secret: z.boolean().optional(),
  hidden: z.boolean().optional(),
  keep_blanks: z.boolean().optional(),
  default_value: z.string().optional(),
  order: z.number().optional(),
  prefix: z.string().optional(),
  suffix: z.string().optional(),
  doc_section: z.string().optional(),
});

const fieldsAnswer = z.record(z.string(), fieldAnswer);

/** For the documents and the pages' types. */
export const providerAnswer = z.object({
  display_name: z.string(),
  categories: z.array(z.string()),
  auth_mode: z.enum(["BASIC", "API_KEY", "NONE"]),
  proxy: z.object({
    base_url: z.string(),
    verification: z.object({ method: z.string(), endpoints: z.array(z.string()) }).optional(),
    retry: z
      .object({
        after: z.array(z.string()).optional(),
        at: z.array(z.string()).optional(),
      })
      .optional(),
  }),
  docs: z.string(),
  docs_connect: z.string(),
  credentials: fieldsAnswer.optional(),
  connection_config: fieldsAnswer.optional(),
  integration_config: fieldsAnswer.optional(),
  name: z.string(),
  logo_url: z.string(),
  shapes: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      description: z.string().optional(),
      recommended: z.boolean(),
      /** What is typed is used once, to fetch something better. */
      swapped: z.boolean(),
      fields: fieldsAnswer,
    }),
  ),
  guide: z.array(z.object({ anchor: z.string(), title: z.string(), text: z.string() })),
});

export type ShownProvider = z.output<typeof providerAnswer>;
type ShownField = z.output<typeof fieldAnswer>;

const shownField = (field: Field): ShownField => ({
  type: "string",
  title: field.title,
  description: field.description ?? field.title,
  ...(field.example === undefined ? {} : { example: field.example }),
  ...(field.pattern === undefined ? {} : { pattern: field.pattern }),
  ...(field.looks_like === undefined ? {} : { looks_like: field.looks_like }),
  ...(field.format === undefined ? {} : { format: field.format }),
  ...(field.enum === undefined ? {} : { enum: field.enum }),
  ...(field.optional ? { optional: true } : {}),
  ...(field.secret ? { secret: true } : {}),
  ...(field.hidden ? { hidden: true } : {}),
  ...(field.keep_blanks ? { keep_blanks: true } : {}),
  ...(field.default === undefined ? {} : { default_value: field.default }),
  ...(field.order === undefined ? {} : { order: field.order }),
  ...(field.prefix === undefined ? {} : { prefix: field.prefix }),
  ...(field.suffix === undefined ? {} : { suffix: field.suffix }),
  ...(field.doc_section === undefined ? {} : { doc_section: field.doc_section }),
});

const shownFields = (fields: Fields): Record<string, ShownField> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, shownField(field)]));

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const withinSentence = (title: string, index: number): string =>
  index > 0 && /^\p{Lu}[\p{Ll}-]/u.test(title) ? title.slice(0, 1).toLowerCase() + title.slice(1) : title;

type OfShape = { readonly shape: Shape; readonly field: Field };

/**
 * One field for forms that know no shapes: what any of them takes. What a shape fills in by itself is told word by word,
 * because such a form sends what was typed.
 */
const mergedField = (found: readonly OfShape[]): ShownField => {
  const [first, ...others] = found;
  if (first === undefined) throw new Error("A field stands in a shape.");
  if (others.length === 0) return shownField(first.field);
  const asked = found.flatMap(({ field }) => (field.hidden ? [] : [field]));
  const fillers = found.flatMap(({ field: { hidden, default: filler = "" } }) =>
    hidden && filler !== "" ? [filler] : [],
  );
  const section = asked.find(({ doc_section: anchor }) => anchor !== undefined)?.doc_section;
  return {
    type: "string",
    title: [...distinct(asked.map(({ title }) => title)).map(withinSentence), ...distinct(fillers)].join(
      " or ",
    ),
    description: found
      .map(({ shape, field }) =>
        field.hidden
          ? `${shape.title}: the word ${field.default ?? ""}.`
          : `${shape.title}: ${field.description ?? `${field.title}.`}`,
      )
      .join(" "),
    ...(asked.every(({ secret }) => secret) ? { secret: true } : {}),
    ...(section === undefined ? {} : { doc_section: section }),
  };
};

const credentialsOf = (shapes: readonly Shape[]): Record<string, ShownField> =>
  Object.fromEntries(
    distinct(shapes.flatMap(({ fields }) => Object.keys(fields))).map((name) => [
      name,
      mergedField(
        shapes.flatMap((shape) => {
          const field = shape.fields[name];
          return field === undefined ? [] : [{ shape, field }];
        }),
      ),
    ]),
  );

const isEmpty = (record: object): boolean => Object.keys(record).length === 0;

/** What this server answers itself is found at its origin. */
const addressShown = (address: string, origin: string): string =>
  address.startsWith(inProcess) ? origin + address.slice(inProcess.length) : address;

const proxyOf = (provider: Provider, origin: string): ShownProvider["proxy"] => {
  const { base_url: baseUrl, verification, retry } = provider;
  const waits = {
    ...(retry.after.length > 0 ? { after: retry.after } : {}),
    ...(retry.at.length > 0 ? { at: retry.at } : {}),
  };
  return {
    base_url: addressShown(baseUrl, origin),
    ...(verification && { verification: { method: verification.method, endpoints: [verification.path] } }),
    ...(isEmpty(waits) ? {} : { retry: waits }),
  };
};

export const shownProvider = (provider: Provider, publicOrigin: string): ShownProvider => {
  const {
    name,
    shapes,
    connection_config: connectionConfig,
    integration_config: integrationConfig,
  } = provider;
  return {
    display_name: provider.display_name,
    categories: provider.categories,
    auth_mode: provider.auth_mode,
    proxy: proxyOf(provider, publicOrigin),
    docs: addressShown(provider.docs, publicOrigin),
    docs_connect: `${publicOrigin}/docs/providers/${name}`,
    ...(provider.auth_mode === "NONE" ? {} : { credentials: credentialsOf(shapes) }),
    ...(isEmpty(connectionConfig) ? {} : { connection_config: shownFields(connectionConfig) }),
    ...(isEmpty(integrationConfig) ? {} : { integration_config: shownFields(integrationConfig) }),
    name,
    logo_url: `${publicOrigin}/images/template-logos/${name}.svg`,
    shapes: shapes.map(({ title, description, recommended, swap, fields, name: shapeName }) => ({
      name: shapeName,
      title,
      ...(description === undefined ? {} : { description }),
      recommended: recommended || shapes.length === 1,
      swapped: swap !== undefined,
      fields: shownFields(fields),
    })),
    guide: provider.guide.map(({ anchor, title, text }) => ({ anchor, title, text })),
  };
};
