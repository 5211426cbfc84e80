import { Refusal } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { isOpen, type Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { issueCode, resetCodeLifetimeMs } from "../mailing/mail-codes.ts";
import { accountById } from "../store/accounts.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<AccountDeps, "store" | "clock" | "random" | "rootKeys" | "audit">;

/**
 * A reset code that the operator brings to the owner by hand; no mail is sent. A code that was mailed before stops
 * working.
 *
 * @throws Refusal code_refused when the account is locked or closed: the code would be refused too
 */
export const issueReset =
  (deps: Deps) =>
  (accountId: number, whence: Whence): Promise<{ readonly code: Secret; readonly expiresAt: number }> =>
    deps.store.transaction(async (tx) => {
      const account = await accountById(tx.query, accountId);
      if (!account || !isOpen(account)) throw new Refusal(refusals.code_refused);
      const expiresAt = deps.clock.now() + resetCodeLifetimeMs;
      const code = await issueCode(deps, tx, {
        accountId: accountId,
        purpose: "reset",
        expiresAt: expiresAt,
      });
      await deps.audit.record(tx.query, {
        event: "reset_requested",
        outcome: "done",
        channel: "cli",
        accountId,
        ...whence,
      });
      return { code: new Secret(code), expiresAt };
    });
