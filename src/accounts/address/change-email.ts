import { invalid, Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Peer, Principal } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { holdOpen } from "../credentials/hold-open.ts";
import { mayTell } from "../mailing/mail-cap.ts";
import { pendMove, reserveNewAddress } from "./move-address.ts";
import { proveOwner } from "../credentials/prove-owner.ts";
import { deleteCodes } from "../store/codes.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "tries" | "limits" | "mail" | "audit" | "policy" | "links"
> & { readonly passwordChecks: PasswordChecks };

/**
 * Asks for another address. The account keeps the one it has until the code that is mailed to the new one is
 * confirmed; the newest request counts. A pending address reserves nothing.
 * @throws Refusal input_invalid, credentials_wrong, login_throttled, sign_up_throttled, mail_throttled, busy
 */
export const requestEmailChange =
  (deps: Deps) =>
  async (
    principal: Principal,
    wanted: { readonly email: EmailAddress; readonly currentPassword: Secret },
    peer: Peer,
  ): Promise<void> => {
    const { account } = principal;
    await proveOwner(deps, principal, wanted.currentPassword, peer);
    if (wanted.email.canonical === account.emailCanonical) {
      throw invalid("email", "same", "email is the address that the account has already");
    }
    const to = await reserveNewAddress(deps, wanted.email, peer);
    const tell = await mayTell(deps, account);
    await deps.store.transaction(async (tx) => {
      const held = await holdOpen(tx, account.id);
      // The password that was proved must still be the current one, or its change would not have stopped this.
      if (held.credentialVersion !== account.credentialVersion) throw new Refusal(refusals.credentials_wrong);
      await pendMove(deps, tx, { account: held, to, tell }, { channel: principal.via, peer });
    });
  };

/** Drops a change that is not confirmed yet. Nothing happens when there is none. */
export const dropEmailChange =
  (deps: Pick<Deps, "store" | "audit">) =>
  ({ account, via }: Principal, peer: Peer): Promise<void> =>
    deps.store.transaction(async (tx) => {
      await holdOpen(tx, account.id);
      if (!(await deleteCodes(tx.query, account.id, ["change_email"]))) return;
      await deps.audit.record(tx.query, {
        event: "email_change_dropped",
        outcome: "done",
        channel: via,
        accountId: account.id,
        ...peer,
      });
    });
