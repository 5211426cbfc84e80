import type { Tx } from "../../kernel/db/store.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { deleteCodes } from "../store/codes.ts";
import { deleteDevicesOf } from "../store/devices.ts";
import { deleteSessionsOf } from "../store/sessions.ts";
import { codePurposes } from "../store/tables.ts";
import { hasToken } from "../store/tokens.ts";
import { storeNewToken } from "./tokens.ts";

/** What its owner is known to hold, and goes on using. */
export type KeptCredentials = {
  /** The `jti` of the one session that stays. */
  readonly session?: string | undefined;
  readonly token: boolean;
  /** Mailed codes, with them a change of the address that is not confirmed yet, and the browsers that are known. */
  readonly rest: boolean;
};

/**
 * Ends whatever opened an account, or was about to, before its owner proved to be the owner by a mailed code: whoever
 * has had the account until then may be somebody else. Sessions end, mailed codes and a pending change of address are
 * dropped, and the API token is replaced.
 * @returns whether the token was replaced; an account that has none gets none
 */
export const endCredentials = async (
  deps: Pick<AccountDeps, "random" | "rootKeys" | "clock" | "audit">,
  tx: Tx,
  { accountId, peer }: { readonly accountId: number; readonly peer: Peer },
  kept: KeptCredentials,
): Promise<boolean> => {
  await deleteSessionsOf(tx.query, accountId, kept.session);
  if (!kept.rest) {
    await deleteCodes(tx.query, accountId, codePurposes);
    await deleteDevicesOf(tx.query, accountId);
  }
  tx.changed(accountId);
  if (kept.token || !(await hasToken(tx.query, accountId))) return false;
  await storeNewToken(deps, tx, accountId);
  await deps.audit.record(tx.query, {
    event: "token_replaced",
    outcome: "done",
    channel: "code",
    accountId,
    ...peer,
  });
  return true;
};
