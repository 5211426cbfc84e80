import type { Account } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { parseEmailAddress } from "../../kernel/text/email-address.ts";
import { accountByEmail, accountByPublicId } from "../store/accounts.ts";

const publicIdForm = /^[2-9A-HJ-NP-Za-km-z]{22}$/;

/** The account of an e-mail address or a public id, whatever its state. `malformed`: the text is neither. */
export const findAccount =
  (deps: Pick<AccountDeps, "store">) =>
  async (typed: string): Promise<Account | "malformed" | undefined> => {
    if (publicIdForm.test(typed)) return accountByPublicId(deps.store.query, typed);
    const parsed = parseEmailAddress(typed);
    return "canonical" in parsed ? accountByEmail(deps.store.query, parsed.canonical) : "malformed";
  };
