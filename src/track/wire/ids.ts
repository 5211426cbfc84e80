import { Refusal } from "../../kernel/errors.ts";
import { refusals } from "../refusals.ts";

/** Longer numbers are no ids, and would lose digits. */
const form = /^[1-9]\d{0,14}$/;

/** An id as a number; undefined when it is none. */
const readId = (text: string): number | undefined => (form.test(text) ? Number(text) : undefined);

/** An id of a path: what is none names nothing. @throws Refusal not_found */
export const idOf = (text: string, sentence?: string): number => {
  const id = readId(text);
  if (id === undefined)
    throw new Refusal(refusals.not_found, sentence === undefined ? {} : { text: sentence });
  return id;
};
