import { isStoreOutage } from "../db/outage.ts";
import { Refusal } from "../errors.ts";
import type { Refundable } from "./tries.ts";

/** Whether it was the server that could not do it, and nobody's mistake. */
const wasNotDone = (error: unknown): boolean =>
  (error instanceof Refusal && error.code === "busy") || isStoreOutage(error);

/**
 * Does what tries were reserved for. When the server could not do it, and told the caller to come again, they are given
 * back; if the store can't even take that, they are lost.
 */
export const givenBackUnlessDone = async <Result>(
  reserved: Refundable,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (wasNotDone(error)) await reserved.refund().catch(() => undefined);
    throw error;
  }
};
