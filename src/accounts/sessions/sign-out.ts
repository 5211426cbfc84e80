import { Refusal } from "../../kernel/errors.ts";
import type { Peer, Principal } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import type { Sessions } from "./sessions.ts";
import { deleteSession, deleteSessionsOf, takeSession } from "../store/sessions.ts";
import { refusals } from "../model/refusals.ts";

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

const sessionIdForm = /^[0-9a-f]{32}$/;

/**
 * Ends one of the caller's own sessions, on whichever device it is.
 * @throws Refusal not_found when it is no live session of the caller, whatever else it may be
 */
export const endMySession =
  (deps: Deps & { readonly sessions: Sessions }) =>
  async (principal: Principal, jti: string, peer: Peer): Promise<void> => {
    // What can't be an id is not asked for: a store may not even take it as text.
    if (!sessionIdForm.test(jti)) throw new Refusal(refusals.not_found);
    const accountId = principal.account.id;
    await deps.store.transaction(async (tx) => {
      const ended = await takeSession(tx.query, { jti, accountId });
      if (!ended || !deps.sessions.living(ended)) throw new Refusal(refusals.not_found);
      await deps.audit.record(tx.query, {
        event: "session_ended",
        outcome: "done",
        channel: principal.via,
        accountId,
        ...peer,
      });
      tx.changed(accountId);
    });
  };

/**
 * Ends every session of the account but the one that the call came with; tokens and the password go on working.
 * @returns how many of them were live
 */
export const endOtherSessions =
  (deps: Deps & { readonly sessions: Sessions }) =>
  (principal: Principal, peer: Peer): Promise<number> =>
    deps.store.transaction(async (tx) => {
      const accountId = principal.account.id;
      const rows = await deleteSessionsOf(tx.query, accountId, principal.sessionId);
      const ended = rows.filter((row) => deps.sessions.living(row)).length;
      await deps.audit.record(tx.query, {
        event: "sessions_ended",
        outcome: "done",
        channel: principal.via,
        accountId,
        details: { ended },
        ...peer,
      });
      tx.changed(accountId);
      return ended;
    });
