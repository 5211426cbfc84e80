/** Which root keys this store needs: noticed at start, before anything is sealed under the wrong one. */
import { sql } from "kysely";
import { hostname } from "node:os";

import type { Clock } from "../../clock.ts";
import type { Store, Tx } from "../../db/store.ts";
import type { KernelTables } from "../../db/tables.ts";
import { SetupFault } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import type { Random } from "../../ids.ts";
import type { Log } from "../../telemetry/log.ts";
import {
  givenRootKeys,
  rootKeyPath,
  rootKeyVariable,
  whereRootKeysAre,
  type RootKeySource,
} from "./given-root-keys.ts";
import { createRootKeyFile } from "./root-key-file.ts";
import { createRootKeyRing, type RootKeyRing } from "./root-key-ring.ts";
import { checkValue, type RootKeys } from "../root-keys.ts";

export type RegisteredKey = KernelTables["root_keys"];

export const registeredKeys = (query: Store["query"]): Promise<RegisteredKey[]> =>
  query.selectFrom("root_keys").selectAll().orderBy("id").execute();

/** Something is or was sealed under it, and no start goes without it. */
const isNeeded = ({ sealing_since: since, removed_at: removed }: RegisteredKey): boolean =>
  since !== null && removed === null;

/** The one that seals; undefined in a new store. */
export const sealingKey = (registered: readonly RegisteredKey[]): RegisteredKey | undefined =>
  registered
    .filter(isNeeded)
    .toSorted((one, other) => (one.sealing_since ?? 0) - (other.sealing_since ?? 0))
    .at(-1);

/** Announced: running processes are asked whether they have it. */
export const isAnnounced = ({ sealing_since: since, removed_at: removed }: RegisteredKey): boolean =>
  since === null && removed === null;

export type RootKeyFinding = {
  readonly id: string;
  /** What it does: one seals, every other one that was given opens. */
  readonly role: "seals" | "opens" | "missing" | "another key" | "removed";
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
  readonly config: RootKeySource;
}): Promise<{
  readonly where: string;
  readonly keys: RootKeys | undefined;
  readonly findings: readonly RootKeyFinding[];
}> => {
  const given = givenRootKeys(config);
  const registered = await registeredKeys(store.query);
  const sealing = sealingKey(registered)?.id ?? given?.current.id;
  const roleOf = (id: string): RootKeyFinding["role"] => {
    const row = registered.find((one) => one.id === id);
    if (row && row.removed_at !== null) return "removed";
    const key = given?.byId(id);
    if (!key) return "missing";
    if (row && row.check_value !== checkValue(key)) return "another key";
    return id === sealing ? "seals" : "opens";
  };
  const needed = registered.filter(isNeeded).map(({ id }) => id);
  const findings = [...new Set([...(given?.ids ?? []), ...needed])].map((id) => ({
    id,
    role: roleOf(id),
    needed: needed.includes(id),
  }));
  const current = sealing === undefined ? undefined : given?.byId(sealing);
  const keys = given && current ? { ...given, current } : given;
  return { where: whereRootKeysAre(config), keys, findings };
};

/** Any number that no other advisory lock of this database uses: "lkrk" in ASCII. */
const advisoryLock = 0x6c6b726b;

/** One process at a time looks which root keys there are and changes them. */
export const holdRootKeys = async (store: Pick<Store, "kind">, { query }: Tx): Promise<void> => {
  if (store.kind === "postgres") await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(query);
};

export type RootKeyRegistryDeps = {
  readonly store: Pick<Store, "kind" | "query" | "transaction" | "changes">;
  readonly config: RootKeySource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Log, "error">;
};

/**
 * The root keys, out of LATCHKEY_ROOT_KEYS or else of `<data>/root.keys`. Run it after the migrations. The very
 * first process of a store that was given no key makes that file; later ones only compare. The keys follow the store:
 * when another one is to seal, they know it as soon as the change feed told of it.
 *
 * @throws SetupFault naming the id that is missing or has another key, and where to supply it; or what is wrong
 * with the file or the variable
 */
export const loadRootKeys = async (deps: RootKeyRegistryDeps): Promise<RootKeys> => {
  let isStale = false;
  const toBeRead = (accountId: number | "all"): void => {
    if (accountId === "all") isStale = true;
  };
  // Before the registry is read for the first time: what changes meanwhile is told.
  deps.store.changes.onChange(toBeRead);
  const { keys, sealing } = await firstLook(deps);
  const ring = createRootKeyRing(keys, sealing, () => givenRootKeys(deps.config));

  let following: Promise<void> | undefined;
  const follow = async (): Promise<void> => {
    try {
      while (isStale) {
        isStale = false;
        await followRegistry(deps, ring);
      }
    } catch (error) {
      // Tried again with the next use.
      isStale = true;
      deps.log.error("root_keys_not_compared", { error });
    } finally {
      following = undefined;
    }
  };
  const catchUp = (): void => {
    if (isStale) following ??= follow();
  };
  deps.store.changes.onChange(catchUp);
  catchUp();
  await following;
  return {
    get current() {
      catchUp();
      return ring.current;
    },
    get ids() {
      return ring.ids;
    },
    byId: (id) => ring.byId(id),
  };
};

const followRegistry = async (
  { store, log }: Pick<RootKeyRegistryDeps, "store" | "log">,
  ring: RootKeyRing,
): Promise<void> => {
  try {
    ring.readAgain();
  } catch (error) {
    log.error("root_keys_not_read", { error });
  }
  const registered = await registeredKeys(store.query);
  await objectTo(store.query, registered, ring);
  const sealing = sealingKey(registered);
  const key = sealing && ring.byId(sealing.id);
  if (key && checkValue(key) === sealing.check_value) ring.sealWith(key);
  else if (sealing) log.error("root_key_missing", { rootKeyId: sealing.id });
};

/** @returns the keys that were given, and the one of them that seals */
const firstLook = ({ store, config, clock, random }: RootKeyRegistryDeps) => {
  const path = rootKeyPath(config);

  const made = async (): Promise<RootKeys> => {
    await makeFolder(config.dataFolder);
    return createRootKeyFile(path, random, clock);
  };

  // Files are read and written inside the transaction on purpose: of two processes that start at once, the second
  // must look for the file after the first has made it. The file is on disk before the registration commits, so
  // that after a crash in between the next start finds a key and an empty registry, never the reverse.
  return store.transaction(async (tx) => {
    await holdRootKeys(store, tx);
    const registered = await registeredKeys(tx.query);
    const needed = registered.filter(isNeeded);
    const keys = givenRootKeys(config) ?? (needed.length === 0 ? await made() : missing(needed, path));
    compare(needed, keys, config);
    await objectTo(tx.query, registered, keys);
    const sealing = sealingKey(registered);
    if (!sealing) await registerFirst(tx, keys, clock.now());
    return { keys, sealing: (sealing && keys.byId(sealing.id)) ?? keys.current };
  });
};

const missing = (needed: readonly RegisteredKey[], path: string): never => {
  const ids = needed.map(({ id }) => id).join(", ");
  throw new SetupFault(
    `This store was sealed under root key ${ids}, and no root key was given: put its file back at ${path}, or set ${rootKeyVariable}.`,
  );
};

const compare = (needed: readonly RegisteredKey[], keys: RootKeys, config: RootKeySource): void => {
  const [where, path] = [whereRootKeysAre(config), rootKeyPath(config)];
  const absent = needed.filter(({ id }) => keys.byId(id) === undefined).map(({ id }) => id);
  if (absent.length > 0) {
    const remedy =
      where === rootKeyVariable
        ? `add it to ${rootKeyVariable}, or unset the variable when ${path} has it`
        : `add its line to ${path}, or supply every key in ${rootKeyVariable}`;
    throw new SetupFault(
      `This store needs root key ${absent.join(", ")}, which ${where} does not have: ${remedy}.`,
    );
  }
  for (const { id, check_value: expected } of needed) {
    const key = keys.byId(id);
    if (key && checkValue(key) !== expected) {
      throw new SetupFault(
        `Root key ${id} in ${where} is not the one this store was sealed under: supply the original key of that id.`,
      );
    }
  }
};

/** Tells who rotates that this process was not given the key which is announced. */
const objectTo = async (
  query: Store["query"],
  registered: readonly RegisteredKey[],
  keys: RootKeys,
): Promise<void> => {
  for (const { id, check_value: expected } of registered.filter(isAnnounced)) {
    const key = keys.byId(id);
    if (key && checkValue(key) === expected) continue;
    await query
      .insertInto("root_key_absences")
      .values({ root_key_id: id, process: `${hostname()} (process ${process.pid})` })
      .onConflict((conflict) => conflict.columns(["root_key_id", "process"]).doNothing())
      .execute();
  }
};

/** Only the one that seals: a store does not need what has never sealed anything in it. */
const registerFirst = async ({ query }: Tx, { current }: RootKeys, now: number): Promise<void> => {
  await query
    .insertInto("root_keys")
    .values({
      id: current.id,
      check_value: checkValue(current),
      created_at: now,
      sealing_since: now,
      settled_at: now,
      removed_at: null,
    })
    .execute();
};
