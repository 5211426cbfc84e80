/** Brings queued mails out of the house: none is lost while the mail server is down, none goes out of two processes. */
import { hour, minute, second, type Clock } from "../clock.ts";
import { UnsealError } from "../crypto/envelope.ts";
import type { RootKeys } from "../crypto/root-keys.ts";
import type { Store } from "../db/store.ts";
import type { KernelTables } from "../db/tables.ts";
import type { Log } from "../telemetry/log.ts";
import type { MailTransport } from "./message.ts";
import { openQueued } from "./queue.ts";

export type CourierDeps = {
  readonly store: Pick<Store, "query">;
  readonly rootKeys: RootKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: MailTransport;
};

export type Courier = {
  /** Looks at the queue as soon as possible. Before `start` it does nothing. */
  wake(): void;
  start(): void;
  /** For good. Resolves when the deliveries that have begun are over; no other one begins. */
  stop(): Promise<void>;
  /** Delivers what is due now. Never rejects: what fails is logged and due again later. */
  deliverDue(): Promise<void>;
};

type Row = KernelTables["mail_queue"];

const atOnce = 4;
/** Rows of one look. */
const most = 100;
/** Longer than a transport may take; only a process that died leaves a lease to run out. */
const leaseMs = 3 * minute;
/** For retries, and for mails of a process that died. */
const lookEveryMs = 5 * second;
const backoffMs = [5 * second, 30 * second, 2 * minute, 10 * minute];

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

export const createCourier = ({ store, rootKeys, clock, log, transport }: CourierDeps): Courier => {
  let timer: NodeJS.Timeout | undefined;
  let started = false;
  let stopped = false;
  let round: Promise<void> | undefined;
  let again = false;

  const due = async (): Promise<readonly string[]> => {
    const now = clock.now();
    const rows = await store.query
      .selectFrom("mail_queue")
      .select("id")
      .where("due_at", "<=", now)
      .where("leased_until", "<=", now)
      .orderBy("due_at")
      .limit(most)
      .execute();
    return rows.map(({ id }) => id);
  };

  const claim = (id: string): Promise<Row | undefined> => {
    const now = clock.now();
    return store.query
      .updateTable("mail_queue")
      .set({ leased_until: now + leaseMs })
      .where("id", "=", id)
      .where("due_at", "<=", now)
      .where("leased_until", "<=", now)
      .returningAll()
      .executeTakeFirst();
  };

  const erase = async (id: string): Promise<void> => {
    await store.query.deleteFrom("mail_queue").where("id", "=", id).execute();
  };

  const postpone = async (row: Row): Promise<number> => {
    const dueAt = Math.min(clock.now() + (backoffMs[row.attempts] ?? hour), row.expires_at);
    await store.query
      .updateTable("mail_queue")
      .set({ attempts: row.attempts + 1, due_at: dueAt, leased_until: 0 })
      .where("id", "=", row.id)
      // Not when the lease ran out and another process has the mail.
      .where("leased_until", "=", row.leased_until)
      .execute();
    return dueAt;
  };

  const attempt = async (row: Row): Promise<"sent" | "refused" | "discarded"> => {
    const { message, discard } = openQueued(rootKeys, row);
    if (discard) return "discarded";
    return transport.send({ id: row.id, createdAt: row.created_at, message });
  };

  const deliver = async (id: string): Promise<void> => {
    const row = await claim(id);
    if (!row) return;
    const facts = { mail: id, attempt: row.attempts + 1 };
    if (row.expires_at <= clock.now()) {
      await erase(id);
      log.error("mail_expired", { mail: id, attempts: row.attempts });
      return;
    }
    let outcome;
    try {
      outcome = await attempt(row);
    } catch (error) {
      const dueAt = await postpone(row);
      log.warn("mail_postponed", { ...facts, ...reasonOf(error), until: new Date(dueAt) });
      return;
    }
    await erase(id);
    if (outcome === "refused") log.warn("mail_refused", facts);
    else log.debug(`mail_${outcome}`, facts);
  };

  const deliverAll = async (): Promise<void> => {
    const found = await due();
    if (found.length === most) again = true;
    const ids = found.values();
    // Each lane takes the next id when it is done with one; a lane that fails leaves the rest to the others.
    const lane = async (): Promise<void> => {
      for (const id of ids) {
        if (stopped) return;
        await deliver(id);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane));
    const failed = lanes.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  };

  const rounds = async (): Promise<void> => {
    while (again && !stopped) {
      again = false;
      await deliverAll().catch((error: unknown) => log.error("mail_queue_failed", { error }));
    }
    round = undefined;
  };

  /** One round at a time; who asks during one gets another behind it. */
  const deliverDue = async (): Promise<void> => {
    if (stopped) return;
    again = true;
    round ??= rounds();
    await round;
  };

  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => {
      void deliverDue().then(() => {
        if (!stopped) schedule(lookEveryMs);
      });
    }, delayMs);
    timer.unref();
  };

  return {
    wake: () => {
      if (started) void deliverDue();
    },
    start: () => {
      started = true;
      schedule(0);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
    deliverDue,
  };
};
