import type { Kysely, Transaction } from "kysely";
import type { KernelTables } from "./tables.ts";

/**
 * How every process learns that cached state of an account must be forgotten. A transaction that changes
 * such state writes down the account under a number taken from one counter row; the row's lock makes the
 * numbers appear in commit order, so that a reader who has seen n has seen everything before n. This
 * process applies its own changes as soon as they are committed; those of others it reads every 250 ms.
 */

const pollMs = 250;
/** A process that has not confirmed the feed for this long stops using its caches. */
const currentForMs = 1000;

export type ChangeListener = (accountId: number | "all") => void;

export type Change = { readonly seq: number; readonly accountId: number | "all" };

export type ChangeFeed = {
  /** Whether every change older than one second is known here. When false, read the store. */
  isCurrent(): boolean;
  /** Rises with each change seen. What was read at a lower version may already be stale. */
  version(): number;
  onChange(listener: ChangeListener): void;
  /** Tells this process's listeners about a change that it committed itself, so that the poll need not. */
  applyOwn(change: Change): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Writes the change down inside the transaction that makes it. Call it last: it serialises on one row. */
export const recordChange = async (
  tx: Transaction<KernelTables>,
  accountId: number | "all",
  at: number,
): Promise<Change> => {
  const { seq } = await tx
    .updateTable("change_counter")
    .set((eb) => ({ seq: eb("seq", "+", 1) }))
    .where("id", "=", 1)
    .returning("seq")
    .executeTakeFirstOrThrow();
  await tx
    .insertInto("changes")
    .values({ seq, account_id: accountId === "all" ? null : accountId, at })
    .execute();
  return { seq, accountId };
};

export const createChangeFeed = (
  db: Kysely<KernelTables>,
  onPollFailed: (error: unknown) => void,
): ChangeFeed => {
  const listeners: ChangeListener[] = [];
  let version = 0;
  let seen = -1;
  /** Numbers of own changes that the poll has not come to yet. */
  const own = new Set<number>();
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;

  const apply: ChangeListener = (accountId) => {
    version += 1;
    for (const listener of listeners) listener(accountId);
  };

  const poll = async (): Promise<void> => {
    const startedAt = performance.now();
    const { seq } = await db.selectFrom("change_counter").select("seq").executeTakeFirstOrThrow();
    if (seq !== seen) {
      const rows =
        seen < 0
          ? []
          : await db.selectFrom("changes").selectAll().where("seq", ">", seen).orderBy("seq").execute();
      if (rows[0]?.seq === seen + 1) {
        for (const row of rows) if (!own.delete(row.seq)) apply(row.account_id ?? "all");
      } else {
        // Rows were purged before we read them, or this is the first look: nobody knows what changed.
        own.clear();
        apply("all");
      }
      seen = Math.max(seq, rows.at(-1)?.seq ?? seq);
    }
    confirmedAt = startedAt;
  };

  const schedule = (): void => {
    timer = setTimeout(() => {
      polling = poll()
        .catch(onPollFailed)
        .finally(() => {
          if (timer) schedule();
        });
    }, pollMs);
    timer.unref();
  };

  return {
    isCurrent: () => performance.now() - confirmedAt < currentForMs,
    version: () => version,
    onChange: (listener) => listeners.push(listener),
    applyOwn: ({ seq, accountId }) => {
      // The poll may have been faster than the answer to our own commit.
      if (seq > seen) own.add(seq);
      apply(accountId);
    },
    start: async () => {
      await poll();
      schedule();
    },
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await polling;
    },
  };
};
