import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import { givenBackUnlessDone } from "../../kernel/limits/give-back.ts";
import type { Refundable, RefusedTry } from "../../kernel/limits/tries.ts";
import type { Peer } from "../model/account.ts";
import { verifiesFirst, type AccountDeps } from "../deps.ts";
import type { EmailAddress } from "../../kernel/text/email-address.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import { issueCode, verifyCodeLifetimeMs } from "../mailing/mail-codes.ts";
import { addressTakenMail, verifyEmailMail } from "../mailing/mails.ts";
import { addressTaken, enterAccount, refuseWeakPassword, type Newcomer } from "./newcomer.ts";
import { rememberDevice } from "../sessions/remember-device.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Entered, ShownDevice } from "../sessions/sign-in.ts";
import { accountByEmail } from "../store/accounts.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  AccountDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "passwords"
  | "tries"
  | "limits"
  | "mail"
  | "audit"
  | "policy"
  | "links"
  | "provision"
> & { readonly sessions: Sessions };

type Arrival = Newcomer & { readonly remember: boolean; readonly device: ShownDevice };

/**
 * Makes an account with its token and what products provide, mails a code to verify the address, and
 * signs the newcomer in, unless addresses are verified first. With `hideAccounts` taken addresses get the same
 * answer: the mail tells the owner of the address what is the case.
 * @returns the `Set-Cookie` lines, when the newcomer is signed in.
 * @throws Refusal input_invalid, sign_up_throttled, busy
 */
export const signUp =
  (deps: Deps) =>
  async (newcomer: Arrival, peer: Peer): Promise<Entered | undefined> => {
    refuseWeakPassword(deps, newcomer);
    const { network, mail } = await reserve(deps, newcomer.email, peer);
    const entering = () => enterOnce(deps, newcomer, peer, mail !== undefined);
    return givenBackUnlessDone(network, () => (mail ? givenBackUnlessDone(mail, entering) : entering()));
  };

type Reserved = { readonly network: Refundable; readonly mail: Refundable | undefined };

/**
 * Before the hash, and in one transaction. The mail is asked for everybody's address, so that a taken one costs the
 * same; where accounts are not hidden, nobody is told by mail.
 * @throws Refusal sign_up_throttled
 */
const reserve = async (
  { store, tries, limits, policy }: Deps,
  email: EmailAddress,
  peer: Peer,
): Promise<Reserved> => {
  const ofNetwork = triesOfNetwork(limits.signUpsOfNetwork, peer.network);
  const reserved =
    (await tries.refused(ofNetwork)) ??
    (await store.transaction(async (tx): Promise<Reserved | RefusedTry> => {
      const network = await tries.reserveIn(tx, ofNetwork);
      if (!network.ok) return network;
      if (!policy.hideAccounts) return { network, mail: undefined };
      const mail = await tries.reserveIn(tx, [{ policy: limits.mailsToAddress, value: email.canonical }]);
      return { network, mail: mail.ok ? mail : undefined };
    }));
  if ("network" in reserved) return reserved;
  throw new Refusal(refusals.sign_up_throttled, { retryAfter: reserved.retryAfterSeconds });
};

const enterOnce = async (
  deps: Deps,
  newcomer: Arrival,
  peer: Peer,
  mayMail: boolean,
): Promise<Entered | undefined> => {
  const { policy, clock } = deps;
  const passwordHash = await deps.passwords.hash(newcomer.password);
  const signer = await deps.sessions.signer();
  const outcome = await deps.store.transaction(async (tx): Promise<{ entered?: Entered } | "taken"> => {
    const now = clock.now();
    const account = await enterAccount(deps, tx, { ...newcomer, passwordHash, emailVerifiedAt: null });
    if (!account) {
      await noteTaken(deps, tx, { email: newcomer.email, mayMail, peer });
      return "taken";
    }
    const code = await issueCode(deps, tx, {
      accountId: account.id,
      purpose: "verify_email",
      expiresAt: now + verifyCodeLifetimeMs,
    });
    await deps.mail.enqueue(tx, verifyEmailMail(account.email, deps.links, code));
    await deps.audit.record(tx.query, {
      event: "sign_up",
      outcome: "done",
      channel: "password",
      accountId: account.id,
      ...peer,
    });
    if (verifiesFirst(policy)) return {};
    const session = await deps.sessions.issue(tx, account, { remember: newcomer.remember, peer, signer });
    const { cookie, keeps } = newcomer.device;
    const device = keeps ? await rememberDevice(deps, tx, account.id, cookie) : undefined;
    return { entered: { session, device } };
  });
  if (outcome !== "taken") return outcome.entered;
  if (policy.hideAccounts) return undefined;
  throw addressTaken();
};

/** Writes the attempt down and, where answers hide it, tells the owner of the address. */
const noteTaken = async (
  deps: Pick<Deps, "audit" | "mail" | "policy" | "links">,
  tx: Tx,
  tried: { readonly email: EmailAddress; readonly mayMail: boolean; readonly peer: Peer },
): Promise<void> => {
  const owner = await accountByEmail(tx.query, tried.email.canonical);
  await deps.audit.record(tx.query, {
    event: "sign_up",
    outcome: "refused",
    channel: "none",
    accountId: owner?.id,
    ...tried.peer,
  });
  if (!deps.policy.hideAccounts || !owner) return;
  await deps.mail.enqueue(tx, addressTakenMail(owner.email, deps.links, "sign up with it"), {
    discard: !tried.mayMail,
  });
};
