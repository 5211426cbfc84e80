import { stat } from "node:fs/promises";
import { mayExist, storeAddress } from "#app/open-store.ts";
import type { Config } from "#kernel/config.ts";
import { faultsOfFile, tryWriting } from "#kernel/db/inspect.ts";
import type { Store } from "#kernel/db/store.ts";
import { reasonOf, SetupFault } from "#kernel/errors.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

export type StoreFindings = {
  readonly findings: readonly Finding[];
  /** Whether the tables are there as this version has them, so that further questions make sense. */
  readonly hasTables: boolean;
};

const remedies = {
  sqlite:
    "Check that this user may read and write the file and its folder, and go back to a copy if it is damaged.",
  postgres:
    "Check that the database runs, that the URL is right, and that its user may write and make tables.",
};

const whereOf = (config: Config): string => {
  const address = storeAddress(config);
  return address.kind === "sqlite" ? `The database ${address.path}` : "The database of LATCHKEY_DATABASE_URL";
};

/** Undefined when there may be a store. */
export const checkExistence = async (config: Config): Promise<Finding | undefined> => {
  const address = storeAddress(config);
  if (address.kind === "postgres" || (await mayExist(config))) return undefined;
  return warn(
    "store",
    `There is no database at ${address.path} yet.`,
    "The first start makes it. If there should be one, check LATCHKEY_DATA.",
  );
};

const checkPrivacy = async (config: Config): Promise<Finding | undefined> => {
  const address = storeAddress(config);
  if (address.kind === "postgres" || process.platform === "win32") return undefined;
  if (((await stat(address.path)).mode & 0o077) === 0) return undefined;
  return warn(
    "store",
    `${address.path} can be read by other users of this machine.`,
    `Run: chmod 600 '${address.path}'*`,
  );
};

const checkMigrations = (applied: readonly string[], pending: readonly string[]): Finding => {
  if (pending.length === 0)
    return ok("migrations", `All ${applied.length} are applied, up to ${applied.at(-1)}.`);
  return warn(
    "migrations",
    applied.length === 0 ? "The database is empty." : `Not applied yet: ${pending.join(", ")}.`,
    'They are applied when the server starts, or by "latchkey migrate".',
  );
};

const checkIntegrity = async (store: Store): Promise<readonly Finding[]> => {
  if (store.kind === "postgres") return [];
  const [fault] = await faultsOfFile(store);
  if (fault === undefined)
    return [ok("integrity", "The quick check of the database file found nothing wrong.")];
  return [
    fail(
      "integrity",
      `The database file is damaged: ${fault}.`,
      "Stop the server and go back to the last good copy.",
    ),
  ];
};

/** Whether the store answers, can be written, is of this version, and is sound. */
export const checkStore = async (store: Store, config: Config): Promise<StoreFindings> => {
  try {
    const { applied, pending } = await store.migrationState();
    await tryWriting(store, applied.length > 0);
    const answers =
      (await checkPrivacy(config)) ?? ok("store", `${whereOf(config)} answers and can be written.`);
    const findings = [answers, checkMigrations(applied, pending), ...(await checkIntegrity(store))];
    return { findings, hasTables: applied.length > 0 && pending.length === 0 };
  } catch (error) {
    if (error instanceof SetupFault) {
      return {
        findings: [fail("migrations", error.message, "Compare the versions of all servers of this store.")],
        hasTables: false,
      };
    }
    const finding = fail(
      "store",
      `${whereOf(config)} can't be used: ${reasonOf(error)}.`,
      remedies[store.kind],
    );
    return { findings: [finding], hasTables: false };
  }
};
