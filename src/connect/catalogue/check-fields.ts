import { Refusal, type Issue } from "../../kernel/errors.ts";
import { nearestTo } from "../../kernel/nearest.ts";
import { faultOfValue, unwrapped } from "./model/field-value.ts";
import type { Field, Fields, Provider, Shape } from "./model/provider.ts";
import { refusals } from "../model/refusals.ts";

/** The rules of fields, kept by the server: a form is only one of the ways in. */

export type Texts = Readonly<Record<string, string>>;

/** A record of strangers' names: what it inherits is not in it. */
export const own = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

export type CheckedFields = { readonly values: Texts; readonly issues: readonly Issue[] };

type Read = { readonly value: string } | { readonly rule: string; readonly sentence: string } | undefined;

const readField = (name: string, field: Field, given: unknown): Read => {
  // Whatever is sent in the place of a hidden one: clients of the original send fillers of their own.
  if (field.hidden) return { value: field.default ?? "" };
  if (given !== undefined && typeof given !== "string") {
    return { rule: "type", sentence: `${field.title} (${name}) must be a text` };
  }
  const value = unwrapped(field, given ?? "");
  if (value !== "") return faultOfValue(field, value) ?? { value };
  if (field.default !== undefined) return { value: field.default };
  return field.optional ? undefined : { rule: "required", sentence: `${field.title} is missing` };
};

const shortened = (name: string): string => (name.length > 64 ? `${name.slice(0, 64)}…` : name);

const unknownField = (fields: Fields, name: string): string => {
  const askedFor = Object.keys(fields).filter((known) => !fields[known]?.hidden);
  const nearest =
    name.length > 64 ? undefined : nearestTo(name, askedFor, Math.max(1, Math.floor(name.length / 3)));
  const meant = nearest === undefined ? "" : `; did you mean "${nearest}"`;
  return `"${shortened(name)}" is not asked for here${meant}`;
};

/**
 * What is right, and everything that is wrong; for callers that have more than one record to tell of.
 *
 * @param where stands in front of the fields' names in the issues, with a dot; empty: nothing
 */
export const inspectFields = (
  fields: Fields,
  given: Readonly<Record<string, unknown>>,
  where: string,
): CheckedFields => {
  const pathOf = (name: string): string => (where === "" ? name : `${where}.${name}`);
  const values: Record<string, string> = {};
  const issues: Issue[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const read = readField(name, field, own(given, name));
    if (read === undefined) continue;
    if ("value" in read) values[name] = read.value;
    else issues.push({ field: pathOf(name), rule: read.rule, message: read.sentence });
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue;
    issues.push({
      field: pathOf(shortened(name)),
      rule: "unrecognized_keys",
      message: unknownField(fields, name),
    });
  }
  return { values, issues };
};

const valuesOrRefusal = ({ values, issues }: CheckedFields): Texts => {
  if (issues.length > 0) throw new Refusal(refusals.input_invalid, { issues });
  return values;
};

/**
 * The values of a configuration as they are kept: trimmed, with defaults, without optional ones that were left empty.
 *
 * @throws Refusal input_invalid with everything that is wrong
 */
export const checkFields = (fields: Fields, given: Readonly<Record<string, unknown>>, where = ""): Texts =>
  valuesOrRefusal(inspectFields(fields, given, where));

/** What a file asks for, and what an app that moved here from elsewhere keeps besides. */
export const apartFrom = (
  fields: Fields,
  given: Texts,
): { readonly known: Texts; readonly foreign: Texts } => {
  const { known = [], foreign = [] } = Object.groupBy(Object.entries(given), ([name]) =>
    Object.hasOwn(fields, name) ? "known" : "foreign",
  );
  return { known: Object.fromEntries(known), foreign: Object.fromEntries(foreign) };
};

const colonIssues = (provider: Provider, shape: Shape, user: string | undefined, field: string): Issue[] => {
  // RFC 7617 §2: the first colon ends the user name, so one within it would move part of it into the password.
  if (provider.auth_mode !== "BASIC" || !user?.includes(":")) return [];
  const title = shape.fields["username"]?.title ?? "username";
  return [{ field, rule: "colon", message: `${title} can't have a colon in it` }];
};

/**
 * The same for the credentials of a shape.
 *
 * @throws Refusal input_invalid with everything that is wrong
 */
export const checkCredentials = (
  provider: Provider,
  shape: Shape,
  given: Readonly<Record<string, unknown>>,
  where = "",
): Texts => {
  const { values, issues } = inspectFields(shape.fields, given, where);
  const field = where === "" ? "username" : `${where}.username`;
  const colons = colonIssues(provider, shape, values["username"], field);
  return valuesOrRefusal({ values, issues: [...issues, ...colons] });
};
