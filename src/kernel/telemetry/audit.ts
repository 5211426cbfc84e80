/** What happened to accounts and keys, for their owners and the operator; kept 400 days. Never holds a secret. */
import type { Kysely, Selectable } from "kysely";
import { z } from "zod";

import { day, type Clock } from "../clock.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";

export const auditEventNames = [
  "sign_up",
  "sign_in",
  "sign_out",
  "session_ended",
  "sessions_ended",
  "token_replaced",
  "token_revoked",
  "password_changed",
  "password_refused",
  /** Not even tried, because of earlier ones; once a minute and address at most. */
  "password_throttled",
  "reset_requested",
  "reset_confirmed",
  "email_change_requested",
  "email_change_dropped",
  "email_changed",
  "verification_requested",
  "email_verified",
  "account_closed",
  "close_undone",
  "account_erased",
  "account_locked",
  "account_unlocked",
  "signing_key_rotated",
  "signing_key_revoked",
  "root_key_rotated",
  "root_key_removed",
  /** A password was used through Basic; once an hour and account at most. */
  "basic_password",
  // Connect: the environment's name, the key's and the connection's are in the details.
  "environment_created",
  "environment_changed",
  "environment_key_created",
  "environment_key_revoked",
  "integration_created",
  "integration_changed",
  "integration_deleted",
  "link_refused",
  "connection_linked",
  "connection_linked_anew",
  "connection_imported",
  "connection_changed",
  "connection_deleted",
  /** Once a minute, key and connection at most. */
  "credentials_read",
  "webhooks_changed",
  "webhook_secret_rotated",
] as const;

export type AuditEventName = (typeof auditEventNames)[number];

const outcomes = ["done", "refused"] as const;
const channels = ["session", "password", "token", "code", "key", "connect_session", "cli", "none"] as const;

export type AuditEvent = {
  readonly event: AuditEventName;
  readonly outcome: (typeof outcomes)[number];
  /** How the caller showed who they are. */
  readonly channel: (typeof channels)[number];
  readonly accountId?: number | undefined;
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** Cut at 256 characters. */
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** When it was, where that is written down later: epoch milliseconds. */
  readonly at?: number | undefined;
  /** Never a secret, and never what was typed. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
};

/** An event as it was written down. */
export const auditRecord = z.object({
  id: z.int(),
  /** Epoch milliseconds. */
  at: z.int(),
  event: z.enum(auditEventNames),
  outcome: z.enum(outcomes),
  channel: z.enum(channels),
  /** The client's IP address. */
  address: z.string().nullable(),
  /** As it was sent: anything. */
  userAgent: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
});

export type AuditRecord = z.output<typeof auditRecord>;

export type AuditPage = {
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** The `before` of the page that follows; undefined when this is the last. */
  readonly next: number | undefined;
};

export type Audit = {
  /** Through the transaction whose doing it tells, or through the store when nothing else was written. */
  record(query: Kysely<KernelTables>, event: AuditEvent): Promise<void>;
  /** What happened to one account. @param page events older than `before`, at most `limit` */
  of(
    accountId: number,
    page: { readonly before: number | undefined; readonly limit: number },
  ): Promise<AuditPage>;
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

/** What a newer version wrote before this one took its place is none of ours. */
const recordOf = (row: Selectable<KernelTables["audit_events"]>): readonly AuditRecord[] => {
  const details: unknown = row.details === null ? null : JSON.parse(row.details);
  const parsed = auditRecord.safeParse({ ...row, userAgent: row.user_agent, details });
  return parsed.success ? [parsed.data] : [];
};

export const createAudit = (deps: {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
}): Audit => ({
  record: async (query, told) => {
    const { accountId, event, outcome, channel, address, userAgent, requestId, details } = told;
    await query
      .insertInto("audit_events")
      .values({
        at: told.at ?? deps.clock.now(),
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
  of: async (accountId, { before, limit }) => {
    const rows = await deps.store.query
      .selectFrom("audit_events")
      .selectAll()
      .where("account_id", "=", accountId)
      .$if(before !== undefined, (select) => select.where("id", "<", before ?? 0))
      .orderBy("id", "desc")
      .limit(limit + 1)
      .execute();
    const shown = rows.slice(0, limit);
    return {
      records: shown.flatMap(recordOf),
      next: rows.length > limit ? shown.at(-1)?.id : undefined,
    };
  },
  purge: async () => {
    const { numDeletedRows } = await deps.store.query
      .deleteFrom("audit_events")
      .where("at", "<", deps.clock.now() - keptMs)
      .executeTakeFirst();
    return Number(numDeletedRows);
  },
});
