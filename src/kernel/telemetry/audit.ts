/** What happened to accounts and keys, for their owners and the operator; kept 400 days. Never holds a secret. */
import type { Kysely } from "kysely";

import { day, type Clock } from "../clock.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";

export type AuditEventName =
  | "sign_up"
  | "sign_in"
  | "sign_out"
  | "sessions_ended"
  | "token_replaced"
  | "token_revoked"
  | "password_changed"
  | "password_refused"
  /** Not even tried, because of earlier ones; once a minute and address at most. */
  | "password_throttled"
  | "reset_requested"
  | "reset_confirmed"
  | "email_changed"
  | "email_verified"
  | "account_closed"
  | "close_undone"
  | "account_erased"
  | "account_locked"
  | "account_unlocked"
  | "signing_key_rotated"
  | "signing_key_revoked"
  /** A password was used through Basic; once an hour and account at most. */
  | "basic_password";

export type AuditEvent = {
  readonly event: AuditEventName;
  readonly outcome: "done" | "refused";
  /** How the caller showed who they are. */
  readonly channel: "session" | "password" | "token" | "code" | "cli" | "none";
  readonly accountId?: number | undefined;
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** Cut at 256 characters. */
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** Never a secret, and never what was typed. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
};

export type Audit = {
  /** Through the transaction whose doing it tells, or through the store when nothing else was written. */
  record(query: Kysely<KernelTables>, event: AuditEvent): Promise<void>;
  /** Forgets what is older than 400 days. @returns how many events */
  purge(): Promise<number>;
};

const keptMs = 400 * day;

/** Control characters are of no use to a reader, and PostgreSQL takes no NUL. */
const cut = (text: string | undefined, most: number): string | null =>
  text === undefined
    ? null
    : text
        .slice(0, most)
        .replaceAll(/\p{Cc}/gu, " ")
        .toWellFormed();

export const createAudit = (deps: {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
}): Audit => ({
  record: async (query, { accountId, event, outcome, channel, address, userAgent, requestId, details }) => {
    await query
      .insertInto("audit_events")
      .values({
        at: deps.clock.now(),
        account_id: accountId ?? null,
        event,
        outcome,
        channel,
        address: cut(address, 64),
        user_agent: cut(userAgent, 256),
        request_id: cut(requestId, 128),
        details: details ? JSON.stringify(details) : null,
      })
      .execute();
  },
  purge: async () => {
    const { numDeletedRows } = await deps.store.query
      .deleteFrom("audit_events")
      .where("at", "<", deps.clock.now() - keptMs)
      .executeTakeFirst();
    return Number(numDeletedRows);
  },
});
