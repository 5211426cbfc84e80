import { LRUCache } from "lru-cache";
import { minute } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { CheckConnection } from "../verification/check-connection.ts";
import type { RoomDeps } from "../deps.ts";
import { connectionByRow } from "../store/connections.ts";
import { atMost } from "../../kernel/at-most.ts";

/** Asks providers, in the background, whether credentials still work, when a call makes one wonder. */
export type Suspicion = {
  /** The provider answered 401 or 403, which may have been about the credentials. */
  readonly onRefused: (connectionRow: number) => void;
  /** Somebody wants to use a connection that is failing: what was wrong may be over. */
  readonly onFailing: (connectionRow: number) => void;
};

const checkEveryMs = minute;
/** Seldom: each try with a wrong password may count against its owner. */
const recheckEveryMs = 10 * minute;
const mostRemembered = 10_000;

type Deps = Pick<RoomDeps, "store" | "clock" | "log"> & { readonly check: CheckConnection };

export const createSuspicion = ({ store, clock, log, check }: Deps): Suspicion => {
  const checkedAt = new LRUCache<number, number>(atMost(mostRemembered));

  const run = async (row: number): Promise<void> => {
    try {
      const connection = await connectionByRow(store.query, row);
      // Whoever revoked it does not want it back.
      if (connection && connection.state !== "revoked") await check(connection);
    } catch (error) {
      // A provider that is down, or out of quota, tells nothing about credentials.
      if (error instanceof Refusal)
        log.debug("connection_not_checked", { connection: row, code: error.code });
      else log.warn("connection_not_checked", { connection: row, error });
    }
  };

  const checkUnlessSince = (row: number, everyMs: number): void => {
    const now = clock.now();
    if (now - (checkedAt.get(row) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    checkedAt.set(row, now);
    void run(row);
  };

  return {
    onRefused: (row) => checkUnlessSince(row, checkEveryMs),
    onFailing: (row) => checkUnlessSince(row, recheckEveryMs),
  };
};
