import { passwordIssue } from "../model/password-issue.ts";
import { invalid, Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import { isOpen, type Account, type Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { endCredentials } from "../credentials/end-credentials.ts";
import { whileCodeTried } from "../mailing/mail-codes.ts";
import { passwordResetMail } from "../mailing/mails.ts";
import { rememberDevice } from "../sessions/remember-device.ts";
import type { Entered, ShownDevice } from "../sessions/sign-in.ts";
import type { Sessions } from "../sessions/sessions.ts";
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
> & { readonly sessions: Sessions };

export type NewPassword = {
  readonly password: Secret;
  /** For whoever lost nothing but the password. */
  readonly keepToken: boolean;
  readonly device: ShownDevice;
};

export type Reset = {
  readonly entered: Entered;
  readonly tokenReplaced: boolean;
};

/** Nobody knows who made the token of an account whose address was never proved before. */
const refuseStrangersToken = ({ emailVerifiedAt }: Account, { keepToken }: NewPassword): void => {
  if (!keepToken || emailVerifiedAt !== null) return;
  throw invalid(
    "keep_token",
    "unproved",
    "keep_token must be false: this address is confirmed for the first time, so the token may be somebody else's",
  );
};

/**
 * Sets a new password with a mailed code, ends every credential of before, the API token included unless it is to be
 * kept, and starts a new session. The code is used up in the transaction that changes the password: of any number of
 * callers one gets through. Wrong, used, replaced and expired codes, and those of other purposes, get one answer.
 * @throws Refusal code_refused, code_throttled, input_invalid, busy
 */
export const confirmReset =
  (deps: Deps) =>
  (typedCode: string, wanted: NewPassword, peer: Peer): Promise<Reset> => {
    const tried = { code: typedCode, purposes: ["reset"], event: "reset_confirmed", peer } as const;
    return whileCodeTried(deps, tried, async ({ accountId, digest }) => {
      const asked = await accountById(deps.store.query, accountId);
      if (!asked || !isOpen(asked)) throw new Refusal(refusals.code_refused);
      refuseStrangersToken(asked, wanted);
      const issue = passwordIssue(wanted.password, {
        minimum: deps.policy.passwordMin,
        context: [asked.email, asked.displayName],
      });
      if (issue) throw new Refusal(refusals.input_invalid, { issues: [issue] });

      const passwordHash = await deps.passwords.hash(wanted.password);
      const signer = await deps.sessions.signer();
      return deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const taken = await takeCode(tx.query, ["reset"], digest, now);
        if (!taken) throw new Refusal(refusals.code_refused);
        const before = await holdAccount(tx.query, accountId);
        if (!before || !isOpen(before)) throw new Refusal(refusals.code_refused);
        refuseStrangersToken(before, wanted);
        const account = await editAccount(
          tx.query,
          before,
          {
            password_hash: passwordHash,
            authorization_updated_at: now,
            // Whoever has the code reads the mails of the address.
            email_verified_at: before.emailVerifiedAt ?? now,
          },
          now,
        );
        if (!account) throw new Refusal(refusals.code_refused);
        await deps.audit.record(tx.query, {
          event: "reset_confirmed",
          outcome: "done",
          channel: "code",
          accountId,
          ...peer,
        });
        const tokenReplaced = await endCredentials(
          deps,
          tx,
          { accountId, peer },
          { token: wanted.keepToken, rest: false },
        );
        await deps.mail.enqueue(tx, passwordResetMail(account.email, deps.links, now, { tokenReplaced }));
        // The guesses that others made at the old password must not keep the owner from using the new one.
        await deps.tries.clear(tx.query, {
          policy: deps.limits.passwordOfAddress,
          value: account.emailCanonical,
        });
        const session = await deps.sessions.issue(tx, account, { remember: false, peer, signer });
        // Under a new cookie: the one that it had may be in other hands.
        const device = wanted.device.keeps ? await rememberDevice(deps, tx, accountId, undefined) : undefined;
        return { entered: { session, device }, tokenReplaced };
      });
    });
  };
