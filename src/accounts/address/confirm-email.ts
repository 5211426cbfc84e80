import { Refusal } from "../../kernel/errors.ts";
import type { BasicCredentials } from "../../kernel/http/basic.ts";
import { isOpen, type Account, type Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { endCredentials, type KeptCredentials } from "../credentials/end-credentials.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";
import { mayTell } from "../mailing/mail-cap.ts";
import { whileCodeTried } from "../mailing/mail-codes.ts";
import { emailChangedMail, tokenReplacedMail } from "../mailing/mails.ts";
import { addressTaken } from "../membership/newcomer.ts";
import { parseEmailAddress } from "../../kernel/text/email-address.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { accountById, editAccount, holdAccount, isUniqueViolation } from "../store/accounts.ts";
import { deleteCodes, takeCode } from "../store/codes.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "tries" | "limits" | "mail" | "audit" | "links"
> & { readonly sessions: Sessions; readonly passwordChecks: PasswordChecks };

/** What came along with the code; Basic decides when both did. */
export type ShownWithCode = {
  readonly cookie: string | undefined;
  readonly basic: BasicCredentials | undefined;
};

export type ConfirmedEmail = { readonly email: string; readonly tokenReplaced: boolean };

const purposes = ["verify_email", "change_email"] as const;

/** The password is tried under the account that the code is of: strangers, who have no code, can't use its tries up. */
const isPasswordOf = async (
  { passwordChecks }: Deps,
  account: Account,
  { user, password }: BasicCredentials,
  peer: Peer,
): Promise<boolean> => {
  const parsed = parseEmailAddress(user);
  if (!("canonical" in parsed) || parsed.canonical !== account.emailCanonical) return false;
  const caller = {
    account,
    via: "password",
    sessionId: undefined,
    credential: `confirm:${account.id}`,
  } as const;
  return passwordChecks.ofKnownCaller(caller, password, peer);
};

/**
 * What of before is the confirming person's own: the session that they came with, the token, which whoever is signed in
 * may have copied already, and what they asked for.
 * @throws Refusal credentials_wrong when the address and password that came along are not the account's
 */
const keptBy = async (
  deps: Deps,
  account: Account,
  { cookie, basic }: ShownWithCode,
  peer: Peer,
): Promise<KeptCredentials> => {
  if (basic) {
    if (!(await isPasswordOf(deps, account, basic, peer))) throw new Refusal(refusals.credentials_wrong);
    return { token: true, rest: true };
  }
  const session = cookie === undefined ? undefined : await deps.sessions.resolve(cookie);
  return session?.account.id === account.id
    ? { session: session.jti, token: true, rest: true }
    : { token: false, rest: false };
};

/**
 * Confirms that the owner of the account reads the mails of the address that the code was mailed to: of the one that
 * the account has, or of the one that it is to move to, and moves it there. An address that somebody else took
 * meanwhile is refused, and the code stays.
 *
 * The first proof of the address that the account has ends every credential of before, for anybody may have signed up
 * with it; but not what a person holds who confirms it in a session of the account, or with its password.
 * @throws Refusal code_refused, code_throttled, input_invalid, credentials_wrong, login_throttled, busy
 */
export const confirmEmail =
  (deps: Deps) =>
  (typedCode: string, shown: ShownWithCode, peer: Peer): Promise<ConfirmedEmail> => {
    const tried = { code: typedCode, purposes, event: "email_verified", peer } as const;
    return whileCodeTried(deps, tried, async (found) => {
      const { digest } = found;
      const asked = await accountById(deps.store.query, found.accountId);
      if (!asked || !isOpen(asked)) throw new Refusal(refusals.code_refused);
      const kept = await keptBy(deps, asked, shown, peer);
      const tell = found.email !== undefined && (await mayTell(deps, asked));
      return deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const before = await holdAccount(tx.query, asked.id);
        const code = await takeCode(tx.query, purposes, digest, now);
        if (!before || !isOpen(before) || !code) throw new Refusal(refusals.code_refused);
        // The password that was shown must still be the account's.
        if (shown.basic && before.credentialVersion !== asked.credentialVersion) {
          throw new Refusal(refusals.credentials_wrong);
        }
        const { email } = code;
        const move = email === undefined ? {} : { email: email.address, email_canonical: email.canonical };
        const edit = { ...move, email_verified_at: now };
        const account = await editAccount(tx.query, before, edit, now).catch((error: unknown) => {
          throw email && isUniqueViolation(error) ? addressTaken() : error;
        });
        if (!account) throw new Refusal(refusals.code_refused);
        await deps.audit.record(tx.query, {
          event: email ? "email_changed" : "email_verified",
          outcome: "done",
          channel: "code",
          accountId: account.id,
          ...peer,
        });
        tx.changed(account.id);
        if (email) {
          // They lie in the old mailbox, which may be somebody else's from now on.
          await deleteCodes(tx.query, account.id, ["reset", "verify_email"]);
          if (tell) {
            await deps.mail.enqueue(tx, emailChangedMail(before.email, deps.links, now));
          }
          return { email: account.email, tokenReplaced: false };
        }
        if (before.emailVerifiedAt !== null) return { email: account.email, tokenReplaced: false };
        const tokenReplaced = await endCredentials(deps, tx, { accountId: account.id, peer }, kept);
        if (tokenReplaced) {
          await editAccount(tx.query, account, { authorization_updated_at: now }, now);
          await deps.mail.enqueue(tx, tokenReplacedMail(account.email, deps.links, now, "first_proof"));
        }
        return { email: account.email, tokenReplaced };
      });
    });
  };
