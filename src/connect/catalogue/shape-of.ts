import { withoutUnseenAround } from "../../kernel/text/unseen.ts";
import { own } from "./check-fields.ts";
import { faultOfValue, unwrapped } from "./model/field-value.ts";
import type { Field, Provider, Shape } from "./model/provider.ts";

/** Which of a provider's shapes somebody means who does not say so: `{ username, password }` or `{ apiKey }`. */

export type Submitted = Readonly<Record<string, unknown>>;

const textOf = (submitted: Submitted, name: string): string => {
  const value = own(submitted, name);
  return typeof value === "string" ? value : "";
};

/** What is filled in by itself was sent word by word: `api_token` in the place of a password. */
const saysSo = (shape: Shape, submitted: Submitted): boolean =>
  Object.entries(shape.fields).some(
    ([name, field]) =>
      field.hidden &&
      (field.default ?? "") !== "" &&
      withoutUnseenAround(textOf(submitted, name)) === field.default,
  );

const takes = (field: Field, pasted: string): boolean => {
  if (field.hidden) return ["", field.default].includes(withoutUnseenAround(pasted));
  const value = unwrapped(field, pasted);
  if (value === "") return field.optional || field.default !== undefined;
  return faultOfValue(field, value) === undefined;
};

const takesAll = (shape: Shape, submitted: Submitted): boolean =>
  Object.entries(shape.fields).every(([name, field]) => takes(field, textOf(submitted, name)));

/** Asks for everything: its refusals name what is missing. */
const asksAll = ({ fields }: Shape): boolean => Object.values(fields).every(({ hidden }) => !hidden);

/** The one that says so, else the one that takes it all, else the one that asks for the most. */
export const shapeOf = ({ shapes }: Provider, submitted: Submitted): Shape => {
  const found =
    shapes.find((shape) => saysSo(shape, submitted)) ??
    shapes.find((shape) => takesAll(shape, submitted)) ??
    shapes.find(asksAll) ??
    shapes.find(({ recommended }) => recommended) ??
    shapes[0];
  if (found === undefined) throw new Error("A provider has at least one shape.");
  return found;
};
