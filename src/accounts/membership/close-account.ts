import { day } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import { isOpen, type Account, type Peer, type Principal, type Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { digestOfCode, issueCode, reserveCodeTry, withRefusedCodeAudited } from "../mailing/mail-codes.ts";
import { accountClosedMail, accountErasedMail } from "../mailing/mails.ts";
import {
  accountsToErase,
  editAccount,
  eraseAccount,
  eraseDueAccount,
  holdAccount,
} from "../store/accounts.ts";
import { deleteCodes, takeCode } from "../store/codes.ts";
import { deleteSessionsOf } from "../store/sessions.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "tries" | "limits" | "mail" | "audit" | "policy" | "links" | "log"
>;

/**
 * Ends the membership: from the commit on no credential of the account works anywhere. Within the grace
 * period the owner can take it back with the code in the mail; then a job erases it. Without a grace
 * period it is erased here.
 * @returns until when it can be taken back, in epoch milliseconds; undefined when it is erased
 * @throws Refusal credentials_wrong when it is closed already
 */
export const closeAccount =
  (deps: Pick<Deps, "store" | "clock" | "random" | "mail" | "audit" | "policy" | "links">) =>
  (
    account: Account,
    by: { readonly channel: Principal["via"] | "cli"; readonly peer: Whence },
  ): Promise<number | undefined> =>
    deps.store.transaction(async (tx) => {
      const held = await holdAccount(tx.query, account.id);
      // Closed twice at once: the second must not move the day of erasure, nor void the code that is on its way.
      const mayClose = held?.closedAt === null && (by.channel === "cli" || isOpen(held));
      if (!mayClose) throw new Refusal(refusals.credentials_wrong);
      const now = deps.clock.now();
      const { closeGraceDays } = deps.policy;
      const eraseAt = now + closeGraceDays * day;
      await deps.audit.record(tx.query, {
        event: "account_closed",
        outcome: "done",
        channel: by.channel,
        accountId: account.id,
        ...by.peer,
      });
      tx.changed(account.id);
      if (closeGraceDays === 0) {
        await eraseAccount(tx.query, account.id);
        await deps.mail.enqueue(tx, accountErasedMail(account.email, deps.links));
        return undefined;
      }
      await editAccount(
        tx.query,
        { id: account.id },
        { closed_at: now, erase_at: eraseAt, authorization_updated_at: now },
        now,
      );
      await deleteSessionsOf(tx.query, account.id);
      await deleteCodes(tx.query, account.id, ["reset", "verify_email", "change_email"]);
      const code = await issueCode(deps, tx, {
        accountId: account.id,
        purpose: "undo_close",
        expiresAt: eraseAt,
      });
      await deps.mail.enqueue(tx, accountClosedMail(account.email, deps.links, code, eraseAt));
      return eraseAt;
    });

/** Takes a closed account back. Its password and token work again; its sessions have ended. @throws Refusal code_refused, code_throttled */
export const undoClose =
  (deps: Deps) =>
  async (typedCode: string, peer: Peer): Promise<void> => {
    await reserveCodeTry(deps, peer.network);
    return withRefusedCodeAudited(deps, { event: "close_undone", peer }, async () => {
      const digest = digestOfCode(typedCode);
      await deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const taken = await takeCode(tx.query, ["undo_close"], digest, now);
        const account =
          taken &&
          (await editAccount(tx.query, { id: taken.accountId }, { closed_at: null, erase_at: null }, now));
        // A lock is the operator's, and stays.
        if (!account || !isOpen(account)) throw new Refusal(refusals.code_refused);
        await deps.audit.record(tx.query, {
          event: "close_undone",
          outcome: "done",
          channel: "code",
          accountId: account.id,
          ...peer,
        });
        tx.changed(account.id);
      });
    });
  };

/** Erases the accounts whose grace period is over, with everything that hangs on them. */
export const eraseClosedAccounts = (deps: Pick<Deps, "store" | "clock" | "audit" | "log">) => {
  const erase = (accountId: number): Promise<void> =>
    deps.store.transaction(async (tx) => {
      if (!(await eraseDueAccount(tx.query, accountId, deps.clock.now()))) return;
      await deps.audit.record(tx.query, {
        event: "account_erased",
        outcome: "done",
        channel: "none",
        accountId,
      });
      tx.changed(accountId);
    });

  return async (): Promise<void> => {
    for (const { id } of await accountsToErase(deps.store.query, deps.clock.now())) {
      try {
        await erase(id);
        deps.log.info("account_erased", { accountId: id });
      } catch (error) {
        // The others are due all the same; this one is tried again next time.
        deps.log.error("account_not_erased", { accountId: id, error });
      }
    }
  };
};
