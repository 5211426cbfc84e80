/**
 * The gate in front of costly work: as many at once as the machine has cores, a short queue, and the rest is
 * told at once to come back, so that a flood of sign-ins costs a bounded share of memory and time.
 */
import { Refusal, refusals } from "../../errors.ts";

/** Monotonic time and a wake-up, handed in so that a test winds them by hand. */
export type Timer = {
  /** Milliseconds since any fixed moment; never goes backwards. */
  now(): number;
  /** Runs once after so many milliseconds, unless the returned function is called first. */
  after(milliseconds: number, run: () => void): () => void;
};

export const systemTimer: Timer = {
  now: () => performance.now(),
  after: (milliseconds, run) => {
    const timeout = setTimeout(run, milliseconds);
    return () => clearTimeout(timeout);
  },
};

export type Gate = {
  /**
   * Runs the work when its turn comes, first come first served.
   *
   * @throws Refusal `busy` with `retryAfter: 1`, the work not run: at once when the queue is longer than
   *   `maxWaitMs` can empty, else when `maxWaitMs` have passed without a turn
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
  readonly running: number;
};

type Waiter = { readonly since: number; readonly enter: () => void; readonly refuse: () => void };

/** What a run is taken to last before one was measured: an Argon2id hash of the default cost on a slow core. */
const firstGuessMs = 25;
/** How much the newest run counts in the moving average. */
const newestWeight = 1 / 8;

export const createGate = (settings: {
  readonly atOnce: number;
  readonly maxWaitMs: number;
  readonly timer?: Timer;
}): Gate => {
  const { atOnce, maxWaitMs, timer = systemTimer } = settings;
  const queue = new Set<Waiter>();
  let running = 0;
  let averageMs = firstGuessMs;

  const busy = () => new Refusal(refusals.busy, { retryAfter: 1 });

  const learn = (tookMs: number) => {
    // Kept within bounds: a machine that slept must not close the gate, nor an instant run open the queue.
    const bounded = Math.min(Math.max(tookMs, 1), maxWaitMs);
    averageMs += (bounded - averageMs) * newestWeight;
  };

  const admitNext = () => {
    for (const waiter of queue) {
      if (running >= atOnce) return;
      queue.delete(waiter);
      // A late timer must not let through what has waited too long already.
      if (timer.now() - waiter.since > maxWaitMs) waiter.refuse();
      else waiter.enter();
    }
  };

  const wait = () =>
    new Promise<void>((resolve, reject) => {
      const cancel = timer.after(maxWaitMs, () => {
        queue.delete(waiter);
        reject(busy());
      });
      const waiter: Waiter = {
        since: timer.now(),
        enter: () => {
          cancel();
          // Taken here and not by the waiter itself, which runs later: no one may slip in between.
          running += 1;
          resolve();
        },
        refuse: () => {
          cancel();
          reject(busy());
        },
      };
      queue.add(waiter);
    });

  return {
    run: async (work) => {
      if (running < atOnce && queue.size === 0) running += 1;
      else if (((queue.size + 1) * averageMs) / atOnce > maxWaitMs) throw busy();
      else await wait();
      const began = timer.now();
      try {
        return await work();
      } finally {
        running -= 1;
        learn(timer.now() - began);
        admitNext();
      }
    },
    get waiting() {
      return queue.size;
    },
    get running() {
      return running;
    },
  };
};
