import { Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { Sessions } from "./sessions.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";

type Deps = Pick<AccountDeps, "store" | "audit"> & {
  readonly sessions: Sessions;
  readonly passwordChecks: PasswordChecks;
};

export type SignInFacts = {
  readonly email: string;
  readonly password: Secret;
  readonly remember: boolean;
};

/**
 * Starts a session for whoever knows the password. Always a new one: no cookie that was there before is
 * ever the cookie after.
 * @returns the `Set-Cookie` line
 * @throws Refusal credentials_wrong, email_unverified, login_throttled, busy
 */
export const signIn =
  (deps: Deps) =>
  async ({ email, password, remember }: SignInFacts, peer: Peer): Promise<string> => {
    const { account, counted } = await deps.passwordChecks.ofAddress(email, password, peer);
    const signer = await deps.sessions.signer();
    try {
      return await deps.store.transaction(async (tx) => {
        const cookie = await deps.sessions.issue(tx, account, { remember, peer, signer });
        await deps.audit.record(tx.query, {
          event: "sign_in",
          outcome: "done",
          channel: "password",
          accountId: account.id,
          ...peer,
        });
        await counted.refundIn(tx);
        return cookie;
      });
    } catch (error) {
      // Nothing was written, and the password was right. After a fault of the store nobody knows what was.
      if (error instanceof Refusal) await counted.refund();
      throw error;
    }
  };
