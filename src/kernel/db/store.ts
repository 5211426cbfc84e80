import { Kysely, sql, type Transaction as KyselyTransaction } from "kysely";
import type { Clock } from "../clock.ts";
import { createChangeFeed, recordChange, type Change, type ChangeFeed } from "./changes.ts";
import { createLine } from "./line.ts";
import { migrateToLatest, migrationState, type Migrations, type MigrationState } from "./migrate.ts";
import { isWorthAnotherTry, postgresDialect } from "./postgres.ts";
import { trustedForMs } from "./postgres-pool.ts";
import { sqliteDialect } from "./sqlite.ts";
import type { KernelTables } from "./tables.ts";

/** Where the data lies: a file, or a PostgreSQL server. */
export type StoreAddress =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

/** A transaction: its queries, and what must happen when (and only when) it is committed. */
export type Tx = {
  readonly query: KyselyTransaction<KernelTables>;
  /** Cached state of this account is stale from the commit on, in every process. */
  changed(accountId: number | "all"): void;
  afterCommit(work: () => void): void;
  /** From here on no other transaction that asked for the same runs: for what is looked up and then made. */
  alone(): Promise<void>;
};

export type Store = {
  readonly kind: StoreAddress["kind"];
  /** Single statements. Rooms see their own tables through `query.$extendTables<…>()`. */
  readonly query: Kysely<KernelTables>;
  /**
   * All or nothing. Await nothing but queries inside: on SQLite every other write waits meanwhile.
   * May run `work` again when the database broke a tie between two transactions.
   *
   * @param patience `patient`: waits for its turn however long the line is. For chores, and for what takes back what
   *   was written; nobody's request begins like that
   * @throws Refusal busy when a thousand others wait, or one has waited for a second
   */
  transaction<Result>(work: (tx: Tx) => Promise<Result>, patience?: "patient"): Promise<Result>;
  readonly changes: ChangeFeed;
  migrate(): Promise<readonly string[]>;
  migrationState(): Promise<MigrationState>;
  close(): Promise<void>;
};

const mostAttempts = 5;
/** Any number that no other advisory lock of the database has: "latc" in ASCII. */
const lockNumber = 0x6c_61_74_63;

export const openStore = (
  address: StoreAddress,
  deps: {
    clock: Clock;
    migrations: (kind: StoreAddress["kind"]) => Migrations;
    onPollFailed: (error: unknown) => void;
  },
): Store => {
  const query = new Kysely<KernelTables>({
    dialect:
      address.kind === "sqlite"
        ? sqliteDialect(address.path)
        : postgresDialect(address.url, { connections: 10, trustMs: trustedForMs }),
  });
  // A connection of its own: were the feed to wait behind the others, load would switch the caches off and make more.
  // It is asked each time whether it leads to the primary: what a standby has read confirms nothing.
  const feedQuery =
    address.kind === "sqlite"
      ? query
      : new Kysely<KernelTables>({ dialect: postgresDialect(address.url, { connections: 1, trustMs: 0 }) });
  const changes = createChangeFeed(feedQuery, deps.onPollFailed);

  const line = createLine();

  const attempt = async <Result>(
    work: (tx: Tx) => Promise<Result>,
    hasBegun: () => void,
  ): Promise<Result> => {
    const changed = new Set<number | "all">();
    const recorded: Change[] = [];
    const after: Array<() => void> = [];
    const result = await query.transaction().execute(async (transaction) => {
      hasBegun();
      const done = await work({
        query: transaction,
        changed: (accountId) => void changed.add(accountId),
        afterCommit: (callback) => void after.push(callback),
        alone: async () => {
          // On SQLite every writing transaction is alone from its beginning.
          if (address.kind === "postgres")
            await sql`select pg_advisory_xact_lock(${lockNumber})`.execute(transaction);
        },
      });
      for (const accountId of changed) {
        recorded.push(await recordChange(transaction, accountId, deps.clock.now()));
      }
      return done;
    });
    for (const change of recorded) changes.applyOwn(change);
    for (const callback of after) callback();
    return result;
  };

  return {
    kind: address.kind,
    query,
    changes,
    transaction: async (work, patience) => {
      const leave = line.join(patience === "patient");
      try {
        for (let tried = 1; ; tried++) {
          try {
            return await attempt(work, leave);
          } catch (error) {
            if (tried >= mostAttempts || !isWorthAnotherTry(error)) throw error;
          }
        }
      } finally {
        leave();
      }
    },
    migrate: () => migrateToLatest(query, deps.migrations(address.kind)),
    migrationState: () => migrationState(query, deps.migrations(address.kind)),
    close: async () => {
      await changes.stop();
      if (feedQuery !== query) await feedQuery.destroy();
      await query.destroy();
    },
  };
};
