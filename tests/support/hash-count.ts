// How often, at which cost and on how long a text the real Argon2 ran: what an attacker makes the server work, and
// what a stopwatch could see of it. count-hashes.ts puts the counter in front of the library.

import type * as Argon2 from "@node-rs/argon2";

export type Hashing = {
  readonly kind: "hash" | "verify";
  /** Parameters of the hash, such as `m=64,t=1,p=1`. */
  readonly cost: string;
  readonly characters: number;
};

const done: Hashing[] = [];

const costOf = (phc: string | Uint8Array): string =>
  /m=\d+,t=\d+,p=\d+/.exec(String(phc))?.[0] ?? "unreadable";

export const counted = (real: typeof Argon2): typeof Argon2 => ({
  ...real,
  hash: (password, options, signal) => {
    const { memoryCost, timeCost, parallelism } = options ?? {};
    const cost = `m=${memoryCost},t=${timeCost},p=${parallelism}`;
    done.push({ kind: "hash", cost, characters: password.length });
    return real.hash(password, options, signal);
  },
  verify: (phc, password, options, signal) => {
    done.push({ kind: "verify", cost: costOf(phc), characters: password.length });
    return real.verify(phc, password, options, signal);
  },
});

/** What was hashed while the work ran. */
export const hashedDuring = async (work: () => Promise<unknown>): Promise<readonly Hashing[]> => {
  const before = done.length;
  await work();
  return done.slice(before);
};
