import { readFileSync } from "node:fs";

const names: ReadonlySet<string> = new Set([
  ...readFileSync(new URL("./time-zones.txt", import.meta.url), "utf8")
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith("#")),
  ...Intl.supportedValuesOf("timeZone"),
]);

const isKnownToIntl = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // RangeError
  }
};

/**
 * Whether this is the name of a time zone of the IANA database, such as `Europe/Tallinn` or `UTC`, also one that it keeps
 * for the sake of the past: `US/Pacific`. Names of ICU's own, which Intl takes (`BST` is Dhaka to it) and other programs
 * do not, are none; nor are offsets, and names in other letters.
 */
export const isTimeZone = (name: string): boolean => names.has(name) && isKnownToIntl(name);
