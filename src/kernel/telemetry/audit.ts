/**
 * What happened to accounts and keys, for their owners and the operator; kept 400 days, and refusals that concern no
 * account 30. Never holds a secret.
 */
import { sql, type Kysely, type Selectable } from "kysely";
import { z } from "zod";

import { day, type Clock } from "../clock.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";
import { createRefusalsOfNobody } from "./refusals-of-nobody.ts";
import { purge } from "../db/purge.ts";

/** What the kernel itself has done: the operator's keys. Each room has a list of its own. */
export const kernelEvents = ["root_key_rotated", "root_key_removed"] as const;

const outcomes = ["done", "refused"] as const;

/** What a room writes down: which events, and how callers showed who they are. */
export type AuditWords = { readonly event: string; readonly channel: string };

/** All the words that there are, whoever uses them. */
export type AuditVocabulary<Words extends AuditWords = AuditWords> = {
  readonly events: readonly Words["event"][];
  readonly channels: readonly Words["channel"][];
};

export type AuditEvent<Words extends AuditWords> = {
  readonly event: Words["event"];
  readonly outcome: (typeof outcomes)[number];
  /** How the caller showed who they are. */
  readonly channel: Words["channel"];
  readonly accountId?: number | undefined;
  /** The client's IP address. */
  readonly address?: string | undefined;
  /**
   * What limits count the client under. A refusal that has one and concerns no account is one row a minute, kind and
   * network, of the first of them, with how often it happened and when the last time.
   */
  readonly network?: string | undefined;
  /** Cut at 256 characters. */
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** When it was, where that is written down later: epoch milliseconds. */
  readonly at?: number | undefined;
  /** Never a secret, and never what was typed. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
};

/** An event as it was written down. */
export const auditRecord = ({ events, channels }: AuditVocabulary) =>
  z.object({
    id: z.int(),
    /** Epoch milliseconds. */
    at: z.int(),
    event: z.enum(events),
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

/** A room says which words it uses; what happened to an account is told in those of all rooms. */
export type Audit<Words extends AuditWords> = {
  readonly vocabulary: AuditVocabulary;
  /** Through the transaction whose doing it tells, or through the store when nothing else was written. */
  record(query: Kysely<KernelTables>, event: AuditEvent<Words>): Promise<void>;
  /** What happened to one account. @param page events older than `before`, at most `limit` */
  of(
    accountId: number,
    page: { readonly before: number | undefined; readonly limit: number },
  ): Promise<AuditPage>;
  /** Forgets what is older than 400 days, and refusals that are nobody's after 30. @returns how many rows */
  purge(signal?: AbortSignal): Promise<number>;
};

const keptMs = 400 * day;
/** Strangers can make as many of them as they like. */
const nobodysKeptMs = 30 * day;

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

export const createAudit = <Words extends AuditWords>(deps: {
  readonly store: Pick<Store, "query">;
  readonly clock: Clock;
  readonly vocabulary: AuditVocabulary<Words>;
}): Audit<Words> => {
  const nobodys = createRefusalsOfNobody(deps.clock);

  const insert = async (query: Kysely<KernelTables>, told: AuditEvent<Words>): Promise<number> => {
    const { accountId, event, outcome, channel, address, userAgent, requestId, details } = told;
    const { id } = await query
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
      .returning("id")
      .executeTakeFirstOrThrow();
    return id;
  };

  /** Whether there was such a row: it may have been of a transaction that was rolled back. */
  const countOn = async (query: Kysely<KernelTables>, id: number, event: string): Promise<boolean> =>
    (await query
      .updateTable("audit_events")
      .set((eb) => ({ times: eb("times", "+", 1), at: deps.clock.now() }))
      .where("id", "=", id)
      .where("event", "=", event)
      .where("account_id", "is", null)
      .returning("id")
      .executeTakeFirst()) !== undefined;

  return {
    vocabulary: deps.vocabulary,
    record: async (query, told) => {
      if (told.outcome === "done" || told.accountId !== undefined || told.network === undefined) {
        await insert(query, told);
        return;
      }
      const place = nobodys.place(`${told.event} ${told.channel}`, told.network);
      // As much is written as for an account: how long it takes does not tell whether there is one.
      if (place.row && (await countOn(query, place.row.id, told.event))) return;
      place.begun(await insert(query, told));
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
      const known = auditRecord(deps.vocabulary);
      return {
        // What a newer version wrote before this one took its place is none of ours.
        records: shown.flatMap((row) => known.safeParse(recordOf(row)).data ?? []),
        next: rows.length > limit ? shown.at(-1)?.id : undefined,
      };
    },
    purge: async (signal) => {
      const now = deps.clock.now();
      const events = { table: "audit_events", key: ["id"], by: "at" } as const;
      // In the words of their index. No account has the number 0.
      const refused = sql<boolean>`coalesce(account_id, 0) = 0 and outcome = 'refused' and at < ${now - nobodysKeptMs}`;
      const rest = sql<boolean>`at < ${now - keptMs}`;
      return (
        (await purge(deps.store.query, { ...events, where: refused }, signal)) +
        (await purge(deps.store.query, { ...events, where: rest }, signal))
      );
    },
  };
};
