// What an operator does at the command line, by the rooms' own use cases: at the house's own store, or from a store
// handle of its own, as another process of the same store has one.

import { createSigningKeys, type Peer } from "#accounts";
import { openMigratedStore } from "#app/compose.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { loadRootKeys } from "#kernel/crypto/root-key-registry.ts";
import type { RootKeys } from "#kernel/crypto/root-keys.ts";
import type { Store } from "#kernel/db/store.ts";
import { systemRandom } from "#kernel/ids.ts";
import { createAudit } from "#kernel/telemetry/audit.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { lockAccount, unlockAccount } from "../../src/accounts/lock-account.ts";

export type Operator = {
  readonly store: Store;
  readonly rootKeys: RootKeys;
  /** The key that signs now, private half and all. */
  signingKey: ReturnType<typeof createSigningKeys>["current"];
  /** @returns the new key's id */
  rotate(): Promise<string>;
  revoke(kid: string): Promise<boolean>;
  lock(accountId: number): Promise<void>;
  unlock(accountId: number): Promise<void>;
};

type Place = { readonly config: Config; readonly clock: Clock };

const peer: Peer = { address: "127.0.0.1", network: "127.0.0.1", userAgent: "a terminal", requestId: "" };

const nothingElse = async (): Promise<void> => {};

const operatorOf = async (store: Store, { config, clock }: Place): Promise<Operator> => {
  const random = systemRandom;
  const rootKeys = await loadRootKeys({ store, config, clock, random });
  const keys = createSigningKeys({ store, clock, random, rootKeys });
  const deps = { store, clock, audit: createAudit({ store, clock }) };
  const lock = lockAccount(deps);
  const unlock = unlockAccount(deps);
  return {
    store,
    rootKeys,
    signingKey: keys.current,
    rotate: () => keys.rotate(nothingElse),
    revoke: (kid) => keys.revoke(kid, nothingElse),
    lock: (accountId) => lock(accountId, peer),
    unlock: (accountId) => unlock(accountId, peer),
  };
};

/** Works through the house's own store, so that the house knows at once. */
export const operatorIn = (
  house: Place & { readonly inside: { readonly store: Store } },
): Promise<Operator> => operatorOf(house.inside.store, house);

/** Works as a process of its own would: running ones have to learn of it. */
export const withOperator = async <Result>(
  place: Place,
  work: (operator: Operator) => Promise<Result>,
): Promise<Result> => {
  const store = await openMigratedStore(
    place.config,
    place.clock,
    createLog({ level: "silent", clock: place.clock }),
  );
  try {
    return await work(await operatorOf(store, place));
  } finally {
    await store.close();
  }
};
