import { Refusal } from "../../kernel/errors.ts";
import { isOpen, type Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { mayTell } from "../mailing/mail-cap.ts";
import { digestOfCode, reserveCodeTry, withRefusedCodeAudited } from "../mailing/mail-codes.ts";
import { emailChangedMail } from "../mailing/mails.ts";
import { addressTaken } from "../membership/newcomer.ts";
import { accountById, editAccount, holdAccount, isUniqueViolation } from "../store/accounts.ts";
import { deleteCodes, findCode, takeCode } from "../store/codes.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<AccountDeps, "store" | "clock" | "tries" | "limits" | "mail" | "audit" | "links">;

const purposes = ["verify_email", "change_email"] as const;

/**
 * Confirms that the owner of the account reads the mails of the address that the code was mailed to: of the one that
 * the account has, or of the one that it is to move to, and moves it there. An address that somebody else took
 * meanwhile is refused, and the code stays.
 * @returns the account's address
 * @throws Refusal code_refused, code_throttled, input_invalid
 */
export const confirmEmail =
  (deps: Deps) =>
  async (typedCode: string, peer: Peer): Promise<string> => {
    await reserveCodeTry(deps, peer.network);
    return withRefusedCodeAudited(deps, { event: "email_verified", peer }, async () => {
      const digest = digestOfCode(typedCode);
      const found = await findCode(deps.store.query, purposes, digest, deps.clock.now());
      const asked = found && (await accountById(deps.store.query, found.accountId));
      if (!asked || !isOpen(asked)) throw new Refusal(refusals.code_refused);
      const tell = found.email !== undefined && (await mayTell(deps, asked));
      return deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const before = await holdAccount(tx.query, asked.id);
        const code = await takeCode(tx.query, purposes, digest, now);
        if (!before || !isOpen(before) || !code) throw new Refusal(refusals.code_refused);
        const { email } = code;
        const move = email === undefined ? {} : { email: email.address, email_canonical: email.canonical };
        const edit = { ...move, email_verified_at: now };
        const account = await editAccount(tx.query, before, edit, now).catch((error: unknown) => {
          throw email && isUniqueViolation(error) ? addressTaken() : error;
        });
        if (!account) throw new Refusal(refusals.code_refused);
        if (email) {
          // They lie in the old mailbox, which may be somebody else's from now on.
          await deleteCodes(tx.query, account.id, ["reset", "verify_email"]);
          if (tell) {
            await deps.mail.enqueue(tx, emailChangedMail(before.email, deps.links, now));
          }
        }
        await deps.audit.record(tx.query, {
          event: email ? "email_changed" : "email_verified",
          outcome: "done",
          channel: "code",
          accountId: account.id,
          ...peer,
        });
        tx.changed(account.id);
        return account.email;
      });
    });
  };
