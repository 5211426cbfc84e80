import type { Kysely } from "kysely";
import { DEFAULT_MIGRATION_TABLE, Migrator, type Migration } from "kysely/migration";
import { SetupFault } from "../errors.ts";
import type { KernelTables } from "./tables.ts";

/** By name; they run in the order of their names, once each. */
export type Migrations = Readonly<Record<string, Migration>>;

const migratorOf = (db: Kysely<KernelTables>, migrations: Migrations): Migrator =>
  new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });

/** What the store has been brought to, and what it still needs. Changes nothing. */
export type MigrationState = { readonly applied: readonly string[]; readonly pending: readonly string[] };

/** @throws SetupFault when the store is of a newer version than this */
export const migrationState = async (
  db: Kysely<KernelTables>,
  migrations: Migrations,
): Promise<MigrationState> => {
  await refuseNewer(db, migrations);
  const all = await migratorOf(db, migrations).getMigrations();
  return {
    applied: all.filter(({ executedAt }) => executedAt !== undefined).map(({ name }) => name),
    pending: all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name),
  };
};

/** Kysely sees only that a migration is missing; an operator who went back to an older version wants to know which. */
const refuseNewer = async (db: Kysely<KernelTables>, migrations: Migrations): Promise<void> => {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return;
  const rows = await db
    .$extendTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .orderBy("name")
    .execute();
  const unknown = rows.filter(({ name }) => !Object.hasOwn(migrations, name)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new SetupFault(
      `The store was made by a newer Latchkey (it has ${unknown.join(", ")}): run that version, or go back to a copy of the store from before.`,
    );
  }
};

/**
 * Brings the store to the newest form. Several processes may start at once: the first one migrates under a
 * lock, the others find it done.
 * @returns the names of the migrations that were applied.
 */
export const migrateToLatest = async (
  db: Kysely<KernelTables>,
  migrations: Migrations,
): Promise<readonly string[]> => {
  await refuseNewer(db, migrations);
  const { error, results = [] } = await migratorOf(db, migrations).migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === "Error");
    const reason = error instanceof Error ? error.message : "the reason is unknown";
    throw new SetupFault(
      failed
        ? `Migration ${failed.migrationName} failed and was rolled back: ${reason}`
        : `The store could not be migrated: ${reason}`,
      error,
    );
  }
  return results.map((result) => result.migrationName);
};
