// How soon another process knows: by DESIGN within a second, which is all the time it is given here.

import { setTimeout as wait } from "node:timers/promises";

const promisedMs = 1000;

/**
 * Asks again and again until the answer is a refusal. The last time it asks a whole second has gone by, so that an
 * admission then is a broken promise however slow the machine is.
 * @returns the status of the last answer: that of the refusal, or of the admission that came too late
 */
export const statusWithinSecond = async (
  ask: () => Promise<{ readonly status: number }>,
): Promise<number> => {
  const since = performance.now();
  for (;;) {
    const asked = performance.now();
    const { status } = await ask();
    if (status !== 200 || asked - since >= promisedMs) return status;
    await wait(20);
  }
};
