import { setImmediate } from "node:timers/promises";

/**
 * Does what grows with the store in bounded pieces, so that nobody waits for the whole of it.
 *
 * @param some does a piece and tells whether there may be more of them
 * @param signal ends it after the piece that is under way
 */
export const pieceByPiece = async (some: () => Promise<boolean>, signal?: AbortSignal): Promise<void> => {
  while (signal?.aborted !== true && (await some())) {
    // SQLite answers without waiting: in between, others must get their turn.
    await setImmediate();
  }
};
