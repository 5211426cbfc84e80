import type { Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { editAccount } from "../store/accounts.ts";
import { deleteCodes } from "../store/codes.ts";
import { deleteSessionsOf } from "../store/sessions.ts";

type Deps = Pick<AccountDeps, "store" | "clock" | "audit">;

/** The operator's lock: from the commit on no credential of the account works, until it is unlocked. */
export const lockAccount =
  (deps: Deps) =>
  (accountId: number, whence: Whence): Promise<void> =>
    deps.store.transaction(async (tx) => {
      const now = deps.clock.now();
      await editAccount(tx.query, { id: accountId }, { locked_at: now }, now);
      await deleteSessionsOf(tx.query, accountId);
      await deleteCodes(tx.query, accountId, ["reset", "change_email"]);
      await deps.audit.record(tx.query, {
        event: "account_locked",
        outcome: "done",
        channel: "cli",
        accountId,
        ...whence,
      });
      tx.changed(accountId);
    });

/** Password and token work again; sessions that ended stay ended. */
export const unlockAccount =
  (deps: Deps) =>
  (accountId: number, whence: Whence): Promise<void> =>
    deps.store.transaction(async (tx) => {
      await editAccount(tx.query, { id: accountId }, { locked_at: null }, deps.clock.now());
      await deps.audit.record(tx.query, {
        event: "account_unlocked",
        outcome: "done",
        channel: "cli",
        accountId,
        ...whence,
      });
      tx.changed(accountId);
    });
