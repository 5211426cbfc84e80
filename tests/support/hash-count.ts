// How often, at which cost and on how long a text the real Argon2 ran: what an attacker makes the server work, and
// what a stopwatch could see of it. And the moment behind a hash, held by hand: what happens then happens between two
// steps. count-hashes.ts puts both in front of the library.

import type * as Argon2 from "@node-rs/argon2";

export type Hashing = {
  readonly kind: "hash" | "verify";
  /** Parameters of the hash, such as `m=64,t=1,p=1`. */
  readonly cost: string;
  readonly characters: number;
};

const done: Hashing[] = [];

/** The hash that is to be held, by how many are let through before it. */
let hold: { before: number; readonly arrived: () => void; readonly released: Promise<void> } | undefined;

const pass = async <Result>(work: Promise<Result>): Promise<Result> => {
  if (!hold || hold.before-- > 0) return work;
  const { arrived, released } = hold;
  hold = undefined;
  const result = await work;
  arrived();
  await released;
  return result;
};

const costOf = (phc: string | Uint8Array): string =>
  /m=\d+,t=\d+,p=\d+/.exec(String(phc))?.[0] ?? "unreadable";

/** How often it ran so far. */
export const hashCount = (): number => done.length;

let held: Promise<void> | undefined;

/** Whoever hashes while the work runs is done only after it: the queue in front of the hash is as long as one likes. */
export const holdingHashes = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  let release = (): void => undefined;
  held = new Promise((resolve) => {
    release = resolve;
  });
  try {
    return await work();
  } finally {
    held = undefined;
    release();
  }
};

export const counted = (real: typeof Argon2): typeof Argon2 => ({
  ...real,
  hash: async (password, options, signal) => {
    const { memoryCost, timeCost, parallelism } = options ?? {};
    const cost = `m=${memoryCost},t=${timeCost},p=${parallelism}`;
    done.push({ kind: "hash", cost, characters: password.length });
    await held;
    return pass(real.hash(password, options, signal));
  },
  verify: (phc, password, options, signal) => {
    done.push({ kind: "verify", cost: costOf(phc), characters: password.length });
    return pass(real.verify(phc, password, options, signal));
  },
});

/** What was hashed while the work ran. */
export const hashedDuring = async (work: () => Promise<unknown>): Promise<readonly Hashing[]> => {
  const before = done.length;
  await work();
  return done.slice(before);
};

/**
 * Holds a hash, its result known and not yet told, and its place at the gate taken, while the work is done.
 *
 * @param call what hashes
 * @param meanwhile what happens behind its back
 * @param which of the call's hashes, counted from 1
 * @returns what the call came to
 */
export const whileHashing = async <Result>(
  call: () => Promise<Result>,
  meanwhile: () => Promise<unknown>,
  which = 1,
): Promise<Result> => {
  const { promise: begun, resolve: arrived } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  hold = { before: which - 1, arrived, released };
  const called = call();
  try {
    // A call that ends without a hash would be waited for in vain.
    const isOver = await Promise.race([begun.then(() => false), called.then(() => true)]);
    if (isOver) throw new Error("The hash that was to be held did not come.");
    await meanwhile();
  } finally {
    hold = undefined;
    release();
  }
  return called;
};
