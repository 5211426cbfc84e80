import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { newMailCode } from "../../kernel/ids.ts";
import type { MailMessage } from "../../kernel/mail/message.ts";
import type { AccountEvent } from "../model/audit-events.ts";
import { isOpen, type Account, type Peer } from "../model/account.ts";
import type { AccountDeps, AccountLinks } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import {
  issueCode,
  reserveCodeTry,
  resetCodeLifetimeMs,
  verifyCodeLifetimeMs,
} from "../mailing/mail-codes.ts";
import { resetMail, verifyEmailMail } from "../mailing/mails.ts";
import { accountByEmail, holdAccount } from "../store/accounts.ts";
import { deleteCodes } from "../store/codes.ts";

type Deps = Pick<AccountDeps, "store" | "clock" | "random" | "tries" | "limits" | "mail" | "audit" | "links">;

/** A code that anybody may have mailed to its owner. */
type Kind = {
  readonly purpose: "reset" | "verify_email";
  readonly lifetimeMs: number;
  readonly event: AccountEvent;
  /** Of accounts that are open. */
  readonly isFor: (account: Account) => boolean;
  readonly mail: (to: string, links: AccountLinks, code: string) => MailMessage;
};

/** Costs what a real code costs, and is nobody's: no account has the number 0. */
const pretendCode = async (deps: Pick<Deps, "random">, tx: Tx, { purpose }: Kind): Promise<string> => {
  const code = newMailCode(deps.random);
  sha256Hex(code);
  await deleteCodes(tx.query, 0, [purpose]);
  return code;
};

/**
 * Mails a code when there is an account that it is for, and always ends the same way. For other addresses the same
 * mail is composed and queued too, marked to be thrown away, so that the work is the same. Over the cap of mails to
 * one address nothing is sent, and the answer stays what it is.
 */
const requestCode =
  (deps: Deps, kind: Kind) =>
  async (email: EmailAddress, peer: Peer): Promise<void> => {
    await reserveCodeTry(deps, peer.network);
    const reserved = await deps.tries.reserve([
      { policy: deps.limits.mailsToAddress, value: email.canonical },
    ]);
    if (!reserved.ok) return;
    const account = await accountByEmail(deps.store.query, email.canonical);
    const expiresAt = deps.clock.now() + kind.lifetimeMs;
    await deps.store.transaction(async (tx) => {
      // Held, so that no code goes to an address that the account is just leaving. Nobody has the number 0.
      const held = await holdAccount(tx.query, account?.id ?? 0);
      const isTheirs = held && isOpen(held) && held.emailCanonical === email.canonical && kind.isFor(held);
      const known = isTheirs ? held : undefined;
      const code = known
        ? await issueCode(deps, tx, { accountId: known.id, purpose: kind.purpose, expiresAt })
        : await pretendCode(deps, tx, kind);
      const message = kind.mail(known?.email ?? email.address, deps.links, code);
      await deps.mail.enqueue(tx, message, { expiresAt, discard: known === undefined });
      await deps.audit.record(tx.query, {
        event: kind.event,
        outcome: known ? "done" : "refused",
        channel: "none",
        accountId: account?.id,
        ...peer,
      });
    });
  };

/** For those who lost their password. @throws Refusal code_throttled */
export const requestReset = (deps: Deps) =>
  requestCode(deps, {
    purpose: "reset",
    lifetimeMs: resetCodeLifetimeMs,
    event: "reset_requested",
    isFor: () => true,
    mail: resetMail,
  });

/** For those whose mail of the sign-up was lost, or came too late. @throws Refusal code_throttled */
export const requestVerification = (deps: Deps) =>
  requestCode(deps, {
    purpose: "verify_email",
    lifetimeMs: verifyCodeLifetimeMs,
    event: "verification_requested",
    isFor: (account) => account.emailVerifiedAt === null,
    mail: verifyEmailMail,
  });
