// An empty store, migrated once a run: most tests begin on a copy of it, and are not about migrations.

import { join } from "node:path";
import { migrations } from "#migrations";
import { systemClock } from "#kernel/clock.ts";
import { openStore, type StoreAddress } from "#kernel/db/store.ts";
import type { StoreUnderTest } from "./provided.ts";
import { createDatabase } from "./postgres.ts";

const migrate = async (address: StoreAddress): Promise<void> => {
  const store = openStore(address, { clock: systemClock, migrations, onPollFailed: () => undefined });
  try {
    await store.migrate();
  } finally {
    await store.close();
  }
};

/** @param folder for its file */
export const sqliteUnderTest = async (folder: string): Promise<StoreUnderTest> => {
  const path = join(folder, "migrated.db");
  await migrate({ kind: "sqlite", path });
  return { kind: "sqlite", migrated: path };
};

/** @param adminUrl of the server that it is on */
export const postgresUnderTest = async (adminUrl: string): Promise<StoreUnderTest> => {
  const { name, url } = await createDatabase(adminUrl);
  await migrate({ kind: "postgres", url });
  return { kind: "postgres", adminUrl, migrated: name };
};
