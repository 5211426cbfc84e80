/** Brings queued mails out of the house: none is lost while the mail server is down, none goes out of two processes. */
import { sql } from "kysely";

import { hour, minute, second, type Clock } from "../clock.ts";
import { UnsealError } from "../crypto/envelope.ts";
import type { RootKeys } from "../crypto/root-keys.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";
import type { Random } from "../ids.ts";
import type { Log } from "../telemetry/log.ts";
import { leaseTable } from "../work/lease-table.ts";
import { backoff, createWorker, type Worker } from "../work/leased-work.ts";
import type { MailTransport } from "./message.ts";
import { openQueued } from "./queue.ts";

export type CourierDeps = {
  readonly store: Pick<Store, "query">;
  readonly rootKeys: RootKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly transport: MailTransport;
  /**
   * A mail is taken at some moment within so many milliseconds, which nobody can know: what its delivery costs would
   * otherwise show in the very next answer whether a mail went to somebody. 500 when left out; 0: at once.
   */
  readonly latestLookMs?: number;
};

export type Courier = Pick<Worker, "wake" | "start" | "stop"> & {
  /** Delivers what is due now. Never rejects: what fails is logged and due again later. */
  deliverDue(): Promise<void>;
};

type Row = KernelTables["mail_queue"];

const lanes = 8;
/** Where a mail server asks the recipient's before it answers, one that hangs must not keep other mails waiting. */
const lanesOfHost = 4;
/** Longer than a transport may take. */
const leaseMs = 3 * minute;
const lookEveryMs = 5 * second;
/** Discarded mails that are erased at once. */
const mostDiscarded = 1000;
const waitAfter = backoff([5 * second, 30 * second, 2 * minute, 10 * minute], hour);
/** For what is of use for an hour at most: a code must not wait until it has expired. */
const waitOfShortLived = backoff([5 * second, 30 * second], minute);

const waitOf = ({ attempts, created_at: from, expires_at: until }: Row): number =>
  (until - from <= hour ? waitOfShortLived : waitAfter)(attempts) ?? hour;

/** What a transport's error says without naming anybody: SMTP answers quote the address. */
const reasonOf = (error: unknown): Record<string, unknown> => {
  if (error instanceof UnsealError) return { reason: error.reason, rootKeyId: error.rootKeyId };
  if (!(error instanceof Error)) return { reason: "unknown" };
  const told = (name: string): unknown => {
    const value: unknown = Reflect.get(error, name);
    return (typeof value === "string" && /^[A-Z0-9_]{1,40}$/.test(value)) || typeof value === "number"
      ? value
      : undefined;
  };
  return { reason: told("code") ?? error.name, smtp: told("responseCode"), system: told("originalCode") };
};

export const createCourier = ({
  latestLookMs = 500,
  store,
  rootKeys,
  clock,
  random,
  log,
  transport,
}: CourierDeps): Courier => {
  const { query } = store;

  const erase = async (id: string): Promise<void> => {
    await query.deleteFrom("mail_queue").where("id", "=", id).execute();
  };

  /**
   * Mails to nobody are taken and erased as others are, but all that are due together: a flood of requests for nobody
   * keeps no mail waiting.
   */
  const discardDue = async (): Promise<void> => {
    const now = clock.now();
    const found = await query
      .selectFrom("mail_queue")
      .select("id")
      .where(sql<boolean>`discarded = 1 and due_at <= ${now}`)
      .orderBy("due_at")
      .limit(mostDiscarded)
      .execute();
    if (found.length === 0) return;
    const ids = found.map(({ id }) => id);
    const taken = { leased_until: now + leaseMs, attempts: 1 };
    await query.updateTable("mail_queue").set(taken).where("id", "in", ids).execute();
    await query.deleteFrom("mail_queue").where("id", "in", ids).execute();
    for (const id of ids) log.debug("mail_discarded", { mail: id });
  };

  const postpone = async (row: Row): Promise<number> => {
    const dueAt = Math.min(clock.now() + waitOf(row), row.expires_at);
    await query
      .updateTable("mail_queue")
      .set({ due_at: dueAt, leased_until: 0 })
      .where("id", "=", row.id)
      // Not when the lease ran out and another process has the mail.
      .where("leased_until", "=", row.leased_until)
      .execute();
    return dueAt;
  };

  const send = async (row: Row): Promise<"sent" | "discarded" | { readonly refused: number }> => {
    const { message, discard } = openQueued(rootKeys, row);
    if (discard) return "discarded";
    return transport.send({ id: row.id, createdAt: row.created_at, message });
  };

  const attempt = async (row: Row): Promise<void> => {
    const facts = { mail: row.id, attempt: row.attempts };
    if (row.expires_at <= clock.now()) {
      await erase(row.id);
      log.error("mail_expired", { mail: row.id, attempts: row.attempts - 1 });
      return;
    }
    let outcome;
    try {
      outcome = await send(row);
    } catch (error) {
      const dueAt = await postpone(row);
      log.warn("mail_postponed", { ...facts, ...reasonOf(error), until: new Date(dueAt) });
      return;
    }
    await erase(row.id);
    if (typeof outcome === "object") log.warn("mail_refused", { ...facts, smtp: outcome.refused });
    else log.debug(`mail_${outcome}`, facts);
  };

  const sent = leaseTable<Row>({
    query,
    clock,
    table: "mail_queue",
    key: "lane",
    waits: sql`discarded = 0`,
    leaseMs,
  });

  const { wake, start, stop, runDue } = createWorker({
    claim: sent.claim,
    due: async (isFull) => {
      const found = await sent.due(isFull);
      if (found.length === 0) await discardDue();
      return found;
    },
    attempt,
    onFault: (error, mail) => log.error("mail_queue_failed", { mail, error }),
    lanes,
    lanesOfKey: lanesOfHost,
    lookEveryMs,
  });

  let waking: NodeJS.Timeout | undefined;
  const look = (): void => {
    waking = undefined;
    wake();
  };

  return {
    wake: () => {
      if (latestLookMs === 0) wake();
      else waking ??= setTimeout(look, random.below(latestLookMs)).unref();
    },
    start,
    stop: (withinMs) => {
      clearTimeout(waking);
      return stop(withinMs);
    },
    deliverDue: runDue,
  };
};
