import { z } from "zod";
import { nearestTo } from "../../../kernel/nearest.ts";
import { providerFile } from "../model/provider.ts";

/** What the schema has against a file, in words for the person who wrote it. */

export type PathFault = {
  readonly path: readonly PropertyKey[];
  /** Where to look: at the key, or at what stands behind it. */
  readonly part: "key" | "value";
  /** Goes behind the path. */
  readonly message: string;
};

const didYouMean = (typed: string, known: readonly string[]): string => {
  const nearest =
    typed.length > 64 ? undefined : nearestTo(typed, known, Math.max(2, Math.ceil(typed.length / 3)));
  return nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
};

const within = (schema: unknown, key: PropertyKey): unknown => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return within(schema.unwrap(), key);
  }
  if (schema instanceof z.ZodObject)
    return Object.hasOwn(schema.shape, key) ? schema.shape[String(key)] : undefined;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
};

const unwrappedSchema = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? unwrappedSchema(schema.unwrap())
    : schema;

/** The keys that may stand at a path. */
const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  const schema = unwrappedSchema(path.reduce<unknown>(within, providerFile));
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "keys with values",
  record: "keys with values",
  array: "a list",
};

const list = (values: readonly unknown[]): string =>
  values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} or ${String(values.at(-1))}`;

type Issue = z.core.$ZodIssue;

const faultsOf = (issue: Issue): readonly PathFault[] => {
  const { path } = issue;
  const atValue = (message: string): readonly PathFault[] => [{ path, part: "value", message }];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        part: "key",
        message: `is not known.${didYouMean(key, keysAt(path))}`,
      }));
    case "invalid_type": {
      if (issue.input === undefined) return [{ path, part: "key", message: "is missing." }];
      return atValue(`must be ${typeNames[issue.expected] ?? issue.expected}.`);
    }
    case "invalid_value": {
      if (issue.input === undefined) return [{ path, part: "key", message: "is missing." }];
      const known = issue.values.map(String);
      const typed = typeof issue.input === "string" ? issue.input : "";
      return atValue(`must be ${list(known)}.${didYouMean(typed, known)}`);
    }
    case "invalid_key":
      return [{ path, part: "key", message: `${issue.issues[0]?.message ?? "is no right name"}.` }];
    case "too_small":
      return atValue(
        issue.origin === "string" || issue.origin === "array"
          ? "must not be empty."
          : `must be ${String(issue.minimum)} or more.`,
      );
    case "too_big":
      return atValue(`must be ${String(issue.maximum)} or less.`);
    case "invalid_format":
    case "invalid_union":
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      return atValue(`${issue.message}.`);
  }
};

/** @returns everything that is wrong, in the order of the file's keys as the schema has them */
export const schemaFaults = (error: z.ZodError): readonly PathFault[] => error.issues.flatMap(faultsOf);
