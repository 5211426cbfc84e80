/** Which root keys this store needs: noticed at start, before anything is sealed under the wrong one. */
import { sql, type Transaction } from "kysely";
import { join } from "node:path";

import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Store } from "../db/store.ts";
import { makeFolder } from "../folder.ts";
import type { KernelTables } from "../db/tables.ts";
import { SetupFault } from "../errors.ts";
import type { Random } from "../ids.ts";
import { createRootKeyFile, readRootKeyFile } from "./root-key-file.ts";
import { checkValue, parseRootKeys, type RootKeys } from "./root-keys.ts";

export type RootKeyRegistryDeps = {
  readonly store: Pick<Store, "kind" | "transaction">;
  readonly config: Pick<Config, "rootKeys" | "dataFolder">;
  readonly clock: Clock;
  readonly random: Random;
};

export type RootKeyFinding = {
  readonly id: string;
  /** What it does: the current one seals, every other one that was given opens. */
  readonly role: "seals" | "opens" | "missing" | "another key";
  /** Whether the store was used under it: then no start succeeds without it. */
  readonly needed: boolean;
};

/**
 * The root keys that were given, beside those that the store needs. Makes and registers nothing.
 *
 * @throws SetupFault saying what is wrong with the file or the variable
 */
export const inspectRootKeys = async ({
  store,
  config,
}: {
  readonly store: Pick<Store, "query">;
  readonly config: Pick<Config, "rootKeys" | "dataFolder">;
}): Promise<{
  readonly where: string;
  readonly keys: RootKeys | undefined;
  readonly findings: readonly RootKeyFinding[];
}> => {
  const { keys, where } = (await findGiven(config)) ?? { keys: undefined, where: pathIn(config) };
  const needed = await store.query
    .selectFrom("root_keys")
    .select(["id", "check_value"])
    .orderBy("id")
    .execute();
  const roleOf = (id: string): RootKeyFinding["role"] => {
    const key = keys?.byId(id);
    if (!key) return "missing";
    if (needed.some((row) => row.id === id && row.check_value !== checkValue(key))) return "another key";
    return key.id === keys?.current.id ? "seals" : "opens";
  };
  const ids = new Set([...(keys?.ids ?? []), ...needed.map(({ id }) => id)]);
  const findings = [...ids].map((id) => ({
    id,
    role: roleOf(id),
    needed: needed.some((row) => row.id === id),
  }));
  return { where, keys, findings };
};

type Given = { readonly keys: RootKeys; readonly where: string };

const variable = "LATCHKEY_ROOT_KEYS";
/** Any number that no other advisory lock of this database uses: "lkrk" in ASCII. */
const advisoryLock = 0x6c6b726b;

const pathIn = (config: Pick<Config, "dataFolder">): string => join(config.dataFolder, "root.keys");

const findGiven = async (config: RootKeyRegistryDeps["config"]): Promise<Given | undefined> => {
  if (config.rootKeys) return { keys: parseRootKeys(config.rootKeys.reveal(), variable), where: variable };
  const path = pathIn(config);
  const keys = await readRootKeyFile(path);
  return keys && { keys, where: path };
};

/**
 * The root keys, out of LATCHKEY_ROOT_KEYS or else of `<data>/root.keys`. Run it after the migrations. The very
 * first process of a store that was given no key makes that file; later ones only compare.
 *
 * @throws SetupFault naming the id that is missing or has another key, and where to supply it; or what is wrong
 * with the file or the variable
 */
export const loadRootKeys = ({ store, config, clock, random }: RootKeyRegistryDeps): Promise<RootKeys> => {
  const path = pathIn(config);

  const made = async (): Promise<Given> => {
    await makeFolder(config.dataFolder);
    return { keys: await createRootKeyFile(path, random, clock), where: path };
  };

  // Files are read and written inside the transaction on purpose: of two processes that start at once, the second
  // must look for the file after the first has made it. The file is on disk before the registration commits, so
  // that after a crash in between the next start finds a key and an empty registry, never the reverse.
  return store.transaction(async ({ query }) => {
    if (store.kind === "postgres") await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(query);
    const registered = await query
      .selectFrom("root_keys")
      .select(["id", "check_value"])
      .orderBy("id")
      .execute();
    const { keys, where } =
      (await findGiven(config)) ?? (registered.length === 0 ? await made() : missing(registered, path));
    compare(registered, keys, where, path);
    await register(query, keys, new Set(registered.map(({ id }) => id)), clock.now());
    return keys;
  });
};

type Registered = ReadonlyArray<{ readonly id: string; readonly check_value: string }>;

const missing = (registered: Registered, path: string): never => {
  const ids = registered.map(({ id }) => id).join(", ");
  throw new SetupFault(
    `This store was sealed under root key ${ids}, and no root key was given: put its file back at ${path}, or set ${variable}.`,
  );
};

const compare = (registered: Registered, keys: RootKeys, where: string, path: string): void => {
  const absent = registered.filter(({ id }) => keys.byId(id) === undefined).map(({ id }) => id);
  if (absent.length > 0) {
    const remedy =
      where === variable
        ? `add it to ${variable}, or unset the variable when ${path} has it`
        : `add its line to ${path}, or supply every key in ${variable}`;
    throw new SetupFault(
      `This store needs root key ${absent.join(", ")}, which ${where} does not have: ${remedy}.`,
    );
  }
  for (const { id, check_value } of registered) {
    const key = keys.byId(id);
    if (key && checkValue(key) !== check_value) {
      throw new SetupFault(
        `Root key ${id} in ${where} is not the one this store was sealed under: supply the original key of that id.`,
      );
    }
  }
};

const register = async (
  query: Transaction<KernelTables>,
  keys: RootKeys,
  registered: ReadonlySet<string>,
  now: number,
): Promise<void> => {
  // Only the one that seals: a store does not need what has never sealed anything in it.
  const { current } = keys;
  if (registered.has(current.id)) return;
  await query
    .insertInto("root_keys")
    .values({ id: current.id, check_value: checkValue(current), created_at: now })
    .execute();
};
