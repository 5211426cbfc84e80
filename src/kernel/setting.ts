/** The kinds of settings there are: how a text of the environment becomes a value, and which rule it must keep. */
import { isIP } from "node:net";
import { SetupFault } from "./errors.ts";
import { Secret } from "./secret.ts";
import { readFlag } from "./text/flag.ts";
import { readOrigin } from "./text/origin.ts";
import { readServiceUrl } from "./text/service-url.ts";
import { withoutUnseenAround } from "./text/unseen.ts";

export type Setting<Value> = {
  readonly meaning: string;
  /** As the README shows it. */
  readonly shown: string;
  readonly read: (text: string | undefined, name: string) => Value;
};

export const wrong = (name: string, rule: string, text: string): SetupFault =>
  new SetupFault(`${name} must be ${rule}, not ${JSON.stringify(text)}.`);

export const wholeNumber = <Standard extends number | undefined>(
  standard: Standard,
  low: number,
  high: number,
  meaning: string,
): Setting<number | Standard> => ({
  meaning,
  shown: String(standard),
  read: (text, name) => {
    if (text === undefined) return standard;
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw wrong(name, `a whole number from ${low} to ${high}`, text);
  },
});

export const words = <const Word extends string, Standard>(
  standard: Standard,
  shown: string,
  allowed: readonly Word[],
  meaning: string,
): Setting<Word | Standard> => ({
  meaning,
  shown,
  read: (text, name) => {
    if (text === undefined) return standard;
    const word = allowed.find((one) => one === text.toLowerCase());
    if (word === undefined) throw wrong(name, allowed.map((one) => `"${one}"`).join(" or "), text);
    return word;
  },
});

export const flag = (standard: boolean, meaning: string): Setting<boolean> => ({
  meaning,
  shown: String(standard),
  read: (text, name) => {
    if (text === undefined) return standard;
    const value = readFlag(text);
    if (value === undefined) throw wrong(name, '"true" or "false"', text);
    return value;
  },
});

export const text = (standard: string, meaning: string): Setting<string> => ({
  meaning,
  shown: standard,
  read: (given) => given ?? standard,
});

/** A URL may carry a password, and the key material is one: neither may print. */
export const hidden = (
  meaning: string,
  check: (text: string, name: string) => void,
): Setting<Secret | undefined> => ({
  meaning,
  shown: "",
  read: (given, name) => {
    if (given === undefined) return undefined;
    check(given, name);
    return new Secret(given);
  },
});

export const list = (
  meaning: string,
  check: (entry: string, name: string) => string,
): Setting<readonly string[]> => ({
  meaning,
  shown: "",
  read: (given, name) =>
    (given ?? "")
      .split(",")
      .map(withoutUnseenAround)
      .filter((entry) => entry !== "")
      .map((entry) => check(entry, name)),
});

export const urlOf = (given: string, schemes: readonly string[], name: string): URL => {
  const url = readServiceUrl(given, schemes);
  if (typeof url === "string") throw new SetupFault(`${name} ${url}.`);
  return url;
};

/**
 * An origin as browsers write it: scheme, host, port, and nothing behind it.
 *
 * @param why it has no path, as a sentence
 */
export const originOf = (given: string, name: string, why = ""): URL => {
  const url = urlOf(given, ["http:", "https:"], name);
  const bare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (bare) return url;
  const fault = wrong(name, "an origin without a path, like https://id.example.com", given);
  throw why === "" ? fault : new SetupFault(`${fault.message} ${why}`);
};

/** The same of any page: those of extensions and of apps have origins of other schemes. */
export const appOriginOf = (given: string, name: string): string => {
  const origin = readOrigin(given);
  if (origin !== undefined) return origin;
  throw wrong(
    name,
    "an origin without a path, like https://app.example.com or chrome-extension://abcd",
    given,
  );
};

export const isRange = (entry: string): boolean => {
  const [address = "", prefix, ...rest] = entry.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
};
