import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { MailMessage } from "../../kernel/mail/message.ts";
import type { AccountEvent } from "../model/audit-events.ts";
import { isOpen, type Account, type Peer } from "../model/account.ts";
import type { AccountDeps, AccountLinks } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import {
  codeThrottled,
  codeTries,
  pretendCode,
  repeatCode,
  resetCodeLifetimeMs,
  verifyCodeLifetimeMs,
} from "../mailing/mail-codes.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { resetMail, verifyEmailMail } from "../mailing/mails.ts";
import { accountByEmail, holdAccount } from "../store/accounts.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "tries" | "limits" | "mail" | "audit" | "links"
> & { readonly sessions: Sessions };

/** A code that anybody may have mailed to its owner. */
type Kind = {
  readonly purpose: "reset" | "verify_email";
  readonly lifetimeMs: number;
  readonly event: AccountEvent;
  /** Of accounts that are open. */
  readonly isFor: (account: Account) => boolean;
  readonly mail: (to: string, links: AccountLinks, code: string) => MailMessage;
};

/** Who asks, when it is known: the account of the session that the call came with. */
export type Asking = { readonly cookie: string | undefined };

const isOwner = async (
  { sessions }: Pick<Deps, "sessions">,
  { cookie }: Asking,
  email: EmailAddress,
): Promise<boolean> =>
  cookie !== undefined && (await sessions.resolve(cookie))?.account.emailCanonical === email.canonical;

/** What became of a request: nothing is told of it but that there were too many. */
type Outcome = "written" | { readonly throttled: "codes" | "mails"; readonly retryAfter: number };

/**
 * Mails a code when there is an account that it is for, and always ends the same way. For other addresses the same
 * mail is composed and queued too, marked to be thrown away, so that the work is the same. Over the cap of mails to
 * one address nothing is sent, and the answer stays what it is; but whoever is signed in with the address is told.
 *
 * All of it is one transaction, the tries included: what is not carried out is not counted.
 */
const requestCode = (deps: Deps, kind: Kind) => {
  const { purpose, lifetimeMs } = kind;

  const write = async (tx: Tx, email: EmailAddress, peer: Peer): Promise<void> => {
    const account = await accountByEmail(tx.query, email.canonical);
    // Held, so that no code goes to an address that the account is just leaving. Nobody has the number 0.
    const held = await holdAccount(tx.query, account?.id ?? 0);
    const isTheirs = held && isOpen(held) && held.emailCanonical === email.canonical && kind.isFor(held);
    const known = isTheirs ? held : undefined;
    const code = known
      ? await repeatCode(deps, tx, { accountId: known.id, purpose, lifetimeMs })
      : await pretendCode(deps, tx, purpose);
    const message = kind.mail(known?.email ?? email.address, deps.links, code);
    const expiresAt = deps.clock.now() + lifetimeMs;
    await deps.mail.enqueue(tx, message, { expiresAt, discard: known === undefined });
    await deps.audit.record(tx.query, {
      event: kind.event,
      outcome: known ? "done" : "refused",
      channel: "none",
      accountId: account?.id,
      ...peer,
    });
  };

  return async (email: EmailAddress, asking: Asking, peer: Peer): Promise<void> => {
    const tried = codeTries(deps, peer.network);
    const early = await deps.tries.refused(tried);
    if (early) throw codeThrottled(early);
    const mayKnow = await isOwner(deps, asking, email);
    const outcome = await deps.store.transaction(async (tx): Promise<Outcome> => {
      const counted = await deps.tries.reserveIn(tx, tried);
      if (!counted.ok) return { throttled: "codes", retryAfter: counted.retryAfterSeconds };
      const reserved = await deps.tries.reserveIn(tx, [
        { policy: deps.limits.mailsToAddress, value: email.canonical },
        { policy: deps.limits.mailsToAddressFromNetwork, value: `${peer.network} ${email.canonical}` },
      ]);
      if (!reserved.ok) return { throttled: "mails", retryAfter: reserved.retryAfterSeconds };
      await write(tx, email, peer);
      return "written";
    });
    if (outcome === "written") return;
    const { throttled, retryAfter } = outcome;
    if (throttled === "codes") throw new Refusal(refusals.code_throttled, { retryAfter });
    if (mayKnow) throw new Refusal(refusals.mail_throttled, { retryAfter });
  };
};

/** For those who lost their password. @throws Refusal code_throttled, mail_throttled */
export const requestReset = (deps: Deps) =>
  requestCode(deps, {
    purpose: "reset",
    lifetimeMs: resetCodeLifetimeMs,
    event: "reset_requested",
    isFor: () => true,
    mail: resetMail,
  });

/** For those whose mail of the sign-up was lost, or came too late. @throws Refusal code_throttled, mail_throttled */
export const requestVerification = (deps: Deps) =>
  requestCode(deps, {
    purpose: "verify_email",
    lifetimeMs: verifyCodeLifetimeMs,
    event: "verification_requested",
    isFor: (account) => account.emailVerifiedAt === null,
    mail: verifyEmailMail,
  });
