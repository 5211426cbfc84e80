import { stat } from "node:fs/promises";
import { join } from "node:path";
import { migrations } from "#migrations";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { isMissing, makeFolder } from "#kernel/folder.ts";
import { openStore, type Store, type StoreAddress } from "#kernel/db/store.ts";
import { reasonOf, SetupFault } from "#kernel/errors.ts";
import type { Log } from "#kernel/telemetry/log.ts";

/** Where the data lies. */
export const storeAddress = (config: Config): StoreAddress =>
  config.databaseUrl
    ? { kind: "postgres", url: config.databaseUrl.reveal() }
    : { kind: "sqlite", path: join(config.dataFolder, "latchkey.db") };

/** False when it is certain that nothing has been made there yet; what may not be looked at may well exist. */
export const mayExist = async (config: Config): Promise<boolean> => {
  const address = storeAddress(config);
  if (address.kind === "postgres") return true;
  try {
    await stat(address.path);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
};

export const outboxFolder = (config: Config): string => join(config.dataFolder, "outbox");

/** A store that was lost must not be replaced by an empty one without a word. */
const refuseLostStore = async (config: Config): Promise<void> => {
  if (config.rootKeys !== undefined || (await mayExist(config))) return;
  const address = storeAddress(config);
  const keys = join(config.dataFolder, "root.keys");
  const isLost = await stat(keys).then(
    () => true,
    () => false,
  );
  if (!isLost || address.kind === "postgres") return;
  throw new SetupFault(
    `There is ${keys}, but not the database that belongs to it, ${address.path}: put it back from a backup, or check LATCHKEY_DATA. To begin with an empty one, move that file away first.`,
  );
};

/** Makes the data folder, or says in one sentence why that can't be. */
const prepareFolder = async (config: Config): Promise<void> => {
  try {
    await makeFolder(config.dataFolder);
    if (!config.smtpUrl) await makeFolder(outboxFolder(config));
  } catch (error) {
    throw new SetupFault(
      `The data folder ${config.dataFolder} can't be used: ${reasonOf(error)}. Set LATCHKEY_DATA to a folder that this user may write.`,
      error,
    );
  }
};

/** The store of the settings, as it is: nothing is made, and nothing asked yet. */
export const storeOf = (
  config: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Store =>
  openStore(storeAddress(config), {
    clock,
    migrations,
    onPollFailed: (error) => log.warn("change_feed_unconfirmed", { error }),
  });

/**
 * Opens the store, and has it made ready before it is used.
 * @throws SetupFault when it can't be reached or read
 */
export const openReadyStore = async (
  config: Config,
  around: { readonly clock: Clock; readonly log: Log },
  makeReady: (store: Store) => Promise<void>,
): Promise<Store> => {
  await refuseLostStore(config);
  await prepareFolder(config);
  const address = storeAddress(config);
  const store = storeOf(config, around);
  try {
    await makeReady(store);
    return store;
  } catch (error) {
    await store.close().catch(() => undefined);
    if (error instanceof SetupFault) throw error;
    const what =
      address.kind === "sqlite"
        ? `The database ${address.path} can't be opened: ${reasonOf(error)}. Check that this user may read and write it.`
        : `The database of LATCHKEY_DATABASE_URL can't be reached: ${reasonOf(error)}. Check that it runs and that the URL is right.`;
    throw new SetupFault(what, error);
  }
};

/** Opens and migrates the store, and follows its changes. @throws SetupFault when it can't be reached or read */
export const openMigratedStore = (config: Config, clock: Clock, log: Log): Promise<Store> =>
  openReadyStore(config, { clock, log }, async (store) => {
    await store.migrate();
    await store.changes.start();
  });
