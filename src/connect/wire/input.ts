import { z } from "zod";
import { Refusal, type Issue } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import type { Input } from "../../kernel/http/route.ts";

/**
 * Bodies and queries of the Connect wire. Faults are told in zod's own codes and words, by their path: the original does
 * so too, and its clients may look at them (recorded, contract nango §3, §5).
 */

const issuesOf = (error: z.ZodError): readonly Issue[] =>
  error.issues.map(({ path, code, message }) => ({ field: path.join("."), rule: code, message }));

const sentenceOf = (issues: readonly Issue[]): string =>
  issues.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("; ");

type Part = "input_invalid" | "invalid_query_params" | "invalid_headers";

/** @throws Refusal with everything that is wrong, not only the first */
export const parsePart = <Value>(schema: z.ZodType<Value>, value: unknown, part: Part): Value => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = issuesOf(parsed.error);
  throw new Refusal(part, { issues, text: sentenceOf(issues) });
};

/** The refusal of one field of a body, as the parser would tell it. */
export const invalidBody = (path: readonly string[], message: string, rule = "custom"): Refusal => {
  const issues = [{ field: path.join("."), rule, message }];
  return new Refusal("input_invalid", { issues, text: sentenceOf(issues) });
};

/** The refusal of one parameter of a query. */
export const invalidQuery = (name: string, message: string): Refusal => {
  const issues = [{ field: name, rule: "custom", message }];
  return new Refusal("invalid_query_params", { issues, text: sentenceOf(issues) });
};

/**
 * `a=1&a=2&tags[k]=v` as `{ a: ["1", "2"], tags: { k: "v" } }`. `a[]=1` is a list of one, as many clients write lists;
 * deeper brackets stay part of the name.
 */
export const queryOf = (incoming: Incoming): Readonly<Record<string, unknown>> => {
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

export const parseQuery = <Value>(schema: z.ZodType<Value>, incoming: Incoming): Value =>
  parsePart(schema, queryOf(incoming), "invalid_query_params");

/** No query, where the original takes none. */
export const noQuery = (incoming: Incoming): void => void parseQuery(z.strictObject({}), incoming);

export const connectBody = <Value>(schema: z.ZodType<Value>): Input<Value> => ({
  schema,
  optional: false,
  read: (incoming) => parsePart(schema, incoming.json(), "input_invalid"),
});

/** Whatever comes along is not looked at. */
export const unread: Input<undefined> = { schema: undefined, optional: true, read: () => undefined };
