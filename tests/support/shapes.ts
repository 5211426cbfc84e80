// Answers that are objects or lists of objects, for tests that look at their fields.

import * as z from "zod";

const Fields = z.record(z.string(), z.unknown());

/** A JSON object's fields, in the order in which they were sent. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => Fields.parse(value);

export const listOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  z.array(Fields).parse(value);
