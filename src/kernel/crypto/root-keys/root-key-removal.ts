/** A root key that nothing leans on any more is taken away. From then on the store itself refuses what it would seal. */
import type { Store, Tx } from "../../db/store.ts";
import { SetupFault } from "../../errors.ts";
import { givenRootKeys, rootKeyPath } from "./given-root-keys.ts";
import { dropRootKey } from "./root-key-file.ts";
import { holdRootKeys, registeredKeys, sealingKey, type RegisteredKey } from "./root-key-registry.ts";
import type { RotationDeps } from "./root-key-rotation.ts";
import {
  countByRootKey,
  forgetOverwritten,
  holdSealedColumns,
  nameOf,
  rewrapAll,
  type SealedColumn,
} from "../sealed-columns.ts";

export type RemovalDeps = Omit<RotationDeps, "hearingMs">;

export type Removal = {
  /** False when it had been removed before. */
  readonly removed: boolean;
  /** Whether it was taken out of the file; else it was not there. */
  readonly dropped: boolean;
  /** False: pages of the journal that were overwritten may still lie on the disk, until the server's next restart. */
  readonly forgotten: boolean;
};

/** How many sealed values lean on each root key, and in which column. */
export type Leaning = ReadonlyMap<string, ReadonlyMap<string, number>>;

export const countLeaning = async (
  store: Pick<Store, "kind">,
  query: Store["query"],
  columns: readonly SealedColumn[],
): Promise<Leaning> => {
  const leaning = new Map<string, Map<string, number>>();
  for (const at of columns) {
    for (const [id, values] of await countByRootKey(store, query, at)) {
      const places = leaning.get(id) ?? new Map<string, number>();
      leaning.set(id, places.set(nameOf(at), values));
    }
  }
  return leaning;
};

const refuseWhileInUse = (registered: readonly RegisteredKey[], id: string): RegisteredKey => {
  const sealing = sealingKey(registered);
  if (!registered.some((row) => row.id === id)) {
    const known = registered.filter((row) => row.removed_at === null).map((row) => row.id);
    throw new SetupFault(`The store knows no root key of that id; it has ${known.join(", ") || "none yet"}.`);
  }
  if (!sealing || sealing.id === id) {
    throw new SetupFault(`${id} is the root key that seals: rotate to another one first.`);
  }
  if (sealing.settled_at === null) {
    throw new SetupFault(
      `Not everything is wrapped by ${sealing.id} yet: bring the rotation to its end first, with latchkey root-keys rotate.`,
    );
  }
  return sealing;
};

/**
 * Nobody writes while it is counted; who comes behind finds the key removed. False when it had been before.
 * @throws SetupFault saying what still leans on it
 */
const remove = (
  { store, clock, columns }: RemovalDeps,
  id: string,
  alongside: (tx: Tx, id: string) => Promise<void>,
): Promise<boolean> =>
  store.transaction(async (tx) => {
    await holdRootKeys(store, tx);
    await holdSealedColumns(store, tx.query, columns);
    refuseWhileInUse(await registeredKeys(tx.query), id);
    const places = (await countLeaning(store, tx.query, columns)).get(id);
    if (places) {
      const list = [...places].map(([place, values]) => `${values} in ${place}`).join(", ");
      throw new SetupFault(`${id} was not removed, because sealed values lean on it: ${list}.`);
    }
    const removed = await tx.query
      .updateTable("root_keys")
      .set({ removed_at: clock.now() })
      .where("id", "=", id)
      .where("removed_at", "is", null)
      .returning("id")
      .executeTakeFirst();
    if (!removed) return false;
    await alongside(tx, id);
    tx.changed("all");
    return true;
  });

/**
 * Takes a root key out of the store's list and out of the file, when nothing leans on it.
 *
 * @param alongside in the transaction that removes it
 * @throws SetupFault when it seals, or something leans on it
 */
export const removeRootKey = async (
  deps: RemovalDeps,
  id: string,
  alongside: (tx: Tx, id: string) => Promise<void>,
): Promise<Removal> => {
  const { store, config, random, columns } = deps;
  const sealing = refuseWhileInUse(await registeredKeys(store.query), id);
  const given = givenRootKeys(config);
  const current = given?.byId(sealing.id);
  // What a process sealed that heard of the rotation late.
  if (given && current) await rewrapAll({ store, random, keys: { ...given, current } }, columns);
  const removed = await remove(deps, id, alongside);
  const forgotten = await forgetOverwritten(store);
  // Last: were it the other way about, a crash in between would leave a store that needs what is gone.
  const dropped = !config.rootKeys && (await dropRootKey(rootKeyPath(config), random, id));
  return { removed, dropped, forgotten };
};
