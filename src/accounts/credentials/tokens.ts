import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { open, seal, type Place } from "../../kernel/crypto/envelope.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { newHexId } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import { mayTellOfToken } from "../mailing/mail-cap.ts";
import { tokenReplacedMail } from "../mailing/mails.ts";
import type { Principal, Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { holdOpen } from "./hold-open.ts";
import { accountById, editAccount } from "../store/accounts.ts";
import { deleteToken, hasToken, putToken, sealedToken } from "../store/tokens.ts";

const placeOf = (accountId: number): Place => ({
  room: "accounts",
  row: String(accountId),
  field: "api_token",
  version: 1,
});

/** Gives the account a new personal token; the former one is gone when the transaction is committed. */
export const storeNewToken = async (
  deps: Pick<AccountDeps, "random" | "rootKeys" | "clock">,
  tx: Tx,
  accountId: number,
): Promise<Secret> => {
  const token = newHexId(deps.random);
  await putToken(
    tx.query,
    {
      accountId,
      digest: sha256Hex(token),
      // Clients read `api_token` out of `/me`, so a digest alone would not do.
      sealed: seal(deps.rootKeys, deps.random, placeOf(accountId), token),
    },
    deps.clock.now(),
  );
  return new Secret(token);
};

/** The account's token, for its owner's eyes. Undefined when there is none, or the operator does not reveal tokens. */
export const revealToken =
  (deps: Pick<AccountDeps, "store" | "rootKeys" | "policy">) =>
  async (accountId: number): Promise<Secret | undefined> => {
    if (!deps.policy.revealToken) return undefined;
    const sealed = await sealedToken(deps.store.query, accountId);
    return sealed === undefined ? undefined : open(deps.rootKeys, placeOf(accountId), sealed);
  };

type Deps = Pick<AccountDeps, "store" | "random" | "rootKeys" | "clock" | "audit">;

/** Replaces the personal token; the old one is refused from now on, and the owner is told by mail. */
export const replaceToken =
  (deps: Deps & Pick<AccountDeps, "tries" | "limits" | "mail" | "links">) =>
  async (
    accountId: number,
    by: { readonly channel: Principal["via"] | "cli"; readonly peer: Whence },
  ): Promise<Secret> => {
    const asked = await accountById(deps.store.query, accountId);
    const tell = asked !== undefined && (await mayTellOfToken(deps, asked));
    return deps.store.transaction(async (tx) => {
      // The operator may prepare a token for an account that is locked.
      if (by.channel !== "cli") await holdOpen(tx, accountId);
      const isReplaced = await hasToken(tx.query, accountId);
      const token = await storeNewToken(deps, tx, accountId);
      const now = deps.clock.now();
      const account = await editAccount(tx.query, { id: accountId }, { authorization_updated_at: now }, now);
      if (account && tell && isReplaced) {
        await deps.mail.enqueue(tx, tokenReplacedMail(account.email, deps.links, now, by.channel));
      }
      await deps.audit.record(tx.query, {
        event: "token_replaced",
        outcome: "done",
        channel: by.channel,
        accountId,
        ...by.peer,
      });
      tx.changed(accountId);
      return token;
    });
  };

/** Takes the token away without a new one. False when there was none. */
export const revokeToken =
  (deps: Deps) =>
  (
    accountId: number,
    by: { readonly channel: Principal["via"] | "cli"; readonly peer: Whence },
  ): Promise<boolean> =>
    deps.store.transaction(async (tx) => {
      const revoked = await deleteToken(tx.query, accountId);
      if (!revoked) return false;
      await deps.audit.record(tx.query, {
        event: "token_revoked",
        outcome: "done",
        channel: by.channel,
        accountId,
        ...by.peer,
      });
      tx.changed(accountId);
      return true;
    });
