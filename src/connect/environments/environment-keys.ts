import { minute, type Clock } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import type { Store } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import type { Guard } from "../../kernel/http/route.ts";
import { newHexId, type Random } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import { feedIdOf, type KeyHolder } from "../model/environment.ts";
import type { Scope } from "../model/scopes.ts";
import { keyByDigest, touchKeys } from "../store/environments.ts";
import { refusals } from "../model/refusals.ts";

/** `lk_<environment>_` and 256 random bits: who finds one lying about sees what it opens. */
export const newEnvironmentKey = (random: Random, environment: string): Secret =>
  new Secret(`lk_${environment}_${newHexId(random)}${newHexId(random)}`);

/** How long the "last used" of keys is collected before it is written. */
const touchEveryMs = minute;

export type EnvironmentKeys = {
  /** Lets a key in that has one of the scopes; any key, where none is named. */
  readonly guard: (...anyOf: readonly Scope[]) => Guard<KeyHolder>;
  /** Who holds this key; undefined when nobody does. */
  readonly holderOf: (key: Secret) => KeyHolder | undefined | Promise<KeyHolder | undefined>;
  /** Writes down when keys were last used. */
  readonly flushUsed: () => Promise<void>;
};

type Deps = { readonly store: Store; readonly clock: Clock };

const keyRefuses = [refusals.missing_auth_header, refusals.malformed_auth_header, refusals.unknown_account];

/**
 * API keys of environments, looked up by digest: what the comparison takes tells nothing about a key. Who holds one is
 * kept until the environment changes.
 */
export const createEnvironmentKeys = ({ store, clock }: Deps): EnvironmentKeys => {
  const cache = createFreshCache<KeyHolder>(store.changes, { max: 10_000 });
  const used = new Map<number, number>();

  const read = async (digest: string): Promise<{ accountId: number; value: KeyHolder } | undefined> => {
    const key = await keyByDigest(store.query, digest);
    if (!key) return undefined;
    const { environment, id, name, scopes } = key;
    const value = { environment, keyId: id, keyName: name, scopes: new Set(scopes) };
    return { accountId: feedIdOf(environment.id), value };
  };

  const noteUse = (holder: KeyHolder): void => {
    const now = clock.now();
    if (now - (used.get(holder.keyId) ?? 0) >= touchEveryMs) used.set(holder.keyId, now);
  };

  const holderOf = (key: Secret): KeyHolder | undefined | Promise<KeyHolder | undefined> => {
    const digest = sha256Hex(key.reveal());
    return cache.get(digest) ?? cache.load(digest, () => read(digest));
  };

  const admit = async (incoming: Incoming, anyOf: readonly Scope[]): Promise<KeyHolder> => {
    const key = incoming.bearer();
    if (key === "missing") throw new Refusal(refusals.missing_auth_header);
    if (key === "malformed") throw new Refusal(refusals.malformed_auth_header);
    const found = holderOf(key);
    const holder = found instanceof Promise ? await found : found;
    if (!holder) throw new Refusal(refusals.unknown_account);
    if (anyOf.length > 0 && !anyOf.some((scope) => holder.scopes.has(scope))) {
      throw new Refusal(refusals.forbidden, { text: `This key lacks the scope ${anyOf.join(" or ")}` });
    }
    noteUse(holder);
    return holder;
  };

  return {
    guard: (...anyOf) => ({
      admits: "API key",
      refuses: anyOf.length > 0 ? [...keyRefuses, refusals.forbidden] : keyRefuses,
      admit: (incoming) => admit(incoming, anyOf),
    }),
    holderOf,
    flushUsed: async () => {
      if (used.size === 0) return;
      const batch = new Map(used);
      await store.transaction((tx) => touchKeys(tx.query, batch), "patient");
      // Kept until then: a store that is away for a moment must not make a key look unused.
      for (const [id, at] of batch) if (used.get(id) === at) used.delete(id);
    },
  };
};
