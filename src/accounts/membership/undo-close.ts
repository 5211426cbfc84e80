import { passwordIssue } from "../model/password-issue.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import { endCredentials } from "../credentials/end-credentials.ts";
import type { AccountDeps } from "../deps.ts";
import { whileCodeTried } from "../mailing/mail-codes.ts";
import { accountTakenBackMail } from "../mailing/mails.ts";
import { isOpen, type Peer } from "../model/account.ts";
import { accountById, editAccount, holdAccount } from "../store/accounts.ts";
import { takeCode } from "../store/codes.ts";
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
>;

/**
 * Takes a closed account back with the mailed code, under a new password. Whatever credential closed it is worth
 * nothing any more: the former password, the API token and all sessions have ended.
 * @returns whether the API token was replaced
 * @throws Refusal code_refused, code_throttled, input_invalid, busy
 */
export const undoClose =
  (deps: Deps) =>
  (typedCode: string, password: Secret, peer: Peer): Promise<boolean> => {
    const tried = { code: typedCode, purposes: ["undo_close"], event: "close_undone", peer } as const;
    return whileCodeTried(deps, tried, async ({ accountId, digest }) => {
      const asked = await accountById(deps.store.query, accountId);
      // A lock is the operator's, and stays.
      if (!asked || asked.lockedAt !== null) throw new Refusal(refusals.code_refused);
      const issue = passwordIssue(password, {
        minimum: deps.policy.passwordMin,
        context: [asked.email, asked.displayName],
      });
      if (issue) throw new Refusal(refusals.input_invalid, { issues: [issue] });

      const passwordHash = await deps.passwords.hash(password);
      return deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const taken = await takeCode(tx.query, ["undo_close"], digest, now);
        const before = taken && (await holdAccount(tx.query, taken.accountId));
        const account =
          before &&
          (await editAccount(
            tx.query,
            before,
            {
              closed_at: null,
              erase_at: null,
              password_hash: passwordHash,
              authorization_updated_at: now,
              // Whoever has the code reads the mails of the address.
              email_verified_at: before.emailVerifiedAt ?? now,
            },
            now,
          ));
        if (!account || !isOpen(account)) throw new Refusal(refusals.code_refused);
        await deps.audit.record(tx.query, {
          event: "close_undone",
          outcome: "done",
          channel: "code",
          accountId: account.id,
          ...peer,
        });
        const tokenReplaced = await endCredentials(
          deps,
          tx,
          { accountId: account.id, peer },
          { token: false, rest: false },
        );
        await deps.mail.enqueue(tx, accountTakenBackMail(account.email, deps.links, now, { tokenReplaced }));
        // The guesses that others made at the old password must not keep the owner from using the new one.
        await deps.tries.clear(tx.query, {
          policy: deps.limits.passwordOfAddress,
          value: account.emailCanonical,
        });
        return tokenReplaced;
      });
    });
  };
