import type { Texts } from "../catalogue/check-fields.ts";
import type { Fields } from "../catalogue/model/provider.ts";

/** A configuration in two: what may lie open, and what is sealed. */
export const splitSecrets = (
  fields: Fields,
  values: Texts,
): { readonly open: Texts; readonly secret: Texts } => {
  const entries = Object.entries(values);
  const isSecret = ([name]: readonly [string, string]): boolean => fields[name]?.secret === true;
  return {
    open: Object.fromEntries(entries.filter((entry) => !isSecret(entry))),
    secret: Object.fromEntries(entries.filter(isSecret)),
  };
};
