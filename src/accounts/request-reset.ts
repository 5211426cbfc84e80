import { sha256Hex } from "../kernel/crypto/digest.ts";
import type { Tx } from "../kernel/db/store.ts";
import { newMailCode } from "../kernel/ids.ts";
import { isOpen, type Peer } from "./account.ts";
import type { AccountDeps } from "./deps.ts";
import type { EmailAddress } from "./email-address.ts";
import { issueCode, reserveCodeTry, resetCodeLifetimeMs } from "./mail-codes.ts";
import { resetMail } from "./mails.ts";
import { accountByEmail, deleteCodes, holdAccount } from "./store.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "tries" | "limits" | "mail" | "audit" | "policy"
>;

/** Costs what a real code costs, and is nobody's: no account has the number 0. */
const pretendCode = async (deps: Pick<Deps, "random">, tx: Tx): Promise<string> => {
  const code = newMailCode(deps.random);
  sha256Hex(code);
  await deleteCodes(tx.query, 0, ["reset"]);
  return code;
};

/**
 * Mails a reset code when the account exists, and always ends the same way. For an address without an
 * account the same mail is composed and queued too, marked to be thrown away, so that the work is the same.
 * Over the cap of mails to one address nothing is sent, and the answer stays what it is.
 * @throws Refusal code_throttled
 */
export const requestReset =
  (deps: Deps) =>
  async (email: EmailAddress, peer: Peer): Promise<void> => {
    await reserveCodeTry(deps, peer.network);
    const reserved = await deps.tries.reserve([
      { policy: deps.limits.mailsToAddress, value: email.canonical },
    ]);
    if (!reserved.ok) return;
    const account = await accountByEmail(deps.store.query, email.canonical);
    const now = deps.clock.now();
    await deps.store.transaction(async (tx) => {
      // Held, so that no code goes to an address that the account is just leaving. Nobody has the number 0.
      const held = await holdAccount(tx.query, account?.id ?? 0);
      const known = held && isOpen(held) && held.emailCanonical === email.canonical ? held : undefined;
      const code = known
        ? await issueCode(deps, tx, {
            accountId: known.id,
            purpose: "reset",
            expiresAt: now + resetCodeLifetimeMs,
          })
        : await pretendCode(deps, tx);
      const message = resetMail(known?.email ?? email.address, deps.policy.origin.origin, code);
      await deps.mail.enqueue(tx, message, {
        expiresAt: now + resetCodeLifetimeMs,
        discard: known === undefined,
      });
      await deps.audit.record(tx.query, {
        event: "reset_requested",
        outcome: known ? "done" : "refused",
        channel: "none",
        accountId: account?.id,
        ...peer,
      });
    });
  };
