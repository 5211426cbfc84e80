import { day, minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { open, seal, UnsealError, type Place } from "../../kernel/crypto/envelope.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import { givenBackUnlessDone } from "../../kernel/limits/give-back.ts";
import type { Refundable } from "../../kernel/limits/tries.ts";
import { newMailCode, normalizeMailCode } from "../../kernel/ids.ts";
import type { AccountEvent } from "../model/audit-events.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import { prolongCode, putCode, sealedCode, type SealedCode } from "../store/codes.ts";
import type { CodePurpose } from "../store/tables.ts";
import { refusals } from "../model/refusals.ts";

export const resetCodeLifetimeMs = 30 * minute;
export const verifyCodeLifetimeMs = 3 * day;
export const changeCodeLifetimeMs = day;

type Deps = Pick<AccountDeps, "random" | "rootKeys" | "clock">;

type CodeFacts = {
  readonly accountId: number;
  readonly purpose: CodePurpose;
  readonly expiresAt: number;
  readonly email?: EmailAddress | undefined;
};

/** Codes that anybody may have mailed. They are mailed again while they are good, so that nobody voids another's code. */
type Repeatable = "reset" | "verify_email";

const isRepeatable = (purpose: CodePurpose): purpose is Repeatable =>
  purpose === "reset" || purpose === "verify_email";

const placeOf = (digest: string): Place => ({
  room: "accounts",
  row: digest,
  field: "mail_code",
  version: 1,
});

/** Makes a code and keeps its digest; an older code of the same purpose stops working. */
export const issueCode = async (deps: Deps, tx: Tx, what: CodeFacts): Promise<string> => {
  const code = newMailCode(deps.random);
  const digest = sha256Hex(code);
  const sealed = isRepeatable(what.purpose) ? seal(deps.rootKeys, deps.random, placeOf(digest), code) : null;
  await putCode(tx.query, { ...what, digest, sealed }, deps.clock.now());
  return code;
};

/** Undefined when it is not the code of its row: then it was written by a version that knew no sealed codes. */
const openCode = ({ rootKeys }: Deps, { digest, sealed }: SealedCode): string | undefined => {
  try {
    return open(rootKeys, placeOf(digest), sealed).reveal();
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
};

/**
 * The code that was mailed before, as long as it is good, now for its whole lifetime again; else a new one. A code that
 * is older than a lifetime is not prolonged any more: each ends after two at the latest.
 */
export const repeatCode = async (
  deps: Deps,
  tx: Tx,
  what: {
    readonly accountId: number;
    readonly purpose: Repeatable;
    readonly lifetimeMs: number;
  },
): Promise<string> => {
  const now = deps.clock.now();
  const expiresAt = now + what.lifetimeMs;
  const kept = await sealedCode(tx.query, what, now);
  const code = kept && kept.createdAt > now - what.lifetimeMs ? openCode(deps, kept) : undefined;
  if (kept === undefined || code === undefined) return issueCode(deps, tx, { ...what, expiresAt });
  await prolongCode(tx.query, kept.digest, expiresAt);
  return code;
};

/** Costs what a real code costs, and is nobody's: no account has the number 0. */
export const pretendCode = async (deps: Deps, tx: Tx, purpose: Repeatable): Promise<string> => {
  const code = newMailCode(deps.random);
  const digest = sha256Hex(code);
  await sealedCode(tx.query, { accountId: 0, purpose }, deps.clock.now());
  seal(deps.rootKeys, deps.random, placeOf(digest), code);
  await prolongCode(tx.query, digest, 0);
  return code;
};

/** What the store knows a typed code by. All codes that can't be right get one answer. @throws Refusal code_refused */
export const digestOfCode = (typed: string): string => {
  const code = normalizeMailCode(typed);
  if (code === undefined) throw new Refusal(refusals.code_refused);
  return sha256Hex(code);
};

/** How a call that takes a mailed code refuses it. */
export const codeRefuses: readonly RefusalKind[] = [refusals.code_refused, refusals.code_throttled];

/**
 * One use of a code. A refused one is written down: who tried to use which kind, from where.
 * @throws Refusal code_throttled, and whatever the work throws
 */
export const whileCodeTried = async <Result>(
  deps: Pick<AccountDeps, "store" | "audit" | "tries" | "limits">,
  tried: { readonly event: AccountEvent; readonly peer: Peer },
  work: () => Promise<Result>,
): Promise<Result> => {
  const reserved = await reserveCodeTry(deps, tried.peer.network);
  try {
    return await givenBackUnlessDone(reserved, work);
  } catch (error) {
    if (error instanceof Refusal && error.kind === refusals.code_refused) {
      await deps.audit.record(deps.store.query, {
        event: tried.event,
        outcome: "refused",
        channel: "code",
        ...tried.peer,
      });
    }
    throw error;
  }
};

/** Codes have 130 random bits; the cap is there so that guessing is not even free. @throws Refusal code_throttled */
export const reserveCodeTry = async (
  deps: Pick<AccountDeps, "tries" | "limits">,
  network: string,
): Promise<Refundable> => {
  const reserved = await deps.tries.reserve(triesOfNetwork(deps.limits.codesOfNetwork, network));
  if (!reserved.ok) throw new Refusal(refusals.code_throttled, { retryAfter: reserved.retryAfterSeconds });
  return reserved;
};
