import type { Kysely } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { SetupFault } from "../errors.ts";
import type { KernelTables } from "./tables.ts";

/** By name; they run in the order of their names, once each. */
export type Migrations = Readonly<Record<string, Migration>>;

/**
 * Brings the store to the newest form. Several processes may start at once: the first one migrates under a
 * lock, the others find it done.
 * @returns the names of the migrations that were applied.
 */
export const migrateToLatest = async (
  db: Kysely<KernelTables>,
  migrations: Migrations,
): Promise<readonly string[]> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === "Error");
    const reason = error instanceof Error ? error.message : String(error);
    throw new SetupFault(
      failed
        ? `Migration ${failed.migrationName} failed and was rolled back: ${reason}`
        : `The store could not be migrated: ${reason}`,
      error,
    );
  }
  return results.map((result) => result.migrationName);
};
