import { faultOfValue } from "../model/field-value.ts";
import { patternFault } from "../model/pattern.ts";
import type { Field, Fields, Provider } from "../model/provider.ts";
import type { PathFault } from "./schema-faults.ts";

/** What a field of a provider's file may not say. */

type Found = readonly [key: keyof Field, message: string];

const breachesOfSaying = (
  { hidden, optional, looks_like, pattern, default: standard, doc_section: section }: Field,
  anchors: ReadonlySet<string>,
): readonly Found[] => {
  const found: Found[] = [];
  if (looks_like !== undefined && pattern === undefined) {
    found.push(["looks_like", "tells a pattern in words, and there is none."]);
  }
  if (hidden && standard === undefined) {
    found.push(["hidden", "needs a default: nobody is asked for the value."]);
  }
  if (hidden && optional) found.push(["optional", "says nothing where the field is hidden."]);
  if (section !== undefined && !anchors.has(section.slice(1))) {
    const anchor = section.slice(1);
    found.push(["doc_section", `leads nowhere: the guide has no section with the anchor ${anchor}.`]);
  }
  return found;
};

const breachesOfChoices = ({ enum: choices = [], ...others }: Field): readonly Found[] => {
  const found: Found[] = [];
  if (new Set(choices).size < choices.length) found.push(["enum", "has a choice twice."]);
  // By the other rules, since each choice is one of them.
  const unfit = choices.find((choice) => faultOfValue(others, choice) !== undefined);
  if (unfit !== undefined) found.push(["enum", `has the choice ${unfit}, which the field does not take.`]);
  return found;
};

const breachesOfValues = (field: Field): readonly Found[] =>
  (["default", "example"] as const).flatMap((key): readonly Found[] => {
    const value = field[key];
    const broken = value === undefined || value === "" ? undefined : faultOfValue(field, value);
    return broken === undefined ? [] : [[key, `is not what the field takes: ${broken.sentence}.`]];
  });

const breachesOf = (field: Field, anchors: ReadonlySet<string>): readonly Found[] => {
  const fault = field.pattern === undefined ? undefined : patternFault(field.pattern);
  // No value can be held to it.
  if (fault !== undefined) return [["pattern", `${fault}.`]];
  return [...breachesOfSaying(field, anchors), ...breachesOfChoices(field), ...breachesOfValues(field)];
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
