import type { Account, Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { addressTaken, enterAccount, refuseWeakPassword, type Newcomer } from "./newcomer.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "passwords" | "audit" | "policy" | "provision"
>;

/**
 * An account made by the operator: what a sign-up makes, without mail, session and limit.
 *
 * @param verified whether the operator vouches that the address is the owner's
 * @throws Refusal input_invalid, busy
 */
export const createAccount =
  (deps: Deps) =>
  async (newcomer: Newcomer & { readonly verified: boolean }, whence: Whence): Promise<Account> => {
    refuseWeakPassword(deps, newcomer);
    const passwordHash = await deps.passwords.hash(newcomer.password);
    return deps.store.transaction(async (tx) => {
      const emailVerifiedAt = newcomer.verified ? deps.clock.now() : null;
      const account = await enterAccount(deps, tx, { ...newcomer, passwordHash, emailVerifiedAt });
      if (!account) throw addressTaken();
      await deps.audit.record(tx.query, {
        event: "sign_up",
        outcome: "done",
        channel: "cli",
        accountId: account.id,
        ...whence,
      });
      return account;
    });
  };
