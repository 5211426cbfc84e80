/** The root keys of a running process: keys are added to them, and another one begins to seal, while it works. */
import type { RootKey, RootKeys } from "../root-keys.ts";

export type RootKeyRing = RootKeys & {
  /** Takes in what is given now. A key that was taken away since opens until the process ends. */
  readAgain(): void;
  /** Has this key seal from now on. */
  sealWith(key: RootKey): void;
};

/** @param given the keys as they are given at that moment, in their order; it may throw */
export const createRootKeyRing = (
  first: RootKeys,
  sealing: RootKey,
  given: () => RootKeys | undefined,
): RootKeyRing => {
  const known = new Map<string, RootKey>();
  const takeIn = (keys: RootKeys | undefined): void => {
    for (const id of keys?.ids ?? []) {
      const key = keys?.byId(id);
      if (key && !known.has(id)) known.set(id, key);
    }
  };
  takeIn(first);
  let current = sealing;
  const readAgain = (): void => takeIn(given());

  return {
    get current() {
      return current;
    },
    get ids() {
      return [current.id, ...[...known.keys()].filter((id) => id !== current.id)];
    },
    byId: (id) => {
      if (!known.has(id)) {
        try {
          // Another process may seal with a key that this one has not been told of yet.
          readAgain();
        } catch {
          // Then it is not at hand, which is what the caller hears.
        }
      }
      return known.get(id);
    },
    readAgain,
    sealWith: (key) => {
      current = key;
    },
  };
};
