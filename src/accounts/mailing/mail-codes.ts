import { day, minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import { newMailCode, normalizeMailCode } from "../../kernel/ids.ts";
import type { AccountEvent } from "../model/audit-events.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import { putCode } from "../store/codes.ts";
import type { CodePurpose } from "../store/tables.ts";
import { refusals } from "../model/refusals.ts";

export const resetCodeLifetimeMs = 10 * minute;
export const verifyCodeLifetimeMs = 3 * day;
export const changeCodeLifetimeMs = day;

/** Makes a code and keeps its digest; an older code of the same purpose stops working. */
export const issueCode = async (
  deps: Pick<AccountDeps, "random" | "clock">,
  tx: Tx,
  what: {
    readonly accountId: number;
    readonly purpose: CodePurpose;
    readonly expiresAt: number;
    readonly email?: EmailAddress | undefined;
  },
): Promise<string> => {
  const code = newMailCode(deps.random);
  await putCode(tx.query, { ...what, digest: sha256Hex(code) }, deps.clock.now());
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

/** Writes a refused code down: who tried to use which kind, from where. */
export const withRefusedCodeAudited = async <Result>(
  deps: Pick<AccountDeps, "store" | "audit">,
  tried: { readonly event: AccountEvent; readonly peer: Peer },
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
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
): Promise<void> => {
  const reserved = await deps.tries.reserve(triesOfNetwork(deps.limits.codesOfNetwork, network));
  if (!reserved.ok) throw new Refusal(refusals.code_throttled, { retryAfter: reserved.retryAfterSeconds });
};
