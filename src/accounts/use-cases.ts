import { changeAccount } from "./profile/change-account.ts";
import { revokeSigningKey, rotateSigningKey } from "./sessions/change-signing-keys.ts";
import { dropEmailChange, requestEmailChange } from "./address/change-email.ts";
import { closeAccount } from "./membership/close-account.ts";
import { undoClose } from "./membership/undo-close.ts";
import { confirmEmail } from "./address/confirm-email.ts";
import { confirmReset } from "./recovery/confirm-reset.ts";
import { createAccount } from "./membership/create-account.ts";
import type { AccountDeps } from "./deps.ts";
import { findAccount } from "./membership/find-account.ts";
import { issueReset } from "./recovery/issue-reset.ts";
import { listMyAudit, listMySessions, readMyAccount } from "./profile/my-account.ts";
import { proveOwner } from "./credentials/prove-owner.ts";
import { lockAccount, unlockAccount } from "./membership/lock-account.ts";
import { requestReset, requestVerification } from "./recovery/request-code.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { signIn } from "./sessions/sign-in.ts";
import { endMySession, endOtherSessions, endSession } from "./sessions/sign-out.ts";
import { signUp } from "./membership/sign-up.ts";
import { replaceToken, revealToken, revokeToken } from "./credentials/tokens.ts";
import type { PasswordChecks } from "./credentials/verify-password.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Peer, Principal } from "./model/account.ts";

/** Every use case of the room, with its dependencies in place. */
export const createUseCases = (
  deps: AccountDeps & { readonly sessions: Sessions; readonly passwordChecks: PasswordChecks },
) => {
  const endOne = endSession(deps);
  return {
    signUp: signUp(deps),
    signIn: signIn(deps),
    endOtherSessions: endOtherSessions(deps),
    endMySession: endMySession(deps),
    endSessionOfCookie: async (cookie: string, peer: Peer): Promise<void> => {
      const session = await deps.sessions.resolve(cookie);
      if (session) await endOne({ jti: session.jti, accountId: session.account.id }, peer);
    },
    requestReset: requestReset(deps),
    confirmReset: confirmReset(deps),
    requestVerification: requestVerification(deps),
    confirmEmail: confirmEmail(deps),
    requestEmailChange: requestEmailChange(deps),
    dropEmailChange: dropEmailChange(deps),
    readMyAccount: readMyAccount(deps),
    listMySessions: listMySessions(deps),
    listMyAudit: listMyAudit(deps),
    proveOwner: (principal: Principal, password: Secret, peer: Peer) =>
      proveOwner(deps, principal, password, peer),
    closeAccount: closeAccount(deps),
    undoClose: undoClose(deps),
    changeAccount: changeAccount(deps),
    replaceToken: replaceToken(deps),
    revokeToken: revokeToken(deps),
    revealToken: revealToken(deps),
    createAccount: createAccount(deps),
    findAccount: findAccount(deps),
    lockAccount: lockAccount(deps),
    unlockAccount: unlockAccount(deps),
    issueReset: issueReset(deps),
    rotateSigningKey: rotateSigningKey(deps),
    revokeSigningKey: revokeSigningKey(deps),
  };
};

export type AccountUseCases = ReturnType<typeof createUseCases>;
