import { passwordIssue } from "../model/password-issue.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import { isOpen, type Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { digestOfCode, reserveCodeTry, withRefusedCodeAudited } from "../mailing/mail-codes.ts";
import { passwordChangedMail } from "../mailing/mails.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { accountById, editAccount } from "../store/accounts.ts";
import { deleteCodes, findCode, takeCode } from "../store/codes.ts";
import { deleteSessionsOf } from "../store/sessions.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "passwords" | "tries" | "limits" | "mail" | "audit" | "policy" | "links"
> & { readonly sessions: Sessions };

/**
 * Sets a new password with a mailed code, ends every session and starts a new one. The code is used up in
 * the transaction that changes the password: of any number of callers one gets through. Wrong, used,
 * replaced and expired codes, and those of other purposes, get one answer.
 * @returns the `Set-Cookie` line
 * @throws Refusal code_refused, code_throttled, input_invalid, busy
 */
export const confirmReset =
  (deps: Deps) =>
  async (typedCode: string, password: Secret, peer: Peer): Promise<string> => {
    await reserveCodeTry(deps, peer.network);
    return withRefusedCodeAudited(deps, { event: "reset_confirmed", peer }, async () => {
      const digest = digestOfCode(typedCode);
      const found = await findCode(deps.store.query, ["reset"], digest, deps.clock.now());
      const asked = found && (await accountById(deps.store.query, found.accountId));
      if (!asked || !isOpen(asked)) throw new Refusal(refusals.code_refused);
      const issue = passwordIssue(password, {
        minimum: deps.policy.passwordMin,
        context: [asked.email, asked.displayName],
      });
      if (issue) throw new Refusal(refusals.input_invalid, { issues: [issue] });

      const passwordHash = await deps.passwords.hash(password);
      const signer = await deps.sessions.signer();
      const cookie = await deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const taken = await takeCode(tx.query, ["reset"], digest, now);
        if (!taken) return undefined;
        const { accountId } = taken;
        const account = await editAccount(
          tx.query,
          { id: accountId },
          {
            password_hash: passwordHash,
            authorization_updated_at: now,
            // Whoever has the code reads the mails of the address.
            email_verified_at: asked.emailVerifiedAt ?? now,
          },
          now,
        );
        if (!account || !isOpen(account)) throw new Refusal(refusals.code_refused);
        await deleteSessionsOf(tx.query, accountId);
        await deleteCodes(tx.query, accountId, ["verify_email", "change_email"]);
        await deps.mail.enqueue(tx, passwordChangedMail(account.email, deps.links, now));
        await deps.audit.record(tx.query, {
          event: "reset_confirmed",
          outcome: "done",
          channel: "code",
          accountId,
          ...peer,
        });
        // The guesses that others made at the old password must not keep the owner from using the new one.
        await deps.tries.clear(tx.query, {
          policy: deps.limits.passwordOfAddress,
          value: account.emailCanonical,
        });
        tx.changed(accountId);
        return deps.sessions.issue(tx, account, { remember: false, peer, signer });
      });
      if (cookie === undefined) throw new Refusal(refusals.code_refused);
      return cookie;
    });
  };
