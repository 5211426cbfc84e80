import { checkPassword } from "../kernel/crypto/password-policy.ts";
import type { Tx } from "../kernel/db/store.ts";
import { invalid, Refusal } from "../kernel/errors.ts";
import { newPublicId } from "../kernel/ids.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Account, Peer } from "./account.ts";
import type { AccountDeps } from "./deps.ts";
import type { EmailAddress } from "./email-address.ts";
import { issueCode, verifyCodeLifetimeMs } from "./mail-codes.ts";
import { addressTakenMail, verifyEmailMail } from "./mails.ts";
import type { Sessions } from "./sessions.ts";
import { accountByEmail, insertAccount } from "./store.ts";
import { storeNewToken } from "./tokens.ts";

type Deps = Pick<
  AccountDeps,
  "store" | "clock" | "random" | "rootKeys" | "passwords" | "tries" | "limits" | "mail" | "audit" | "policy" | "provision"
> & { readonly sessions: Sessions };

export type NewcomerFacts = {
  readonly email: EmailAddress;
  readonly password: Secret;
  readonly displayName: string | undefined;
  readonly timezone: string | undefined;
  readonly remember: boolean;
};

const taken = (): Refusal => invalid("email", "taken", "user with this email already exists");

/**
 * Makes an account with its token and what products provide, mails a code to verify the address, and
 * signs the newcomer in. With `hideAccounts` nobody is signed in and taken addresses get the same answer:
 * the mail tells the owner of the address what is the case.
 * @returns the `Set-Cookie` line, when the newcomer is signed in.
 * @throws Refusal input_invalid, sign_up_throttled, busy
 */
export const signUp =
  (deps: Deps) =>
  async (newcomer: NewcomerFacts, peer: Peer): Promise<string | undefined> => {
    const { policy, clock } = deps;
    const [localPart = ""] = newcomer.email.address.split("@");
    const displayName = newcomer.displayName ?? localPart;
    const issue = checkPassword(newcomer.password, {
      minimum: policy.passwordMin,
      context: [newcomer.email.address, displayName],
    });
    if (issue) throw new Refusal("input_invalid", { issues: [issue] });
    const reserved = await deps.tries.reserve([{ policy: deps.limits.signUpsOfNetwork, value: peer.network }]);
    if (!reserved.ok) throw new Refusal("sign_up_throttled", { retryAfter: reserved.retryAfterSeconds });

    const passwordHash = await deps.passwords.hash(newcomer.password);
    const signer = await deps.sessions.signer();
    const cookie = await deps.store.transaction(async (tx) => {
      const now = clock.now();
      const account = await insertAccount(
        tx.query,
        {
          publicId: newPublicId(deps.random),
          email: newcomer.email.address,
          emailCanonical: newcomer.email.canonical,
          displayName,
          timezone: newcomer.timezone ?? "UTC",
          passwordHash,
          emailVerifiedAt: null,
        },
        now,
      );
      if (!account) return "taken";
      await storeNewToken(deps, tx, account.id);
      await deps.provision(tx, account);
      const code = await issueCode(deps, tx, account.id, "verify_email", now + verifyCodeLifetimeMs);
      await deps.mail.enqueue(tx, verifyEmailMail(account.email, policy.origin.origin, code));
      await deps.audit.record(tx.query, {
        event: "sign_up",
        outcome: "done",
        channel: "password",
        accountId: account.id,
        ...peer,
      });
      if (policy.hideAccounts) return undefined;
      return deps.sessions.issue(tx, account, { remember: newcomer.remember, peer, signer });
    });
    if (cookie !== "taken") return cookie;
    return refuseTaken(deps, newcomer.email, peer);
  };

const refuseTaken = async (deps: Deps, email: EmailAddress, peer: Peer): Promise<undefined> => {
  const owner = await accountByEmail(deps.store.query, email.canonical);
  await deps.audit.record(deps.store.query, {
    event: "sign_up",
    outcome: "refused",
    channel: "none",
    accountId: owner?.id,
    ...peer,
  });
  if (!deps.policy.hideAccounts) throw taken();
  if (owner) await tellOwner(deps, owner);
  return undefined;
};

const tellOwner = async (deps: Deps, owner: Account): Promise<void> => {
  const reserved = await deps.tries.reserve([{ policy: deps.limits.mailsToAddress, value: owner.emailCanonical }]);
  if (!reserved.ok) return;
  await deps.store.transaction((tx: Tx) =>
    deps.mail.enqueue(tx, addressTakenMail(owner.email, deps.policy.origin.origin)),
  );
};
