import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { hour, minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { AuditEvent } from "../../kernel/telemetry/audit.ts";
import { isOpen, type Account, type Peer, type Principal } from "../model/account.ts";
import { verifiesFirst, type AccountDeps } from "../deps.ts";
import { parseEmailAddress } from "../model/email-address.ts";
import { accountByEmail, accountById, replaceHash } from "../store/accounts.ts";

/** How long a password that was right needs no new hash. */
const verifiedForMs = 60_000;

export type PasswordChecks = {
  /**
   * The account whose address and password these are. Does the same work for every wrong pair.
   * @throws Refusal credentials_wrong, email_unverified, login_throttled, busy
   */
  ofAddress(address: string, password: Secret, peer: Peer): Promise<Account>;
  /** The same, remembering a right pair for a minute: for clients that send it with every call. */
  ofAddressRemembered(address: string, password: Secret, peer: Peer): Account | Promise<Account>;
  /**
   * Whether this is the password of a caller who is already known by another credential.
   * @throws Refusal login_throttled, busy
   */
  ofKnownCaller(caller: Principal, password: Secret, peer: Peer): Promise<boolean>;
};

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "passwords" | "tries" | "limits" | "audit" | "policy" | "log"
>;

/** When the gate was full nothing was tried, and nothing counts. */
const orRefund = async <Result>(
  reserved: { refund(): Promise<void> },
  check: Promise<Result>,
): Promise<Result> => {
  try {
    return await check;
  } catch (error) {
    await reserved.refund();
    throw error;
  }
};

type Remembered = { readonly account: Account; readonly until: number };

export const createPasswordChecks = (deps: Deps): PasswordChecks => {
  const { store, clock, tries, limits } = deps;

  const throttled = (retryAfter: number): Refusal =>
    new Refusal("login_throttled", { retryAfter, headers: { "x-remaining-login-attempts": "0" } });

  const rehash = async (account: Account, password: Secret): Promise<void> => {
    await replaceHash(store.query, account, await deps.passwords.hash(password));
  };

  /** What may come with every call is written down once in a while, so that nobody can fill the store with it. */
  const recordedAt = new LRUCache<string, number>({ max: 10_000 });
  const recordSometimes = async (what: string, everyMs: number, event: AuditEvent): Promise<void> => {
    const now = clock.now();
    if (now - (recordedAt.get(what) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    recordedAt.set(what, now);
    await deps.audit.record(store.query, event);
  };

  const check: PasswordChecks["ofAddress"] = async (address, password, peer) => {
    const parsed = parseEmailAddress(address);
    // What is no address can't be anybody's, but costs and counts like one.
    const canonical = "canonical" in parsed ? parsed.canonical : `malformed:${sha256Hex(address)}`;
    const account = await accountByEmail(store.query, canonical);
    const reserved = await tries.reserve([
      { policy: limits.passwordOfAddress, value: canonical },
      { policy: limits.passwordsOfNetwork, value: peer.network },
    ]);
    if (!reserved.ok) {
      await recordSometimes(`throttled:${canonical}`, minute, {
        event: "password_throttled",
        outcome: "refused",
        channel: "password",
        accountId: account?.id,
        ...peer,
      });
      throw throttled(reserved.retryAfterSeconds);
    }
    const verdict = await orRefund(
      reserved,
      deps.passwords.verify(password, account?.passwordHash ?? undefined),
    );
    const isRight = verdict.matches && account !== undefined && isOpen(account);
    const isAwaited = isRight && account.emailVerifiedAt === null && verifiesFirst(deps.policy);
    // Where accounts are hidden, this would tell that the address has one.
    if (isAwaited && !deps.policy.hideAccounts) {
      await reserved.refund();
      throw new Refusal("email_unverified");
    }
    if (isRight && !isAwaited) {
      await reserved.refund();
      if (verdict.rehash) {
        // When the gate is full, the next sign-in does it.
        await rehash(account, password).catch((error: unknown) =>
          deps.log.warn("password_not_rehashed", { error }),
        );
      }
      return account;
    }
    await deps.audit.record(store.query, {
      event: "password_refused",
      outcome: "refused",
      channel: "password",
      accountId: account?.id,
      ...peer,
    });
    throw new Refusal("credentials_wrong");
  };

  const remembered = createFreshCache<Remembered>(store.changes, { max: 10_000 });
  const inFlight = new LRUCache<string, Promise<Account>>({ max: 10_000 });
  let key = randomBytes(32).toString("hex");
  let keyUntil = 0;

  /** Names the pair under a key that lives for an hour in this process only, so the cache tells nothing by itself. */
  const tagOf = (address: string, password: Secret): string => {
    if (clock.now() >= keyUntil) {
      key = randomBytes(32).toString("hex");
      keyUntil = clock.now() + hour;
      remembered.clear();
    }
    const typed = password.reveal().normalize("NFC");
    // The length keeps the two apart. Nobody ever sees or sends a tag, so what HMAC adds to a digest over a random
    // key would guard nothing, and this runs with every call.
    return sha256Hex(`${key}${address.length}:${address}${typed}`);
  };

  /** Equal calls that come at once are one try, and one hash: a client that opens many connections is no attacker. */
  const checkOnce = (tag: string, address: string, password: Secret, peer: Peer): Promise<Account> => {
    const running = inFlight.get(tag);
    if (running) return running;
    const started = check(address, password, peer).finally(() => inFlight.delete(tag));
    inFlight.set(tag, started);
    return started;
  };

  const checkAndRemember = async (
    tag: string,
    address: string,
    password: Secret,
    peer: Peer,
  ): Promise<Account> => {
    const entry = await remembered.load(tag, async () => {
      const verified = await checkOnce(tag, address, password, peer);
      // Read again behind the hash: the state that counts is today's, not that of before the wait.
      const account = await accountById(store.query, verified.id);
      if (!account || !isOpen(account) || account.credentialVersion !== verified.credentialVersion) {
        return undefined;
      }
      await recordSometimes(`basic:${account.id}`, hour, {
        event: "basic_password",
        outcome: "done",
        channel: "password",
        accountId: account.id,
        ...peer,
      });
      return { accountId: account.id, value: { account, until: clock.now() + verifiedForMs } };
    });
    if (!entry) throw new Refusal("credentials_wrong");
    return entry.account;
  };

  const ofAddressRemembered: PasswordChecks["ofAddressRemembered"] = (address, password, peer) => {
    const tag = tagOf(address, password);
    const known = remembered.get(tag);
    return known && known.until > clock.now()
      ? known.account
      : checkAndRemember(tag, address, password, peer);
  };

  return {
    ofAddress: (address, password, peer) => checkOnce(tagOf(address, password), address, password, peer),
    ofAddressRemembered,
    ofKnownCaller: async ({ account, credential, via }, password, peer) => {
      const reserved = await tries.reserve([{ policy: limits.passwordOfCredential, value: credential }]);
      if (!reserved.ok) throw throttled(reserved.retryAfterSeconds);
      const verdict = await orRefund(
        reserved,
        deps.passwords.verify(password, account.passwordHash ?? undefined),
      );
      if (verdict.matches) {
        await reserved.refund();
        return true;
      }
      await deps.audit.record(store.query, {
        event: "password_refused",
        outcome: "refused",
        channel: via,
        accountId: account.id,
        ...peer,
      });
      return false;
    },
  };
};
