// How soon another process knows: the promise is a second, which is all the time it is given here.

import { setTimeout as wait } from "node:timers/promises";

const promisedMs = 1000;

/**
 * Asks again and again until the answer is the one that is waited for. The last time it asks a whole second has gone by,
 * so that any other answer then is a broken promise however slow the machine is.
 * @returns the last answer
 */
export const withinSecond = async <Answer>(
  ask: () => Promise<Answer>,
  isAwaited: (answer: Answer) => boolean,
): Promise<Answer> => {
  const since = performance.now();
  for (;;) {
    const asked = performance.now();
    const answer = await ask();
    if (isAwaited(answer) || asked - since >= promisedMs) return answer;
    await wait(20);
  }
};

/** The status of the refusal; 200 when the admission went on for longer than it may. */
export const statusWithinSecond = async (ask: () => Promise<{ readonly status: number }>): Promise<number> =>
  (await withinSecond(ask, ({ status }) => status !== 200)).status;
