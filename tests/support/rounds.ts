// How often something is done that chance has a part in, and in how many variants something is looked at: few in
// `npm test`, many in `npm run soak`.

import { inject } from "vitest";

export const roundsOf = (rounds: { readonly test: number; readonly soak: number }): number =>
  inject("soak") ? rounds.soak : rounds.test;

/** The first stands for all of them in `npm test`. */
export const variantsOf = <Variant>(variants: readonly Variant[]): readonly Variant[] =>
  inject("soak") ? variants : variants.slice(0, 1);
