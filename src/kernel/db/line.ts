import { performance } from "node:perf_hooks";
import { Refusal, refusals } from "../errors.ts";

/** More than any moment of ordinary use brings; they have their turns within half a second. */
const mostWaiting = 1000;
/** Milliseconds: a line in which somebody has stood for longer than this is longer than it can empty. */
const longestWaitMs = 1000;

/** Those who wait for their turn to write. A line that does not move gets no longer. */
export type Line = {
  /**
   * @param patient is never refused: chores, and what takes back what was written
   * @returns what to call once the turn has come, or will not come any more
   * @throws Refusal busy
   */
  join(patient: boolean): () => void;
};

export const createLine = (): Line => {
  /** Since when they wait; the first came first. */
  const waiting = new Map<symbol, number>();

  const isFull = (now: number): boolean => {
    const [oldest] = waiting.values();
    return waiting.size >= mostWaiting || (oldest !== undefined && now - oldest > longestWaitMs);
  };

  return {
    join: (patient) => {
      const now = performance.now();
      if (!patient && isFull(now)) throw new Refusal(refusals.busy, { retryAfter: 1 });
      const place = Symbol("place");
      waiting.set(place, now);
      return () => void waiting.delete(place);
    },
  };
};
