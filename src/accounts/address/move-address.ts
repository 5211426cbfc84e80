import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Account, Peer, Principal } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import { reserveMailTo } from "../mailing/mail-cap.ts";
import { changeCodeLifetimeMs, issueCode } from "../mailing/mail-codes.ts";
import { addressTakenMail, changeRequestedMail, confirmChangeMail } from "../mailing/mails.ts";
import { addressTaken } from "../membership/newcomer.ts";
import { accountByEmail } from "../store/accounts.ts";
import { refusals } from "../model/refusals.ts";

/** An account is to leave its address for another: who may ask for which, and the way that is confirmed first. */

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "tries" | "limits" | "mail" | "audit" | "policy" | "links"
>;

export type NewAddress = {
  readonly email: EmailAddress;
  /** Where accounts are hidden: who has the address already, and is told instead. */
  readonly owner: Account | undefined;
};

/**
 * Asking for addresses tells which are taken, as sign-up does, and is capped with it.
 * @throws Refusal input_invalid when it is taken and accounts are not hidden; sign_up_throttled, mail_throttled
 */
export const reserveNewAddress = async (deps: Deps, email: EmailAddress, peer: Peer): Promise<NewAddress> => {
  const reserved = await deps.tries.reserve(triesOfNetwork(deps.limits.signUpsOfNetwork, peer.network));
  if (!reserved.ok) throw new Refusal(refusals.sign_up_throttled, { retryAfter: reserved.retryAfterSeconds });
  const owner = await accountByEmail(deps.store.query, email.canonical);
  if (owner && !deps.policy.hideAccounts) throw addressTaken();
  await reserveMailTo(deps, email);
  return { email, owner };
};

/**
 * Mails a code to the new address and leaves everything as it is until the code comes back. For an address that is
 * hidden as taken the same is written down, under a code that nobody gets.
 * @param tell whether the address that the account has gets a notice
 */
export const pendMove = async (
  deps: Deps,
  tx: Tx,
  { account, to, tell }: { readonly account: Account; readonly to: NewAddress; readonly tell: boolean },
  by: { readonly channel: Principal["via"]; readonly peer: Peer },
): Promise<void> => {
  const now = deps.clock.now();
  const expiresAt = now + changeCodeLifetimeMs;
  const { email, owner } = to;
  const code = await issueCode(deps, tx, {
    accountId: account.id,
    purpose: "change_email",
    expiresAt,
    email,
  });
  const message = owner
    ? addressTakenMail(owner.email, deps.links, "move another account to it")
    : confirmChangeMail(email.address, deps.links, code);
  await deps.mail.enqueue(tx, message, { expiresAt });
  if (tell) await deps.mail.enqueue(tx, changeRequestedMail(account.email, deps.links, now));
  await deps.audit.record(tx.query, {
    event: "email_change_requested",
    outcome: "done",
    channel: by.channel,
    accountId: account.id,
    ...by.peer,
  });
};
