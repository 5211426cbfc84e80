import { sha256Hex } from "../kernel/crypto/digest.ts";
import { open, seal, type Place } from "../kernel/crypto/envelope.ts";
import { createFreshCache } from "../kernel/db/fresh-cache.ts";
import type { Tx } from "../kernel/db/store.ts";
import { newHexId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Peer, Principal } from "./account.ts";
import type { AccountDeps } from "./deps.ts";
import { deleteToken, editAccount, putToken, sealedToken } from "./store.ts";

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

/**
 * The account's token for its owner's eyes: the one that was shown, or the sealed copy. Undefined when there is
 * none, or when the operator does not want tokens revealed. What was opened is kept until the account changes:
 * clients read `/me` with every poll, and whoever can read this process's memory has the root key as well.
 */
export const revealToken = (deps: Pick<AccountDeps, "store" | "rootKeys" | "policy">) => {
  const opened = createFreshCache<{ readonly token: Secret | undefined }>(deps.store.changes, { max: 10_000 });

  const read = (accountId: number) => async () => {
    const sealed = await sealedToken(deps.store.query, accountId);
    const token = sealed === undefined ? undefined : open(deps.rootKeys, placeOf(accountId), sealed);
    return { accountId, value: { token } };
  };

  return async (principal: Principal): Promise<Secret | undefined> => {
    if (!deps.policy.revealToken) return undefined;
    if (principal.token) return principal.token;
    const { id } = principal.account;
    const key = String(id);
    return (opened.get(key) ?? (await opened.load(key, read(id))))?.token;
  };
};

type Deps = Pick<AccountDeps, "store" | "random" | "rootKeys" | "clock" | "audit">;

/** Replaces the personal token; the old one is refused from now on. */
export const replaceToken =
  (deps: Deps) =>
  (accountId: number, by: { readonly channel: Principal["via"] | "cli"; readonly peer: Peer }): Promise<Secret> =>
    deps.store.transaction(async (tx) => {
      const token = await storeNewToken(deps, tx, accountId);
      const now = deps.clock.now();
      await editAccount(tx.query, accountId, { authorization_updated_at: now }, now);
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

/** Takes the token away without a new one. False when there was none. */
export const revokeToken =
  (deps: Deps) =>
  (accountId: number, by: { readonly channel: Principal["via"] | "cli"; readonly peer: Peer }): Promise<boolean> =>
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
