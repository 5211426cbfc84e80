import { Refusal } from "../../kernel/errors.ts";
import type { Account } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { refusals } from "../model/refusals.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";

type Deps = Pick<AccountDeps, "tries" | "limits">;

/**
 * Whether its owner is told of what happened to the account. Always, once somebody has proved to read the
 * address; before that it may be a stranger's, who is not to be flooded, and the mail counts.
 */
export const mayTell = async ({ tries, limits }: Deps, account: Account): Promise<boolean> =>
  account.emailVerifiedAt !== null ||
  (await tries.reserve([{ policy: limits.mailsToAddress, value: account.emailCanonical }])).ok;

/** A token can be replaced again and again by whoever has it; the first mails tell enough. */
export const mayTellOfToken = async (deps: Deps, account: Account): Promise<boolean> =>
  (await deps.tries.reserve([{ policy: deps.limits.tokenMailsOfAccount, value: String(account.id) }])).ok &&
  mayTell(deps, account);

/** For a mail that must reach its address, or the call makes no sense. @throws Refusal mail_throttled */
export const reserveMailTo = async ({ tries, limits }: Deps, address: EmailAddress): Promise<void> => {
  const reserved = await tries.reserve([{ policy: limits.mailsToAddress, value: address.canonical }]);
  if (!reserved.ok) throw new Refusal(refusals.mail_throttled, { retryAfter: reserved.retryAfterSeconds });
};
