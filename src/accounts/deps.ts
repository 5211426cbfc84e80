import type { Clock } from "../kernel/clock.ts";
import type { Passwords } from "../kernel/crypto/passwords/password.ts";
import type { RootKeys } from "../kernel/crypto/root-keys.ts";
import type { Store, Tx } from "../kernel/db/store.ts";
import type { Limit } from "../kernel/http/route.ts";
import type { Random } from "../kernel/ids.ts";
import type { Tries } from "../kernel/limits/tries.ts";
import type { MailQueue } from "../kernel/mail/queue.ts";
import type { Audit } from "../kernel/telemetry/audit.ts";
import type { Log } from "../kernel/telemetry/log.ts";
import type { Account, Principal } from "./model/account.ts";
import type { AccountAudit } from "./model/audit-events.ts";
import type { AccountLimits } from "./model/limits.ts";
import type { SigningKeys } from "./signing/signing-keys.ts";

/** What an operator may decide about accounts. */
export type AccountPolicy = {
  readonly origin: URL;
  readonly passwordMin: number;
  readonly hideAccounts: boolean;
  readonly requireVerifiedEmail: boolean;
  readonly revealToken: boolean;
  /** 0: sessions don't end for want of use. */
  readonly sessionIdleDays: number;
  readonly closeGraceDays: number;
};

/** Whether nobody signs in by password before their address is verified. */
export const verifiesFirst = (policy: AccountPolicy): boolean =>
  policy.hideAccounts || policy.requireVerifiedEmail;

/** Where the mails of this room lead: addresses of pages, which take a code behind `#`. */
export type AccountLinks = {
  readonly origin: string;
  readonly verify: string;
  readonly forgot: string;
  readonly reset: string;
  readonly undoClose: string;
  readonly tokens: string;
};

/** Everything that use cases of this room may touch; each one names what it takes with `Pick`. */
export type AccountDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rootKeys: RootKeys;
  readonly passwords: Passwords;
  readonly tries: Tries;
  readonly limits: AccountLimits;
  /** How often one credential may call. */
  readonly rate: Limit<Principal>;
  readonly mail: MailQueue;
  readonly audit: Audit<AccountAudit>;
  readonly log: Log;
  readonly signingKeys: SigningKeys;
  readonly policy: AccountPolicy;
  readonly links: AccountLinks;
  /** What products make for a new account, in the transaction that makes the account. */
  readonly provision: (tx: Tx, account: Account) => Promise<void>;
};
