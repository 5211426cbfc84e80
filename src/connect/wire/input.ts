import { z } from "zod";
import { fewOf, Refusal, type Issue, type RefusalKind } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { ofFields, type Input, type Query } from "../../kernel/http/input.ts";
import { refusals } from "../model/refusals.ts";
import { flagWords, readFlag } from "../../kernel/text/flag.ts";

/**
 * Bodies and queries of the Connect wire. Faults are told in zod's own codes and words, by their path: the original does
 * so too, and its clients may look at them (recorded, contract nango §3, §5).
 */

const mostNames = 20;

/** In zod's words; of very many names only the first. */
const messageOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code !== "unrecognized_keys" || issue.keys.length <= mostNames) return issue.message;
  const names = issue.keys.slice(0, mostNames).map((name) => JSON.stringify(name.slice(0, 32)));
  return `Unrecognized keys: ${names.join(", ")} … and ${issue.keys.length - mostNames} more`;
};

const issuesOf = (error: z.ZodError): readonly Issue[] =>
  error.issues.map((issue) => ({
    field: issue.path.join("."),
    rule: issue.code,
    message: messageOf(issue),
  }));

const sentenceOf = (issues: readonly Issue[]): string =>
  fewOf(issues)
    .map(({ field, message }) => (field === "" ? message : `${field}: ${message}`))
    .join("; ");

/** @throws Refusal of this kind, with everything that is wrong and not only the first */
export const parsePart = <Value>(schema: z.ZodType<Value>, value: unknown, kind: RefusalKind): Value => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = issuesOf(parsed.error);
  throw new Refusal(kind, { issues, text: sentenceOf(issues) });
};

/** The refusal of one field of a body, as the parser would tell it. */
export const invalidBody = (path: readonly string[], message: string, rule = "custom"): Refusal => {
  const issues = [{ field: path.join("."), rule, message }];
  return new Refusal(refusals.input_invalid, { issues, text: sentenceOf(issues) });
};

/** The refusal of one parameter of a query. */
export const invalidQuery = (name: string, message: string): Refusal => {
  const issues = [{ field: name, rule: "custom", message }];
  return new Refusal(refusals.invalid_query_params, { issues, text: sentenceOf(issues) });
};

/**
 * `a=1&a=2&tags[k]=v` as `{ a: ["1", "2"], tags: { k: "v" } }`. `a[]=1` is a list of one, as many clients write lists;
 * deeper brackets stay part of the name.
 */
const queryOf = (incoming: Incoming): Readonly<Record<string, unknown>> => {
  const singles = new Map<string, string[]>();
  const lists = new Set<string>();
  const groups = new Map<string, Map<string, string>>();
  for (const [name, value] of incoming.queryEntries) {
    const [, group, key] = /^(\w+)\[([^[\]]+)\]$/.exec(name) ?? [];
    if (group === undefined || key === undefined) {
      const bare = name.replace(/\[\]$/, "");
      if (bare !== name) lists.add(bare);
      singles.set(bare, [...(singles.get(bare) ?? []), value]);
    } else groups.set(group, (groups.get(group) ?? new Map<string, string>()).set(key, value));
  }
  return Object.fromEntries<unknown>([
    ...[...singles].map(
      ([name, values]) => [name, values.length === 1 && !lists.has(name) ? values[0] : values] as const,
    ),
    ...[...groups].map(([name, entries]) => [name, Object.fromEntries(entries)] as const),
  ]);
};

/** A parameter that is a number, of at most nine digits. */
export const wholeNumber = (least: number, most: number, says: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .meta({ type: "integer", pattern: undefined, minimum: least, maximum: most, description: says })
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** A switch of a query or a header. Empty is what some clients send for what they leave out; the original takes that too. */
export const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum([...flagWords, ""], "must be true or false"))
  .optional()
  .transform((word) => readFlag(word ?? "") ?? false);

/** The parameters that the schema names, and no others. */
export const connectQuery = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
): Query<z.output<z.ZodObject<Shape, z.core.$strict>>> => ({
  schema,
  refuses: [refusals.invalid_query_params],
  read: (incoming) => parsePart(schema, queryOf(incoming), refusals.invalid_query_params),
});

const keyHeader = "provider-config-key";

/** In the place of `provider_config_key` in the query, as the original's older calls have it. */
export const keyInHeader = z.object({
  [keyHeader]: z.string().optional().describe("The integration's key, where the query does not name it"),
});

/** The same for calls that name an integration: by the query first, else by the header. */
export const namingQuery = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
): Query<z.output<z.ZodObject<Shape, z.core.$strict>>> => ({
  schema,
  refuses: [refusals.invalid_query_params],
  read: (incoming) => {
    const header = incoming.header(keyHeader);
    const inHeader = header === undefined ? {} : { provider_config_key: header };
    return parsePart(schema, { ...inHeader, ...queryOf(incoming) }, refusals.invalid_query_params);
  },
});

/** The original takes none, where a row names none. */
export const noQuery = connectQuery(z.strictObject({}));

export const connectBody = <Value>(schema: z.ZodType<Value>): Input<Value> => ({
  schema,
  optional: false,
  refuses: ofFields,
  read: (incoming) => parsePart(schema, incoming.json(), refusals.input_invalid),
});
