import type { KeyObject } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { day } from "../../kernel/clock.ts";
import { open, seal, type Place } from "../../kernel/crypto/envelope.ts";
import type { RootKeys } from "../../kernel/crypto/root-keys.ts";
import {
  exportPrivateKey,
  exportPublicKey,
  importPrivateKey,
  importPublicKey,
  kidFor,
  newSigningKey,
  toJwk,
  type PublicJwk,
} from "../../kernel/crypto/jwt/signing-keys.ts";
import type { Store, Tx } from "../../kernel/db/store.ts";
import type { Random } from "../../kernel/ids.ts";
import { endSigningKey, insertSigningKey, retireSigningKeys, signingKeys } from "../store/signing-keys.ts";

/** A session lives so long, and so does a retired key that may have signed one. */
export const sessionLifetimeMs = 28 * day;

export type SigningKeyState = "signs" | "verifies" | "ended";

export type SigningKeyStatus = {
  readonly kid: string;
  readonly createdAt: number;
  readonly state: SigningKeyState;
  /** Null while it signs. */
  readonly verifiesUntil: number | null;
  /** The `x` of its JWK. */
  readonly publicKey: string;
};

export type SigningKeys = {
  /** The newest key: it signs new sessions. */
  current(): Promise<{ readonly kid: string; readonly privateKey: KeyObject }>;
  /** Undefined for keys that are unknown, revoked, or retired for longer than a session lives. */
  verifier(kid: string): Promise<KeyObject | undefined>;
  publicKeys(): Promise<readonly PublicJwk[]>;
  /** A new key signs from now on; the old one verifies until its last session ends. Returns the new id. */
  rotate(alongside: (tx: Tx, kid: string) => Promise<void>): Promise<string>;
  /** Ends a key at once, and with it every session it signed. False when there is no such key. */
  revoke(kid: string, alongside: (tx: Tx, kid: string) => Promise<void>): Promise<boolean>;
};

type LoadedKey = {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly verifiesUntil: number | null;
};

type Loaded = {
  readonly keys: ReadonlyMap<string, LoadedKey>;
  readonly current: { readonly kid: string; readonly privateKey: KeyObject } | undefined;
};

const stateOf = (verifiesUntil: number | null, now: number): SigningKeyState => {
  if (verifiesUntil === null) return "signs";
  return verifiesUntil > now ? "verifies" : "ended";
};

/** Every key that ever signed, oldest first. Opens none: it works when the root keys are missing too. */
export const signingKeyStatus = async ({
  store,
  clock,
}: {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
}): Promise<readonly SigningKeyStatus[]> =>
  (await signingKeys(store.query)).map((row) => ({
    kid: row.kid,
    createdAt: row.created_at,
    state: stateOf(row.verifies_until, clock.now()),
    verifiesUntil: row.verifies_until,
    publicKey: row.public_key,
  }));

const placeOf = (kid: string): Place => ({ room: "accounts", row: kid, field: "signing_key", version: 1 });

export const createSigningKeys = (deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rootKeys: RootKeys;
}): SigningKeys => {
  const { store, clock } = deps;
  let kept: Loaded | undefined;
  store.changes.onChange((accountId) => {
    if (accountId === "all") kept = undefined;
  });

  const load = async (): Promise<Loaded> => {
    if (kept && store.changes.isCurrent()) return kept;
    const version = store.changes.version();
    const rows = await signingKeys(store.query);
    const newest = rows.findLast((row) => row.verifies_until === null);
    const loaded: Loaded = {
      keys: new Map(
        rows.map((row) => [
          row.kid,
          {
            kid: row.kid,
            publicKey: importPublicKey(row.public_key),
            verifiesUntil: row.verifies_until,
          },
        ]),
      ),
      current: newest && {
        kid: newest.kid,
        privateKey: importPrivateKey(open(deps.rootKeys, placeOf(newest.kid), newest.sealed_private_key))
          .privateKey,
      },
    };
    if (version === store.changes.version()) kept = loaded;
    return loaded;
  };

  const verifies = (key: LoadedKey): boolean => key.verifiesUntil === null || key.verifiesUntil > clock.now();

  /** One at a time, in whatever processes: two that look for the next free id must not find the same. */
  const changeKeys = <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> =>
    store.transaction(async (tx) => {
      await tx.alone();
      return work(tx);
    });

  const addKey = async (tx: Tx): Promise<string> => {
    const now = clock.now();
    const taken = new Set((await signingKeys(tx.query)).map((row) => row.kid));
    const kid = kidFor(now, taken);
    const { privateKey } = newSigningKey();
    await insertSigningKey(tx.query, {
      kid,
      public_key: exportPublicKey(privateKey),
      sealed_private_key: seal(deps.rootKeys, deps.random, placeOf(kid), exportPrivateKey(privateKey)),
      created_at: now,
      verifies_until: null,
    });
    tx.changed("all");
    return kid;
  };

  const current = async (): Promise<{ readonly kid: string; readonly privateKey: KeyObject }> => {
    const loaded = await load();
    if (loaded.current) return loaded.current;
    await changeKeys(async (tx) => {
      const rows = await signingKeys(tx.query);
      if (!rows.some((row) => row.verifies_until === null)) await addKey(tx);
    });
    // Where another process was first, nothing changed here that would have emptied it.
    kept = undefined;
    return current();
  };

  return {
    current,
    verifier: async (kid) => {
      let { keys } = await load();
      // Another process may sign with a key that the change feed has not told of yet.
      if (!keys.has(kid) && (await signingKeys(store.query)).some((row) => row.kid === kid)) {
        kept = undefined;
        ({ keys } = await load());
      }
      const key = keys.get(kid);
      return key && verifies(key) ? key.publicKey : undefined;
    },
    publicKeys: async () => {
      await current();
      return [...(await load()).keys.values()].filter(verifies).map((key) => toJwk(key.kid, key.publicKey));
    },
    rotate: (alongside) =>
      changeKeys(async (tx) => {
        await retireSigningKeys(tx.query, clock.now() + sessionLifetimeMs);
        const kid = await addKey(tx);
        await alongside(tx, kid);
        return kid;
      }),
    revoke: (kid, alongside) =>
      changeKeys(async (tx) => {
        if (!(await endSigningKey(tx.query, kid))) return false;
        const rows = await signingKeys(tx.query);
        if (!rows.some((row) => row.verifies_until === null)) await addKey(tx);
        await alongside(tx, kid);
        tx.changed("all");
        return true;
      }),
  };
};
