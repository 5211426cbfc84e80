import { passwordIssue } from "../model/password-issue.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { invalid, Refusal } from "../../kernel/errors.ts";
import { newPublicId } from "../../kernel/ids.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Account } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { insertAccount } from "../store/accounts.ts";
import { storeNewToken } from "../credentials/tokens.ts";
import { refusals } from "../model/refusals.ts";

/** Who gets an account, by whichever way: a sign-up, or the operator. */
export type Newcomer = {
  readonly email: EmailAddress;
  readonly password: Secret;
  /** When left out, the part of the address before the @. */
  readonly displayName: string | undefined;
  /** When left out, UTC. */
  readonly timezone: string | undefined;
};

const displayNameOf = ({ displayName, email }: Pick<Newcomer, "displayName" | "email">): string =>
  displayName ?? email.address.split("@", 1)[0] ?? "";

/** @throws Refusal input_invalid when the password breaks a rule */
export const refuseWeakPassword = (deps: Pick<AccountDeps, "policy">, newcomer: Newcomer): void => {
  const issue = passwordIssue(newcomer.password, {
    minimum: deps.policy.passwordMin,
    context: [newcomer.email.address, displayNameOf(newcomer)],
  });
  if (issue) throw new Refusal(refusals.input_invalid, { issues: [issue] });
};

/** The account, with its token and what products provide for it. Undefined when the address is taken. */
export const enterAccount = async (
  deps: Pick<AccountDeps, "clock" | "random" | "rootKeys" | "provision">,
  tx: Tx,
  newcomer: Newcomer & { readonly passwordHash: string; readonly emailVerifiedAt: number | null },
): Promise<Account | undefined> => {
  const account = await insertAccount(
    tx.query,
    {
      publicId: newPublicId(deps.random),
      email: newcomer.email.address,
      emailCanonical: newcomer.email.canonical,
      displayName: displayNameOf(newcomer),
      timezone: newcomer.timezone ?? "UTC",
      passwordHash: newcomer.passwordHash,
      emailVerifiedAt: newcomer.emailVerifiedAt,
    },
    deps.clock.now(),
  );
  if (!account) return undefined;
  await storeNewToken(deps, tx, account.id);
  await deps.provision(tx, account);
  return account;
};

export const addressTaken = (): Refusal => invalid("email", "taken", "user with this email already exists");
