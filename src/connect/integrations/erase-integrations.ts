import { pieceByPiece } from "../../kernel/piece-by-piece.ts";
import type { ConnectDeps } from "../deps.ts";
import { deleteIntegration, eraseSomeConnections, nextDeleted } from "../store/delete-integrations.ts";

/** Connections of one transaction: all else that wants to write waits for it. */
const atOnce = 250;
/** Pieces of one run; behind them other jobs have their turn. */
const mostPieces = 400;

/**
 * Erases what is left of integrations that were deleted. What a process that was killed has begun, the next run goes on
 * with.
 */
export const eraseIntegrations =
  ({ store }: Pick<ConnectDeps, "store">) =>
  (signal: AbortSignal): Promise<void> => {
    let pieces = 0;
    const erasePiece = async (): Promise<boolean> => {
      pieces += 1;
      return store.transaction(async ({ query }) => {
        const integration = await nextDeleted(query);
        if (integration === undefined) return false;
        const erased = await eraseSomeConnections(query, integration, atOnce);
        if (erased < atOnce) await deleteIntegration(query, integration);
        return pieces < mostPieces;
      }, "patient");
    };
    return pieceByPiece(erasePiece, signal);
  };
