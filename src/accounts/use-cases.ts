import { changeAccount } from "./change-account.ts";
import { revokeSigningKey, rotateSigningKey } from "./change-signing-keys.ts";
import { dropEmailChange, requestEmailChange } from "./change-email.ts";
import { closeAccount, undoClose } from "./close-account.ts";
import { confirmEmail } from "./confirm-email.ts";
import { confirmReset } from "./confirm-reset.ts";
import { createAccount } from "./create-account.ts";
import type { AccountDeps } from "./deps.ts";
import { findAccount } from "./find-account.ts";
import { issueReset } from "./issue-reset.ts";
import { listMyAudit, listMySessions, readMyAccount } from "./my-account.ts";
import { proveOwner } from "./prove-owner.ts";
import { lockAccount, unlockAccount } from "./lock-account.ts";
import { requestReset, requestVerification } from "./request-code.ts";
import type { Sessions } from "./sessions.ts";
import { signIn } from "./sign-in.ts";
import { endMySession, endOtherSessions, endSession } from "./sign-out.ts";
import { signUp } from "./sign-up.ts";
import { replaceToken, revealToken, revokeToken } from "./tokens.ts";
import type { PasswordChecks } from "./verify-password.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Peer, Principal } from "./account.ts";

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
