import { passwordIssue } from "../model/password-issue.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { invalid, Refusal, type RefusalKind } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Account, Peer, Principal } from "../model/account.ts";
import { verifiesFirst, type AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { holdOpen } from "../credentials/hold-open.ts";
import { mayTell } from "../mailing/mail-cap.ts";
import { issueCode, verifyCodeLifetimeMs } from "../mailing/mail-codes.ts";
import { emailChangedMail, passwordChangedMail, verifyMovedMail } from "../mailing/mails.ts";
import { pendMove, reserveNewAddress } from "../address/move-address.ts";
import { addressTaken } from "../membership/newcomer.ts";
import { proveOwner } from "../credentials/prove-owner.ts";
import { editAccount, isUniqueViolation, type AccountEdit } from "../store/accounts.ts";
import { deleteCodes } from "../store/codes.ts";
import { deleteSessionsOf } from "../store/sessions.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "passwords"
  | "tries"
  | "limits"
  | "mail"
  | "audit"
  | "policy"
  | "links"
> & { readonly passwordChecks: PasswordChecks };

export type AccountChange = {
  readonly displayName?: string | undefined;
  readonly timezone?: string | undefined;
  readonly email?: EmailAddress | undefined;
  readonly password?: Secret | undefined;
  /** Needed with `email` and `password`, by whatever credential the call came. */
  readonly currentPassword?: Secret | undefined;
};

/** How a change is refused that is well-formed, whoever asks for it. */
export const changeAccountRefuses: readonly RefusalKind[] = [
  refusals.credentials_wrong,
  refusals.login_throttled,
  refusals.busy,
  refusals.sign_up_throttled,
  refusals.mail_throttled,
];

/**
 * Changes what an account says of its owner, and how they sign in. A new password ends all other sessions. A new
 * address is taken at once, must be verified anew, and the old one is told; but where nobody signs in with an address
 * that is not verified, the account keeps its old one until the new one is confirmed: a slip of the finger would lock
 * its owner out.
 * @param alongside what a product changes in the same transaction
 * @throws Refusal input_invalid, credentials_wrong, login_throttled, sign_up_throttled, mail_throttled, busy
 */
export const changeAccount = (deps: Deps) => {
  const provePassword = async (principal: Principal, change: AccountChange, peer: Peer): Promise<void> => {
    const what = change.password ? "password" : "email";
    if (!change.currentPassword) {
      throw invalid("current_password", "required", `Current password must be present to change ${what}`);
    }
    await proveOwner(deps, principal, change.currentPassword, peer);
  };

  const askNewAddress = async (tx: Tx, before: Account, email: EmailAddress, now: number): Promise<void> => {
    const code = await issueCode(deps, tx, {
      accountId: before.id,
      purpose: "verify_email",
      expiresAt: now + verifyCodeLifetimeMs,
    });
    await deps.mail.enqueue(tx, verifyMovedMail(email.address, deps.links, code));
  };

  return async (
    principal: Principal,
    change: AccountChange,
    peer: Peer,
    alongside: (tx: Tx) => Promise<void>,
  ): Promise<Account> => {
    const { account } = principal;
    const { password } = change;
    const email = change.email?.canonical === account.emailCanonical ? undefined : change.email;
    if (password || email) await provePassword(principal, change, peer);
    if (password) {
      const context = [email?.address ?? account.email, change.displayName ?? account.displayName];
      const issue = passwordIssue(password, { minimum: deps.policy.passwordMin, context });
      if (issue) throw new Refusal(refusals.input_invalid, { issues: [issue] });
    }
    // Before the tries are reserved: a server that is too busy to hash uses none of them up.
    const passwordHash = password && (await deps.passwords.hash(password));
    const to = email && (await reserveNewAddress(deps, email, peer));
    const tell = password || email ? await mayTell(deps, account) : false;
    const movesNow = email !== undefined && !verifiesFirst(deps.policy);

    return deps.store.transaction(async (tx) => {
      await holdOpen(tx, account.id);
      const now = deps.clock.now();
      const edit: AccountEdit = {
        ...(change.displayName === undefined ? {} : { display_name: change.displayName }),
        ...(change.timezone === undefined ? {} : { timezone: change.timezone }),
        ...(movesNow
          ? { email: email.address, email_canonical: email.canonical, email_verified_at: null }
          : {}),
        ...(passwordHash === undefined ? {} : { password_hash: passwordHash, authorization_updated_at: now }),
      };
      // The current password that was proved must still be the current one.
      const which = password || email ? account : { id: account.id };
      const changed = await editAccount(tx.query, which, edit, now).catch((error: unknown) => {
        throw movesNow && isUniqueViolation(error) ? addressTaken() : error;
      });
      if (!changed) throw new Refusal(refusals.credentials_wrong);
      await alongside(tx);
      const audit = { outcome: "done", channel: principal.via, accountId: account.id, ...peer } as const;
      // A code that lies in the old mailbox, or was asked for under the old password, may be in wrong hands.
      if (movesNow || password) await deleteCodes(tx.query, account.id, ["reset", "change_email"]);
      if (movesNow) {
        await askNewAddress(tx, account, email, now);
        if (tell) await deps.mail.enqueue(tx, emailChangedMail(account.email, deps.links, now));
        await deps.audit.record(tx.query, { event: "email_changed", ...audit });
      } else if (to) {
        await pendMove(deps, tx, { account: changed, to, tell }, { channel: principal.via, peer });
      }
      if (passwordHash !== undefined) {
        await deleteSessionsOf(tx.query, account.id, principal.sessionId);
        if (tell) await deps.mail.enqueue(tx, passwordChangedMail(account.email, deps.links, now));
        await deps.audit.record(tx.query, { event: "password_changed", ...audit });
      }
      tx.changed(account.id);
      return changed;
    });
  };
};
