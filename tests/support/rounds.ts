// How often something is done that chance has a part in: a few times in `npm test`, many in `npm run soak`.

import { inject } from "vitest";

export const roundsOf = (rounds: { readonly test: number; readonly soak: number }): number =>
  inject("soak") ? rounds.soak : rounds.test;
