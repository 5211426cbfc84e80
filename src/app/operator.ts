import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { SetupFault } from "#kernel/errors.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import { openReadyStore } from "./compose.ts";
import { layGround, type Ground } from "./ground.ts";

/** What a command of the operator works with. Nothing runs by itself, and after `close` nothing is open. */
export type OperatorHouse = Ground & {
  readonly config: Config;
  readonly store: Store;
  close(): Promise<void>;
};

/**
 * A store that other processes may be using is not migrated on the side: they might be of an older version, and the
 * operator only wanted to lock somebody. One that is new has no users yet.
 */
const makeReady = async (store: Store): Promise<void> => {
  const { applied, pending } = await store.migrationState();
  if (pending.length === 0) return;
  if (applied.length > 0) {
    throw new SetupFault(
      `The store lacks ${pending.join(", ")}: restart the server on this version, or run "latchkey migrate" first.`,
    );
  }
  await store.migrate();
};

/**
 * Opens the store and the keys beside a running server, or before there is one. Mails that are queued go out when a
 * server runs.
 *
 * @throws SetupFault
 */
export const openOperatorHouse = async (config: Config, log: Log): Promise<OperatorHouse> => {
  const store = await openReadyStore(config, { clock: systemClock, log }, makeReady);
  try {
    const ground = await layGround({ store, config, log }, () => undefined);
    return { ...ground, config, store, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
};
