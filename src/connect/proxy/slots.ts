import { Refusal } from "../../kernel/errors.ts";
import { refusals } from "../model/refusals.ts";

/** Calls at once through one connection: more would only be what gets its owner's account throttled. */
const mostAtOnce = 20;

export type Slots = {
  /** @throws Refusal connection_busy */
  readonly take: (connectionRow: number) => void;
  readonly giveBack: (connectionRow: number) => void;
};

export const createSlots = (): Slots => {
  const taken = new Map<number, number>();
  return {
    take: (row) => {
      const count = taken.get(row) ?? 0;
      if (count >= mostAtOnce) throw new Refusal(refusals.connection_busy, { retryAfter: 1 });
      taken.set(row, count + 1);
    },
    giveBack: (row) => {
      const count = (taken.get(row) ?? 1) - 1;
      if (count === 0) taken.delete(row);
      else taken.set(row, count);
    },
  };
};
