import type { Peer, Principal } from "./account.ts";
import type { AccountDeps } from "./deps.ts";
import { deleteSession, deleteSessionsOf } from "./store.ts";

type Deps = Pick<AccountDeps, "store" | "audit">;

/** Ends one session. Nothing happens when it has ended already. */
export const endSession =
  (deps: Deps) =>
  (session: { readonly jti: string; readonly accountId: number }, peer: Peer): Promise<void> =>
    deps.store.transaction(async (tx) => {
      if (!(await deleteSession(tx.query, session.jti))) return;
      await deps.audit.record(tx.query, {
        event: "sign_out",
        outcome: "done",
        channel: "session",
        accountId: session.accountId,
        ...peer,
      });
      tx.changed(session.accountId);
    });

/** Ends every session of the account; tokens and the password go on working. */
export const endAllSessions =
  (deps: Deps) =>
  (principal: Principal, peer: Peer): Promise<void> =>
    deps.store.transaction(async (tx) => {
      const ended = await deleteSessionsOf(tx.query, principal.account.id);
      await deps.audit.record(tx.query, {
        event: "sessions_ended",
        outcome: "done",
        channel: principal.via,
        accountId: principal.account.id,
        details: { ended },
        ...peer,
      });
      tx.changed(principal.account.id);
    });
