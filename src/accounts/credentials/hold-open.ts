import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import { isOpen, type Account } from "../model/account.ts";
import { holdAccount } from "../store/accounts.ts";
import { refusals } from "../model/refusals.ts";

/**
 * The account as it is now, for whoever changes it by a credential: the credential was checked a moment ago,
 * perhaps on a node that had not heard of a close or a lock yet. Others who change it wait for this transaction.
 * @throws Refusal credentials_wrong when the account is closed, locked or gone
 */
export const holdOpen = async (tx: Tx, accountId: number): Promise<Account> => {
  const held = await holdAccount(tx.query, accountId);
  if (!held || !isOpen(held)) throw new Refusal(refusals.credentials_wrong);
  return held;
};
