import { day } from "../../kernel/clock.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import type { Refundable } from "../../kernel/limits/tries.ts";
import { isOpen, type Account, type Principal, type Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { issueCode } from "../mailing/mail-codes.ts";
import { accountClosedMail, accountErasedMail } from "../mailing/mails.ts";
import {
  accountsToErase,
  editAccount,
  eraseAccount,
  eraseDueAccount,
  holdAccount,
} from "../store/accounts.ts";
import { deleteCodes } from "../store/codes.ts";
import { deleteSessionsOf } from "../store/sessions.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "tries" | "limits" | "mail" | "audit" | "policy" | "links"
>;

/** How a closing is refused for somebody who may ask for it. */
export const closeAccountRefuses: readonly RefusalKind[] = [refusals.mail_throttled];

type ClosedBy = { readonly channel: Principal["via"] | "cli"; readonly peer: Whence };

/** An account whose closing can't be mailed stays open: the mail is the owner's only way back. */
const reserveClosing = async (
  { tries, limits }: Pick<Deps, "tries" | "limits">,
  account: Account,
  { channel }: ClosedBy,
): Promise<Refundable | undefined> => {
  if (channel === "cli") return undefined;
  const reserved = await tries.reserve([{ policy: limits.closingsOfAccount, value: String(account.id) }]);
  if (!reserved.ok) throw new Refusal(refusals.mail_throttled, { retryAfter: reserved.retryAfterSeconds });
  return reserved;
};

/**
 * Ends the membership: from the commit on no credential of the account works anywhere. Within the grace
 * period the owner can take it back with the code in the mail; then a job erases it. Without a grace
 * period it is erased here.
 * @returns until when it can be taken back, in epoch milliseconds; undefined when it is erased
 * @throws Refusal credentials_wrong when it is closed already; mail_throttled when it was closed too often in an hour
 */
export const closeAccount =
  (deps: Deps) =>
  async (account: Account, by: ClosedBy): Promise<number | undefined> => {
    const reserved = await reserveClosing(deps, account, by);
    try {
      return await close(deps, account, by);
    } catch (error) {
      // Nothing was closed, so nothing was mailed.
      await reserved?.refund().catch(() => undefined);
      throw error;
    }
  };

const recordErased = ({ audit }: Pick<Deps, "audit">, tx: Tx, accountId: number): Promise<void> =>
  audit.record(tx.query, { event: "account_erased", outcome: "done", channel: "none", accountId });

const close = (deps: Deps, account: Account, by: ClosedBy): Promise<number | undefined> =>
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
      await recordErased(deps, tx, account.id);
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

/** Erases the accounts whose grace period is over, with everything that hangs on them. */
export const eraseClosedAccounts = (deps: Pick<AccountDeps, "store" | "clock" | "audit" | "log">) => {
  const erase = (accountId: number): Promise<void> =>
    deps.store.transaction(async (tx) => {
      if (!(await eraseDueAccount(tx.query, accountId, deps.clock.now()))) return;
      await recordErased(deps, tx, accountId);
      tx.changed(accountId);
    }, "patient");

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
