import { invalid } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Peer, Principal } from "../model/account.ts";
import type { PasswordChecks } from "./verify-password.ts";

/**
 * For what a cookie or a token alone must not do: they may be in more hands than the owner's.
 * @throws Refusal input_invalid when it is not the password; login_throttled, busy
 */
export const proveOwner = async (
  deps: { readonly passwordChecks: PasswordChecks },
  principal: Principal,
  currentPassword: Secret,
  peer: Peer,
): Promise<void> => {
  if (!(await deps.passwordChecks.ofKnownCaller(principal, currentPassword, peer))) {
    throw invalid("current_password", "wrong", "Current password is not valid");
  }
};
