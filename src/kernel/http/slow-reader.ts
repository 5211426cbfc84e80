import type { ServerResponse } from "node:http";
import { second } from "../clock.ts";

/** Any line that is still there takes something within this time. */
const longestMs = 30 * second;

/**
 * Cuts the connection of a client that takes nothing of an answer which was written to its end: what it does not take
 * is memory of ours. Costs nothing where the system took all of it at once, which is the case of all small answers.
 */
export const cutSlowReader = (response: ServerResponse, waitMs = longestMs): void => {
  if (response.writableFinished) return;
  response.setTimeout(waitMs, () => response.destroy());
};
