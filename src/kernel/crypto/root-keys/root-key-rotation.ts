/**
 * Another root key takes over from the one that seals, while servers work. It is made and announced; running servers
 * that do not have it object; it seals; every data key is wrapped anew under it. Each step is written down before the
 * next begins, so that whoever comes after a process that died goes on where that one stood.
 */
import { setTimeout as wait } from "node:timers/promises";

import type { Clock } from "../../clock.ts";
import type { Store, Tx } from "../../db/store.ts";
import { SetupFault } from "../../errors.ts";
import type { Random } from "../../ids.ts";
import { givenRootKeys, rootKeyPath, rootKeyVariable, type RootKeySource } from "./given-root-keys.ts";
import { addRootKey } from "./root-key-file.ts";
import { holdRootKeys, isAnnounced, registeredKeys, sealingKey } from "./root-key-registry.ts";
import { checkValue, type RootKey, type RootKeys } from "../root-keys.ts";
import { rewrapAll, type SealedColumn, type Stuck } from "../sealed-columns.ts";

export type RotationDeps = {
  readonly store: Store;
  readonly config: RootKeySource;
  readonly clock: Clock;
  readonly random: Random;
  readonly columns: readonly SealedColumn[];
  /** How long running processes have to object, and then to have changed over. */
  readonly hearingMs: number;
};

export type Rotation = {
  /** The key that seals now. */
  readonly id: string;
  /** Whether it had begun before, and was only brought to its end. */
  readonly resumed: boolean;
  readonly rewrapped: number;
  /** What stays wrapped by another key. */
  readonly stuck: readonly Stuck[];
};

/** Running processes read the change feed four times a second, and stop relying on it when they can't. */
export const hearingMs = 1000;

type Begun = { readonly key: RootKey; readonly seals: boolean };

const keysOf = (config: RootKeySource): RootKeys => {
  const keys = givenRootKeys(config);
  if (!keys) throw new SetupFault(`${rootKeyPath(config)} is gone: put it back.`);
  return keys;
};

const keyNamed = (keys: RootKeys, id: string): RootKey => {
  const key = keys.byId(id);
  if (key) return key;
  throw new SetupFault(
    `Root key ${id} is to seal, and it was not given here: supply it, and run this again.`,
  );
};

/** A key that the store has not seen; made where there is a file to put it in. */
const newKey = async ({ config, random, clock }: RotationDeps, known: ReadonlySet<string>) => {
  const keys = keysOf(config);
  const unused = keys.ids.find((id) => !known.has(id));
  if (unused !== undefined) return keyNamed(keys, unused);
  if (config.rootKeys) {
    throw new SetupFault(
      `${rootKeyVariable} has no key that is new: append ",ID:$(openssl rand -base64 32)" to it, restart every server with both keys, and run this again with the same value.`,
    );
  }
  const id = await addRootKey(rootKeyPath(config), { random, clock }, new Set([...known, ...keys.ids]));
  return keyNamed(keysOf(config), id);
};

/** Finds where a rotation stands, or begins one. The file is on disk before the announcement is committed. */
const begin = (deps: RotationDeps): Promise<Begun> =>
  deps.store.transaction(async (tx) => {
    await holdRootKeys(deps.store, tx);
    const registered = await registeredKeys(tx.query);
    const sealing = sealingKey(registered);
    if (sealing && sealing.settled_at === null) {
      return { key: keyNamed(keysOf(deps.config), sealing.id), seals: true };
    }
    const announced = registered.find(isAnnounced);
    const key = announced
      ? keyNamed(keysOf(deps.config), announced.id)
      : await newKey(deps, new Set(registered.map(({ id }) => id)));
    if (!announced) {
      await tx.query
        .insertInto("root_keys")
        .values({
          id: key.id,
          check_value: checkValue(key),
          created_at: deps.clock.now(),
          sealing_since: null,
          settled_at: null,
          removed_at: null,
        })
        .execute();
    }
    tx.changed("all");
    return { key, seals: false };
  });

/** @returns the processes that do not have the key; then nothing has changed */
const takeOver = (
  { store, clock }: RotationDeps,
  { id }: RootKey,
  alongside: (tx: Tx, id: string) => Promise<void>,
): Promise<readonly string[]> =>
  store.transaction(async (tx) => {
    await holdRootKeys(store, tx);
    const absent = await tx.query
      .selectFrom("root_key_absences")
      .select("process")
      .where("root_key_id", "=", id)
      .orderBy("process")
      .execute();
    if (absent.length > 0) {
      await tx.query
        .deleteFrom("root_keys")
        .where("id", "=", id)
        .where("sealing_since", "is", null)
        .execute();
      return absent.map((one) => one.process);
    }
    const former = sealingKey(await registeredKeys(tx.query));
    // Later than the one before, whatever this machine's clock says.
    const since = Math.max(clock.now(), (former?.sealing_since ?? 0) + 1);
    const taken = await tx.query
      .updateTable("root_keys")
      .set({ sealing_since: since })
      .where("id", "=", id)
      .where("sealing_since", "is", null)
      .returning("id")
      .executeTakeFirst();
    // Of two that rotate at once, one tells.
    if (taken) await alongside(tx, id);
    else if (former?.id !== id)
      throw new SetupFault(`Root key ${id} was taken back meanwhile: run this again.`);
    tx.changed("all");
    return [];
  });

const settle = ({ store, clock }: RotationDeps, id: string): Promise<void> =>
  store.transaction(async (tx) => {
    await tx.query
      .updateTable("root_keys")
      .set({ settled_at: clock.now() })
      .where("id", "=", id)
      .where("settled_at", "is", null)
      .execute();
    // What processes have read before is wrapped by the former key.
    tx.changed("all");
  });

/**
 * Rotates to a new root key, or brings the rotation to its end that had begun.
 *
 * @param alongside in the transaction with which the new key begins to seal
 * @throws SetupFault when there is no key to rotate to, it can't be written, or a running server does not have it
 */
export const rotateRootKey = async (
  deps: RotationDeps,
  alongside: (tx: Tx, id: string) => Promise<void>,
): Promise<Rotation> => {
  const { key, seals } = await begin(deps);
  if (!seals) {
    await wait(deps.hearingMs);
    const absent = await takeOver(deps, key, alongside);
    if (absent.length > 0) {
      throw new SetupFault(
        `Nothing was changed, because not every running server has root key ${key.id}: ${absent.join(", ")}. Copy its line into their root.keys, or add it to their ${rootKeyVariable} and restart them; then run this again.`,
      );
    }
  }
  const keys: RootKeys = { ...keysOf(deps.config), current: key };
  const work = { store: deps.store, random: deps.random, keys };
  const startedAt = performance.now();
  const first = await rewrapAll(work, deps.columns);
  // By then nobody seals with the former key any more.
  await wait(Math.max(0, deps.hearingMs - (performance.now() - startedAt)));
  const last = await rewrapAll(work, deps.columns);
  await settle(deps, key.id);
  return {
    id: key.id,
    resumed: seals,
    rewrapped: first.rewrapped + last.rewrapped,
    stuck: last.stuck,
  };
};
