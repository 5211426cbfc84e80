import { faultOfValue } from "../model/field-value.ts";
import { patternFault } from "../model/pattern.ts";
import type { Field, Fields, Provider } from "../model/provider.ts";
import type { PathFault } from "./schema-faults.ts";

/** What a field of a provider's file may not say. */

type Found = readonly [key: keyof Field, message: string];

const breachesOf = (field: Field, anchors: ReadonlySet<string>): readonly Found[] => {
  const found: Found[] = [];
  const { pattern, enum: choices, default: standard, doc_section: section } = field;
  const fault = pattern === undefined ? undefined : patternFault(pattern);
  if (fault !== undefined) return [["pattern", `${fault}.`]];
  if (field.looks_like !== undefined && pattern === undefined) {
    found.push(["looks_like", "tells a pattern in words, and there is none."]);
  }
  if (field.hidden && standard === undefined) {
    found.push(["hidden", "needs a default: nobody is asked for the value."]);
  }
  if (field.hidden && field.optional) found.push(["optional", "says nothing where the field is hidden."]);
  if (section !== undefined && !anchors.has(section.slice(1))) {
    found.push([
      "doc_section",
      `leads nowhere: the guide has no section with the anchor ${section.slice(1)}.`,
    ]);
  }
  if (new Set(choices).size < (choices?.length ?? 0)) found.push(["enum", "has a choice twice."]);
  // By the other rules, since each choice is one of them.
  const { enum: _, ...others } = field;
  const unfit = choices?.find((choice) => faultOfValue(others, choice) !== undefined);
  if (unfit !== undefined) found.push(["enum", `has the choice ${unfit}, which the field does not take.`]);
  for (const key of ["default", "example"] as const) {
    const value = field[key];
    const broken = value === undefined || value === "" ? undefined : faultOfValue(field, value);
    if (broken !== undefined) found.push([key, `is not what the field takes: ${broken.sentence}.`]);
  }
  return found;
};

/** @param path of the record that the fields stand in */
export const fieldBreaches = (
  { guide }: Pick<Provider, "guide">,
  fields: Fields,
  path: readonly (string | number)[],
): readonly PathFault[] => {
  const anchors = new Set(guide.map(({ anchor }) => anchor));
  return Object.entries(fields).flatMap(([name, field]) =>
    breachesOf(field, anchors).map(([key, message]): PathFault => ({
      path: [...path, name, key],
      part: "value",
      message,
    })),
  );
};
