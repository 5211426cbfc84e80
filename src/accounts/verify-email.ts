import { Refusal } from "../kernel/errors.ts";
import { isOpen, type Peer } from "./account.ts";
import type { AccountDeps } from "./deps.ts";
import { digestOfCode, reserveCodeTry, withRefusedCodeAudited } from "./mail-codes.ts";
import { editAccount, takeCode } from "./store.ts";

type Deps = Pick<AccountDeps, "store" | "clock" | "tries" | "limits" | "audit">;

/** Confirms that the owner of the account reads the mails of its address. @throws Refusal code_refused, code_throttled */
export const verifyEmail =
  (deps: Deps) =>
  async (typedCode: string, peer: Peer): Promise<void> => {
    await reserveCodeTry(deps, peer.network);
    return withRefusedCodeAudited(deps, { event: "email_verified", peer }, async () => {
      const digest = digestOfCode(typedCode);
      await deps.store.transaction(async (tx) => {
        const now = deps.clock.now();
        const accountId = await takeCode(tx.query, "verify_email", digest, now);
        const account =
          accountId === undefined
            ? undefined
            : await editAccount(tx.query, { id: accountId }, { email_verified_at: now }, now);
        if (!account || !isOpen(account)) throw new Refusal("code_refused");
        await deps.audit.record(tx.query, {
          event: "email_verified",
          outcome: "done",
          channel: "code",
          accountId: account.id,
          ...peer,
        });
        tx.changed(account.id);
      });
    });
  };
