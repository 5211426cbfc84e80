import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { SetupFault } from "#kernel/errors.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import { layGround, type Ground } from "./ground.ts";
import { mayExist, openReadyStore, storeAddress } from "./open-store.ts";

/** What a command of the operator works with. Nothing runs by itself, and after `close` nothing is open. */
export type OperatorHouse = Ground & {
  readonly config: Config;
  readonly store: Store;
  close(): Promise<void>;
};

/** Taken for a sign that a command looks in a wrong place: what is made there would be missed elsewhere. */
const noStore = (config: Config): SetupFault => {
  const address = storeAddress(config);
  return new SetupFault(
    address.kind === "sqlite"
      ? `There is no database at ${address.path}: check LATCHKEY_DATA, or start the server, which makes one.`
      : "The database of LATCHKEY_DATABASE_URL is empty: check the URL, or start the server, which fills it.",
  );
};

/**
 * A store that other processes may be using is not migrated on the side: they might be of an older version, and the
 * operator only wanted to lock somebody.
 */
const refuseUnready = async (store: Store, config: Config): Promise<void> => {
  const { applied, pending } = await store.migrationState();
  if (pending.length === 0) return;
  if (applied.length > 0) {
    throw new SetupFault(
      `The store lacks ${pending.join(", ")}: restart the server on this version, or run "latchkey migrate" first.`,
    );
  }
  throw noStore(config);
};

/** Opens the store beside a running server. Only the server and `migrate` make one. @throws SetupFault */
export const openOperatorStore = async (config: Config, log: Log): Promise<Store> => {
  if (!(await mayExist(config))) throw noStore(config);
  return openReadyStore(config, { clock: systemClock, log }, (store) => refuseUnready(store, config));
};

/** The same with the keys and the accounts. Mails that are queued go out when a server runs. @throws SetupFault */
export const openOperatorHouse = async (config: Config, log: Log): Promise<OperatorHouse> => {
  const store = await openOperatorStore(config, log);
  try {
    const ground = await layGround({ store, config, log }, () => undefined);
    return {
      ...ground,
      config,
      store,
      close: async () => {
        await ground.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
