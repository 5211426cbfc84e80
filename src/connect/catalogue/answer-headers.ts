import type { Provider } from "./model/provider.ts";

/** Names in lower case, as Node and undici have them. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export const headerOf = (headers: AnswerHeaders, name: string): string | undefined => {
  const lower = name.toLowerCase();
  const value = Object.hasOwn(headers, lower) ? headers[lower] : undefined;
  return typeof value === "string" ? value : value?.join(", ");
};

const longestWait = 24 * 60 * 60;
/** An epoch as large as this is told in milliseconds. */
const surelyMilliseconds = 1e11;

const secondsOf = (text: string): number | undefined =>
  /^\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : undefined;

const retryAfter = (text: string, now: number): number | undefined => {
  const seconds = secondsOf(text);
  if (seconds !== undefined) return seconds;
  // RFC 9110 §10.2.3: else it is a date, in each of whose forms there is a day in letters and a time.
  const at = /^[a-z].*\d\d:\d\d:\d\d/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : (at - now) / 1000;
};

const untilEpoch = (text: string, now: number): number | undefined => {
  const at = secondsOf(text);
  if (at === undefined) return undefined;
  return (at >= surelyMilliseconds ? at - now : at * 1000 - now) / 1000;
};

/**
 * How long a provider asks to be left alone: by Retry-After, or by the headers that its file names, the longest of them.
 *
 * @param now epoch milliseconds
 * @returns whole seconds up to a day; undefined when it does not say
 */
export const waitOf = (
  { retry }: Pick<Provider, "retry">,
  headers: AnswerHeaders,
  now: number,
): number | undefined => {
  const read = (name: string, meaning: (text: string, at: number) => number | undefined): number[] => {
    const text = headerOf(headers, name);
    const seconds = text === undefined ? undefined : meaning(text, now);
    return seconds === undefined ? [] : [seconds];
  };
  const waits = [
    ...read("retry-after", retryAfter),
    ...retry.after.flatMap((name) => read(name, secondsOf)),
    ...retry.at.flatMap((name) => read(name, untilEpoch)),
  ];
  if (waits.length === 0) return undefined;
  return Math.min(longestWait, Math.max(0, Math.ceil(Math.max(...waits))));
};
