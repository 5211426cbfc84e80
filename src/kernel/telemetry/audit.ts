/** What happened to accounts and keys, for their owners and the operator; kept 400 days. Never holds a secret. */
import type { Kysely, Selectable } from "kysely";
import { z } from "zod";

import { day, type Clock } from "../clock.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";

/** What the kernel itself has done: the operator's keys. Each room has a list of its own. */
export const kernelEvents = ["root_key_rotated", "root_key_removed"] as const;

const outcomes = ["done", "refused"] as const;
const channels = ["session", "password", "token", "code", "key", "connect_session", "cli", "none"] as const;

export type AuditEvent<Name extends string> = {
  readonly event: Name;
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

/** An event as it was written down. @param names of all events that there are */
export const auditRecord = (names: readonly string[]) =>
  z.object({
    id: z.int(),
    /** Epoch milliseconds. */
    at: z.int(),
    event: z.enum(names),
    outcome: z.enum(outcomes),
    channel: z.enum(channels),
    /** The client's IP address. */
    address: z.string().nullable(),
    /** As it was sent: anything. */
    userAgent: z.string().nullable(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
  });

export type AuditRecord = z.output<ReturnType<typeof auditRecord>>;

export type AuditPage = {
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** The `before` of the page that follows; undefined when this is the last. */
  readonly next: number | undefined;
};

/** A room names the events that it records; those of an account may be any room's. */
export type Audit<Name extends string> = {
  /** All that there are, whoever records them. */
  readonly names: readonly string[];
  /** Through the transaction whose doing it tells, or through the store when nothing else was written. */
  record(query: Kysely<KernelTables>, event: AuditEvent<Name>): Promise<void>;
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

const recordOf = (row: Selectable<KernelTables["audit_events"]>) => {
  const details: unknown = row.details === null ? null : JSON.parse(row.details);
  return { ...row, userAgent: row.user_agent, details };
};

export const createAudit = <Name extends string>(deps: {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
  readonly names: readonly Name[];
}): Audit<Name> => ({
  names: deps.names,
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
    const known = auditRecord(deps.names);
    return {
      // What a newer version wrote before this one took its place is none of ours.
      records: shown.flatMap((row) => known.safeParse(recordOf(row)).data ?? []),
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
