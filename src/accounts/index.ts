import { hour, minute } from "../kernel/clock.ts";
import type { PublicJwk } from "../kernel/crypto/jwt/signing-keys.ts";
import type { Guard, Route } from "../kernel/http/route.ts";
import type { Timetable } from "../kernel/jobs.ts";
import type { Principal } from "./model/account.ts";
import { anyCredential, cookieOrPassword, createAuthenticate, peerOf } from "./sessions/authenticate.ts";
import { eraseClosedAccounts } from "./membership/close-account.ts";
import type { AccountDeps } from "./deps.ts";
import { addressRoutes } from "./address/routes.ts";
import { membershipRoutes } from "./membership/routes.ts";
import { profileRoutes } from "./profile/routes.ts";
import { recoveryRoutes } from "./recovery/routes.ts";
import { sessionRoutes } from "./sessions/routes.ts";
import { createSessions } from "./sessions/sessions.ts";
import { deviceLifetimeMs } from "./sessions/remember-device.ts";
import { purgeCodes } from "./store/codes.ts";
import { purgeDevices } from "./store/devices.ts";
import { createUseCases, type AccountUseCases } from "./use-cases.ts";
import { createPasswordChecks } from "./credentials/verify-password.ts";

export type { Account, Peer, Principal, Whence } from "./model/account.ts";
export type { AccountDeps, AccountPolicy } from "./deps.ts";
export { closeAccountRefuses } from "./membership/close-account.ts";
export { changeAccountRefuses, type AccountChange } from "./profile/change-account.ts";
export type { AccountUseCases } from "./use-cases.ts";
export { accountRefusals } from "./model/refusals.ts";
export { accountChannels, accountEvents } from "./model/audit-events.ts";
export { accountLimits } from "./model/limits.ts";
export { createSigningKeys, signingKeyStatus, type SigningKeyStatus } from "./signing/signing-keys.ts";
export { displayNameIssue } from "./model/display-name.ts";
export { parseEmailAddress } from "../kernel/text/email-address.ts";
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

/**
 * Builds the room, and starts nothing: jobs run once a timetable does, and whoever stops it calls `flush` last.
 *
 * @example
 * const accounts = createAccounts(deps);
 * const rows = [...accounts.routes, ...track.routes];
 * // In a row of another room: by session cookie, token or password. Throws a Refusal when there is none.
 * const { account } = await accounts.anyCredential.admit(incoming);
 * // The operator does by the same use cases what people do by HTTP.
 * await accounts.use.lockAccount(account.id, { userAgent: "latchkey command line, ada" });
 */
export const createAccounts = (deps: AccountDeps): Accounts => {
  const sessions = createSessions(deps);
  const passwordChecks = createPasswordChecks(deps);
  const authenticate = createAuthenticate({ store: deps.store, sessions, passwordChecks });
  const gates = {
    anyCredential: anyCredential(authenticate),
    cookieOrPassword: cookieOrPassword(authenticate),
    limit: deps.rate,
  };
  const use = createUseCases({ ...deps, sessions, passwordChecks });
  const { store, clock } = deps;

  const purge = async (signal: AbortSignal): Promise<void> => {
    await sessions.purge(signal);
    await purgeCodes(store.query, clock.now(), signal);
    await purgeDevices(store.query, clock.now() - deviceLifetimeMs, signal);
  };

  return {
    routes: [
      ...membershipRoutes(use, gates, deps.policy.passwordMin),
      ...sessionRoutes(use, gates),
      ...recoveryRoutes(use, deps.policy.passwordMin),
      ...addressRoutes(use, gates),
      ...profileRoutes(use, gates, deps.audit.vocabulary),
    ],
    anyCredential: gates.anyCredential,
    use,
    publicKeys: () => deps.signingKeys.publicKeys(),
    registerJobs: (timetable) => {
      timetable.register("purge-sessions-and-codes", 10 * minute, purge);
      timetable.register("erase-closed-accounts", hour, eraseClosedAccounts(deps));
    },
    flush: () => sessions.flushSeen(),
  };
};
