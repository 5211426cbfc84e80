import type { Texts } from "../catalogue/check-fields.ts";
import type { Fields } from "../catalogue/model/provider.ts";

/** Of a field that no file tells of: rather sealed than read by whoever has a backup. */
const soundsSecret = (name: string): boolean => /token|secret|passw|key|credential|auth|jwt|cert/i.test(name);

/** A configuration in two: what may lie open, and what is sealed. */
export const splitSecrets = (
  fields: Fields,
  values: Texts,
): { readonly open: Texts; readonly secret: Texts } => {
  const entries = Object.entries(values);
  const isSecret = ([name]: readonly [string, string]): boolean =>
    Object.hasOwn(fields, name) ? fields[name]?.secret === true : soundsSecret(name);
  return {
    open: Object.fromEntries(entries.filter((entry) => !isSecret(entry))),
    secret: Object.fromEntries(entries.filter(isSecret)),
  };
};
