/** One try at a password: counted before the hash, so that no number of tries at once gets more hashes than the limits allow. */
import { minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { PasswordVerdict } from "../../kernel/crypto/passwords/password.ts";
import { Refusal } from "../../kernel/errors.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import type { CountedTry, Refundable } from "../../kernel/limits/tries.ts";
import type { Secret } from "../../kernel/secret.ts";
import { verifiesFirst, type AccountDeps } from "../deps.ts";
import { isOpen, type Account, type Peer, type Principal } from "../model/account.ts";
import { parseEmailAddress } from "../../kernel/text/email-address.ts";
import { accountByEmail, replaceHash } from "../store/accounts.ts";
import { isDeviceOf } from "../store/devices.ts";
import type { RecordSometimes } from "./record-sometimes.ts";
import { refusals } from "../model/refusals.ts";

export type TryDeps = Pick<
  AccountDeps,
  "store" | "passwords" | "tries" | "limits" | "audit" | "policy" | "log"
> & { readonly recordSometimes: RecordSometimes };

export type RightPassword = {
  readonly account: Account;
  /** The try counts as a wrong one until whoever asked for it gives it back. */
  readonly counted: Refundable;
};

const throttled = (retryAfter: number): Refusal =>
  new Refusal(refusals.login_throttled, { retryAfter, headers: { "x-remaining-login-attempts": "0" } });

/** What is no address can't be anybody's, but costs and counts like one. */
const canonicalOf = (address: string): string => {
  const parsed = parseEmailAddress(address);
  return "canonical" in parsed ? parsed.canonical : `malformed:${sha256Hex(address)}`;
};

/** When the gate is full, nothing is tried and nothing counts. */
const hashOrRefund = async (
  { passwords }: Pick<TryDeps, "passwords">,
  reserved: Refundable,
  password: Secret,
  account: Account | undefined,
): Promise<PasswordVerdict> => {
  try {
    return await passwords.verify(password, account?.passwordHash ?? undefined);
  } catch (error) {
    await reserved.refund();
    throw error;
  }
};

/** Who is known, or what to say to somebody who is not. */
const judge = (
  policy: TryDeps["policy"],
  account: Account | undefined,
  matches: boolean,
): Account | "email_unverified" | "credentials_wrong" => {
  if (!matches || !account || !isOpen(account)) return "credentials_wrong";
  if (account.emailVerifiedAt !== null || !verifiesFirst(policy)) return account;
  // Where accounts are hidden, the other answer would tell that the address has one.
  return policy.hideAccounts ? "credentials_wrong" : "email_unverified";
};

const rehash = async (
  { store, passwords, log }: Pick<TryDeps, "store" | "passwords" | "log">,
  account: Account,
  password: Secret,
): Promise<void> => {
  try {
    await replaceHash(store.query, account, await passwords.hash(password));
  } catch (error) {
    // When the gate is full, the next sign-in does it.
    log.warn("password_not_rehashed", { error });
  }
};

/**
 * The account whose address and password these are. Does the same work for every wrong pair.
 * @throws Refusal credentials_wrong, email_unverified, login_throttled, busy
 */
export const tryPassword = (deps: TryDeps) => {
  const { store, limits } = deps;

  /** Of a browser that the account knows, or of everybody else together. Asked for addresses that nobody has too. */
  const ofWhom = async (
    canonical: string,
    account: Account | undefined,
    device: string | undefined,
  ): Promise<CountedTry> => {
    const accountId = account?.id ?? 0;
    return device !== undefined && (await isDeviceOf(store.query, { accountId, digest: device }))
      ? { policy: limits.passwordOfDevice, value: `${accountId} ${device}` }
      : { policy: limits.passwordOfAddress, value: canonical };
  };

  const reserve = async (
    counted: CountedTry,
    canonical: string,
    account: Account | undefined,
    peer: Peer,
  ): Promise<Refundable> => {
    const reserved = await deps.tries.reserve([
      counted,
      ...triesOfNetwork(limits.passwordsOfNetwork, peer.network),
    ]);
    if (reserved.ok) return reserved;
    await deps.recordSometimes(`throttled:${canonical}`, minute, {
      event: "password_throttled",
      outcome: "refused",
      channel: "password",
      accountId: account?.id,
      ...peer,
    });
    throw throttled(reserved.retryAfterSeconds);
  };

  return async (
    address: string,
    password: Secret,
    peer: Peer,
    device: string | undefined,
  ): Promise<RightPassword> => {
    const canonical = canonicalOf(address);
    const account = await accountByEmail(store.query, canonical);
    const tried = await ofWhom(canonical, account, device);
    const counted = await reserve(tried, canonical, account, peer);
    const verdict = await hashOrRefund(deps, counted, password, account);
    const judged = judge(deps.policy, account, verdict.matches);
    if (judged === "email_unverified") {
      await counted.refund();
      throw new Refusal(refusals[judged]);
    }
    if (judged === "credentials_wrong") {
      await deps.audit.record(store.query, {
        event: "password_refused",
        outcome: "refused",
        channel: "password",
        accountId: account?.id,
        ...peer,
      });
      throw new Refusal(refusals[judged]);
    }
    if (verdict.rehash) await rehash(deps, judged, password);
    return { account: judged, counted };
  };
};

/**
 * Whether this is the password of a caller who is already known by another credential.
 * @throws Refusal login_throttled, busy
 */
export const tryPasswordOfCaller =
  (deps: TryDeps) =>
  async ({ account, credential, via }: Principal, password: Secret, peer: Peer): Promise<boolean> => {
    const tried: CountedTry = { policy: deps.limits.passwordOfCredential, value: credential };
    const reserved = await deps.tries.reserve([tried]);
    if (!reserved.ok) {
      await deps.recordSometimes(`throttled:${credential}`, minute, {
        event: "password_throttled",
        outcome: "refused",
        channel: via,
        accountId: account.id,
        ...peer,
      });
      throw throttled(reserved.retryAfterSeconds);
    }
    const { matches } = await hashOrRefund(deps, reserved, password, account);
    if (matches) {
      await reserved.refund();
      return true;
    }
    await deps.audit.record(deps.store.query, {
      event: "password_refused",
      outcome: "refused",
      channel: via,
      accountId: account.id,
      ...peer,
    });
    return false;
  };
