import { day, hour, minute } from "../kernel/clock.ts";
import type { PublicJwk } from "../kernel/crypto/signing-keys.ts";
import type { Guard, Route } from "../kernel/http/route.ts";
import type { Timetable } from "../kernel/jobs.ts";
import type { Principal } from "./account.ts";
import { anyCredential, cookieOrPassword, createAuthenticate, peerOf } from "./authenticate.ts";
import { eraseClosedAccounts } from "./close-account.ts";
import type { AccountDeps } from "./deps.ts";
import { myAccountRoutes } from "./my-account-routes.ts";
import { accountRoutes } from "./routes.ts";
import { createSessions } from "./sessions.ts";
import { purgeCodes } from "./store/codes.ts";
import { purgeSessions } from "./store/sessions.ts";
import { createUseCases, type AccountUseCases } from "./use-cases.ts";
import { createPasswordChecks } from "./verify-password.ts";

export type { Account, Peer, Principal, Whence } from "./account.ts";
export type { AccountDeps, AccountPolicy } from "./deps.ts";
export type { AccountChange } from "./change-account.ts";
export type { AccountUseCases } from "./use-cases.ts";
export { accountLimits } from "./limits.ts";
export { createSigningKeys, signingKeyStatus, type SigningKeyStatus } from "./signing-keys.ts";
export { displayNameIssue } from "./display-name.ts";
export { parseEmailAddress } from "./email-address.ts";
export { accountSealedColumns } from "./store/sealed-columns.ts";
export { peerOf };

/** Who you are. The door of the room: what the house may use of it. */
export type Accounts = {
  readonly routes: readonly Route[];
  readonly anyCredential: Guard<Principal>;
  readonly use: AccountUseCases;
  readonly publicKeys: () => Promise<readonly PublicJwk[]>;
  readonly registerJobs: (timetable: Timetable) => void;
  /** Writes what was only in memory. */
  readonly flush: () => Promise<void>;
};

export const createAccounts = (deps: AccountDeps): Accounts => {
  const sessions = createSessions(deps);
  const passwordChecks = createPasswordChecks(deps);
  const authenticate = createAuthenticate({ store: deps.store, sessions, passwordChecks });
  const guards = {
    anyCredential: anyCredential(authenticate),
    cookieOrPassword: cookieOrPassword(authenticate),
  };
  const use = createUseCases({ ...deps, sessions, passwordChecks });
  const { store, clock, policy } = deps;

  const purge = async (): Promise<void> => {
    const now = clock.now();
    const idleSince = policy.sessionIdleDays === 0 ? 0 : now - policy.sessionIdleDays * day;
    await purgeSessions(store.query, now, idleSince);
    await purgeCodes(store.query, now);
  };

  return {
    routes: [
      ...accountRoutes(use, guards, deps.rate, policy.passwordMin),
      ...myAccountRoutes(use, guards.cookieOrPassword, deps.rate),
    ],
    anyCredential: guards.anyCredential,
    use,
    publicKeys: () => deps.signingKeys.publicKeys(),
    registerJobs: (timetable) => {
      timetable.register("purge-sessions-and-codes", 10 * minute, purge);
      timetable.register("erase-closed-accounts", hour, eraseClosedAccounts(deps));
    },
    flush: () => sessions.flushSeen(),
  };
};
