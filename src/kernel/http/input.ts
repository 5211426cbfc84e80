import type { z } from "zod";
import { Refusal, refusals, type Issue, type RefusalKind } from "../errors.ts";
import type { Incoming } from "./incoming.ts";

/** How a body becomes an input. */
export type Input<Value> = {
  /** For the documents; undefined where no body is read. */
  readonly schema: z.ZodType | undefined;
  readonly optional: boolean;
  /** Credentials in the Authorization header may stand in the place of those in the body. */
  readonly readsBasic?: true;
  /** Open to anyone, and yet a session's cookie makes a difference. */
  readonly readsCookie?: true;
  /** The body stays where it is: on the line. */
  readonly leavesBody?: true;
  readonly refuses: readonly RefusalKind[];
  readonly read: (incoming: Incoming) => Value;
};

/** What follows the `?`, as a row understands it. */
export type Query<Value> = {
  /** For the documents: its parameters by name. */
  readonly schema: z.ZodObject | undefined;
  readonly refuses: readonly RefusalKind[];
  readonly read: (incoming: Incoming) => Value;
};

/** Nothing of it is looked at. */
export const anyQuery: Query<undefined> = { schema: undefined, refuses: [], read: () => undefined };

/** What is no JSON is no body. */
const ofJson = [refusals.json_invalid, refusals.content_type_unsupported];

/** For routes without a body. What is sent all the same must be JSON, and is not looked at. */
export const noBody: Input<undefined> = {
  schema: undefined,
  optional: true,
  refuses: ofJson,
  read: (incoming) => {
    incoming.json();
    return undefined;
  },
};

/** For routes that take whatever comes, and leave it unread. */
export const unread: Input<undefined> = {
  schema: undefined,
  optional: true,
  leavesBody: true,
  refuses: [],
  read: () => undefined,
};

const typeNames: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a JSON object",
  array: "an array",
};

type Found = z.core.$ZodIssue;

const unknownKeys = ({ path, keys }: Extract<Found, { code: "unrecognized_keys" }>): readonly Issue[] =>
  keys.map((key) => {
    const name = [...path, key].join(".");
    return { field: name, rule: "unknown", message: `${name} is not a known field` };
  });

const issueOf = (found: Exclude<Found, { code: "unrecognized_keys" }>): Issue => {
  const field = found.path.join(".") || "body";
  const issue = (rule: string, sentence: string): Issue => ({
    field,
    rule,
    message: found.message || sentence,
  });
  const missingOr = (rule: string, sentence: string): Issue =>
    found.input === undefined ? issue("required", `${field} is required`) : issue(rule, sentence);
  switch (found.code) {
    case "invalid_type":
      return missingOr("type", `${field} must be ${typeNames[found.expected] ?? found.expected}`);
    case "invalid_value":
      return missingOr(
        "value",
        `${field} must be ${found.values.map((value) => JSON.stringify(value)).join(" or ")}`,
      );
    case "custom": {
      const rule: unknown = found.params?.["rule"];
      return { field, rule: typeof rule === "string" ? rule : "invalid", message: found.message };
    }
    case "too_small":
    case "too_big":
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
      return issue(found.code, `${field} is not valid`);
  }
};

const issuesOf = (error: z.ZodError): readonly Issue[] =>
  error.issues.flatMap((found) =>
    found.code === "unrecognized_keys" ? unknownKeys(found) : [issueOf(found)],
  );

/** @throws Refusal input_invalid with everything that is wrong, not only the first */
export const parseInput = <Value>(schema: z.ZodType<Value>, body: unknown): Value => {
  // Only what a schema says itself is left as the message of an issue; all other sentences are made here.
  const parsed = schema.safeParse(body, { reportInput: true, error: () => "" });
  if (parsed.success) return parsed.data;
  throw new Refusal(refusals.input_invalid, { issues: issuesOf(parsed.error) });
};

const requiredBody = (incoming: Incoming): unknown => {
  const body = incoming.json();
  // Told as a missing object, so that the fields are named and not only the body.
  return body === undefined ? {} : body;
};

/** What a body of JSON fields can be refused for. */
export const ofFields: readonly RefusalKind[] = [...ofJson, refusals.input_invalid];

export const jsonBody = <Value>(schema: z.ZodType<Value>): Input<Value> => ({
  schema,
  optional: false,
  refuses: ofFields,
  read: (incoming) => parseInput(schema, requiredBody(incoming)),
});

/** The parameters that the schema names; others are ignored. One that is given twice counts as absent. */
export const namedQuery = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  refuses: readonly RefusalKind[] = [],
): Query<z.output<z.ZodObject<Shape>>> => {
  const names = Object.keys(schema.shape);
  return {
    schema,
    refuses,
    read: (incoming) =>
      parseInput(schema, Object.fromEntries(names.map((name) => [name, incoming.query(name)] as const))),
  };
};
