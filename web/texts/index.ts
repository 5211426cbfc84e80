import { en } from "./en.ts";

/** Every text of the pages in one language. Another language is another file with the same keys, chosen here. */
export type Texts = typeof en;

export const texts: Texts = en;
