import { Refused } from "../api.ts";
import { isSignedOut } from "../session.ts";
import { texts } from "../texts/index.ts";

/** What went wrong, for a person: a sentence for the whole, and one for each field. */
export type Trouble = {
  readonly message: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  /** Whole seconds to wait. */
  readonly wait: number | undefined;
  /** Names the request to the operator, where the server itself failed. */
  readonly requestId: string | undefined;
  /** Nothing helps but to sign in again. */
  readonly signedOut: boolean;
};

export const noTrouble: Trouble = {
  message: undefined,
  fields: {},
  wait: undefined,
  requestId: undefined,
  signedOut: false,
};

const textOf = (table: Readonly<Record<string, string>>, key: string): string | undefined => table[key];

/**
 * @param known the fields that the form has: what is wrong with others is told for the whole
 * @param own sentences of the page by code, where the usual ones don't fit
 */
export const troubleOf = (
  error: unknown,
  known: readonly string[],
  own: Readonly<Record<string, string>> = {},
): Trouble => {
  if (!(error instanceof Refused)) return { ...noTrouble, message: texts.trouble.unreachable };
  const told = error.issues.map(({ field, rule, message }) => ({
    field,
    text: textOf(texts.rules, `${field}.${rule}`) ?? textOf(texts.rules, rule) ?? message,
  }));
  const fields = Object.fromEntries(
    told.filter(({ field }) => known.includes(field)).map(({ field, text }) => [field, text]),
  );
  const others = told.filter(({ field }) => !known.includes(field)).map(({ text }) => text);
  const isOurs = error.code === "internal" || error.code === "store_unavailable";
  const sentence =
    error.issues.length > 0
      ? undefined
      : (textOf(own, error.code) ?? textOf(texts.refusals, error.code) ?? error.message);
  return {
    message: others.length > 0 ? others.join(" ") : sentence,
    fields,
    wait: error.retryAfter,
    requestId: isOurs ? error.requestId : undefined,
    signedOut: isSignedOut(error),
  };
};
