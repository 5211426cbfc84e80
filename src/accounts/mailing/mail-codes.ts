import { day, minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { open, seal, UnsealError, type Place } from "../../kernel/crypto/envelope.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import { givenBackUnlessDone } from "../../kernel/limits/give-back.ts";
import type { CountedTry, RefusedTry } from "../../kernel/limits/tries.ts";
import { newMailCode, normalizeMailCode } from "../../kernel/ids.ts";
import type { AccountEvent } from "../model/audit-events.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import {
  findCode,
  prolongCode,
  putCode,
  sealedCode,
  type MailCode,
  type SealedCode,
} from "../store/codes.ts";
import type { CodePurpose, Queries } from "../store/tables.ts";
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

/** How a call that takes a mailed code refuses it. */
export const codeRefuses: readonly RefusalKind[] = [refusals.code_refused, refusals.code_throttled];

/** Codes have 130 random bits; the cap is there so that guessing is not even free. */
export const codeTries = (
  { limits }: Pick<AccountDeps, "limits">,
  network: string,
): readonly [CountedTry, ...CountedTry[]] => triesOfNetwork(limits.codesOfNetwork, network);

export const codeThrottled = ({ retryAfterSeconds: retryAfter }: RefusedTry): Refusal =>
  new Refusal(refusals.code_throttled, { retryAfter });

type TryDeps = Pick<AccountDeps, "store" | "clock" | "audit" | "tries" | "limits">;

/** Who tries to use which kind of code, from where. */
type TriedCode = {
  readonly code: string;
  readonly purposes: readonly CodePurpose[];
  readonly event: AccountEvent;
  readonly peer: Peer;
};

export type FoundCode = MailCode & { readonly digest: string };

/** What the store knows a typed code by; undefined when it can't be a code. */
const digestOf = (typed: string): string | undefined => {
  const code = normalizeMailCode(typed);
  return code === undefined ? undefined : sha256Hex(code);
};

const found = async ({ store, clock }: TryDeps, tried: TriedCode): Promise<FoundCode | undefined> => {
  const digest = digestOf(tried.code);
  const code =
    digest === undefined ? undefined : await findCode(store.query, tried.purposes, digest, clock.now());
  return code && digest !== undefined ? { ...code, digest } : undefined;
};

/** The try and its event in one transaction: a wrong code is the whole of what is written. */
const refuseCode = async (
  deps: TryDeps,
  tried: TriedCode,
  counted: readonly [CountedTry, ...CountedTry[]],
): Promise<Refusal> => {
  const reserved = await deps.store.transaction(async (tx) => {
    const once = await deps.tries.reserveIn(tx, counted);
    if (once.ok) await noteRefused(deps, tx.query, tried);
    return once;
  });
  return reserved.ok ? new Refusal(refusals.code_refused) : codeThrottled(reserved);
};

const noteRefused = ({ audit }: TryDeps, query: Queries, { event, peer }: TriedCode): Promise<void> =>
  audit.record(query, { event, outcome: "refused", channel: "code", ...peer });

/**
 * One use of a code. A refused one is written down. All codes that can't be right get one answer.
 * @param work with a code that was good a moment ago
 * @throws Refusal code_refused, code_throttled, and whatever the work throws
 */
export const whileCodeTried = async <Result>(
  deps: TryDeps,
  tried: TriedCode,
  work: (code: FoundCode) => Promise<Result>,
): Promise<Result> => {
  const counted = codeTries(deps, tried.peer.network);
  const early = await deps.tries.refused(counted);
  if (early) throw codeThrottled(early);
  // Looked for before it is counted, and worth nothing before: a right one is refused as well when there were too many.
  const code = await found(deps, tried);
  if (!code) throw await refuseCode(deps, tried, counted);
  const reserved = await deps.tries.reserve(counted);
  if (!reserved.ok) throw codeThrottled(reserved);
  try {
    return await givenBackUnlessDone(reserved, () => work(code));
  } catch (error) {
    if (error instanceof Refusal && error.kind === refusals.code_refused) {
      await noteRefused(deps, deps.store.query, tried);
    }
    throw error;
  }
};
