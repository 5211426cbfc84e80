import { LRUCache } from "lru-cache";
import { hour } from "../../kernel/clock.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Refundable } from "../../kernel/limits/tries.ts";
import type { Secret } from "../../kernel/secret.ts";
import { isOpen, type Account, type Peer, type Principal } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { refusals } from "../model/refusals.ts";
import { accountById } from "../store/accounts.ts";
import { passwordTags } from "./password-tags.ts";
import { recordSometimes } from "./record-sometimes.ts";
import { tryPassword, tryPasswordOfCaller, type RightPassword, type TryDeps } from "./try-password.ts";
import { atMost } from "../../kernel/at-most.ts";

/** How long a password that was right needs no new hash. */
const verifiedForMs = 60_000;

export type PasswordChecks = {
  /**
   * The account whose address and password these are. Does the same work for every wrong pair. The caller gives the try
   * back, with what it writes or by itself.
   * @param device the digest of the browser's cookie, where one counts
   * @throws Refusal credentials_wrong, email_unverified, login_throttled, busy
   */
  ofAddress(address: string, password: Secret, peer: Peer, device?: string): Promise<RightPassword>;
  /** The same, remembering a right pair for a minute: for clients that send it with every call. */
  ofAddressRemembered(address: string, password: Secret, peer: Peer): Account | Promise<Account>;
  /**
   * Whether this is the password of a caller who is already known by another credential.
   * @throws Refusal login_throttled, busy
   */
  ofKnownCaller(caller: Principal, password: Secret, peer: Peer): Promise<boolean>;
};

type Deps = Omit<TryDeps, "recordSometimes"> & Pick<AccountDeps, "clock">;

type Typed = {
  /** Names the pair. */
  readonly tag: string;
  readonly address: string;
  readonly password: Secret;
  readonly peer: Peer;
  readonly device?: string | undefined;
};

type Check = (typed: Typed) => Promise<RightPassword>;

type Remembered = { readonly account: Account; readonly until: number };

const notCounted: Refundable = { refund: async () => undefined, refundIn: async () => undefined };

/** Equal calls that come at once are one try, and one hash: a client that opens many connections is no attacker. */
const checkOnce = (check: Check): Check => {
  const inFlight = new LRUCache<string, Promise<RightPassword>>(atMost(10_000));
  return async (typed) => {
    const running = inFlight.get(typed.tag);
    // The try is the first one's: given back by each of them, it would make room for tries that were wrong.
    if (running) return { account: (await running).account, counted: notCounted };
    const started = check(typed).finally(() => inFlight.delete(typed.tag));
    inFlight.set(typed.tag, started);
    return started;
  };
};

/** The account as it is now; undefined when what was proved before the wait of the hash holds no more. */
const readAgain = async (
  { store }: Pick<Deps, "store">,
  { id, credentialVersion }: Account,
): Promise<Account | undefined> => {
  const account = await accountById(store.query, id);
  const holds = account && isOpen(account) && account.credentialVersion === credentialVersion;
  return holds ? account : undefined;
};

export const createPasswordChecks = (deps: Deps): PasswordChecks => {
  const { store, clock } = deps;
  const tryDeps: TryDeps = { ...deps, recordSometimes: recordSometimes(deps) };
  const tryOnce = tryPassword(tryDeps);
  const check = checkOnce(({ address, password, peer, device }) => tryOnce(address, password, peer, device));
  const remembered = createFreshCache<Remembered>(store.changes, { max: 10_000 });
  const tagOf = passwordTags(clock, () => remembered.clear());

  const checkAndRemember = async (typed: Typed): Promise<Account> => {
    const entry = await remembered.load(typed.tag, async () => {
      const { account: verified, counted } = await check(typed);
      await counted.refund();
      const account = await readAgain(deps, verified);
      if (!account) return undefined;
      await tryDeps.recordSometimes(`basic:${account.id}`, hour, {
        event: "basic_password",
        outcome: "done",
        channel: "password",
        accountId: account.id,
        ...typed.peer,
      });
      return { accountId: account.id, value: { account, until: clock.now() + verifiedForMs } };
    });
    if (!entry) throw new Refusal(refusals.credentials_wrong);
    return entry.account;
  };

  return {
    ofAddress: (address, password, peer, device) => {
      const pair = tagOf(address, password);
      // With other counters it is another try.
      const tag = device === undefined ? pair : `${pair}:${device}`;
      return check({ tag, address, password, peer, device });
    },
    ofAddressRemembered: (address, password, peer) => {
      const tag = tagOf(address, password);
      const known = remembered.get(tag);
      return known && known.until > clock.now()
        ? known.account
        : checkAndRemember({ tag, address, password, peer });
    },
    ofKnownCaller: tryPasswordOfCaller(tryDeps),
  };
};
