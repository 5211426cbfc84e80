import { pieceByPiece } from "../../kernel/piece-by-piece.ts";
import type { ConnectDeps } from "../deps.ts";
import { connectionsBehind } from "../store/connections.ts";
import { setSealed } from "../store/connection-changes.ts";
import { boundAnew } from "./vault.ts";

type Deps = Pick<ConnectDeps, "store" | "rootKeys" | "random" | "destinationKey">;

const atOnce = 100;

/**
 * Seals where credentials may go with those that were linked before that was sealed, while the server runs. What is
 * linked anew meanwhile stays as it is.
 */
export const bindConnections =
  (deps: Deps) =>
  async (signal: AbortSignal): Promise<void> => {
    let last = 0;
    await pieceByPiece(async () => {
      const some = await connectionsBehind(deps.store.query, last, atOnce);
      for (const connection of some) {
        const sealed = boundAnew(deps, connection);
        if (sealed !== undefined) await setSealed(deps.store.query, connection, sealed);
      }
      last = some.at(-1)?.id ?? last;
      return some.length === atOnce;
    }, signal);
  };
