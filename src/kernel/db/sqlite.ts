import Database from "better-sqlite3";
import { LRUCache } from "lru-cache";
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import { setTimeout as wait } from "node:timers/promises";
import { Refusal, refusals } from "../errors.ts";

/**
 * Kysely over SQLite with two handles on the file: reads run at once on one, writes take turns on the
 * other. Kysely's own dialect has one handle, so that a read would wait for (or land in) somebody
 * else's transaction; it begins transactions without the write lock, and prepares each statement anew.
 */

/** How long SQLite itself may block the event loop for another process's lock; beyond it we wait asynchronously. */
const busyTimeoutMs = 50;
const busyRetryMs = 10;
/** Longer than any transaction of ours; a caller that waited this long is told to come back. */
const busyLimitMs = 8000;

class Handle {
  readonly database: Database.Database;
  readonly #statements: LRUCache<string, Database.Statement>;

  constructor(database: Database.Database) {
    this.database = database;
    this.#statements = new LRUCache({ max: 500 });
  }

  prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");

/** Runs `attempt` until the other processes' locks are gone. */
const whenFree = async <Result>(attempt: () => Result): Promise<Result> => {
  const deadline = performance.now() + busyLimitMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > deadline) throw new Refusal(refusals.busy, { retryAfter: 1, cause: error });
    }
    await wait(busyRetryMs);
  }
};

const execute = <Row>(statement: Database.Statement, parameters: readonly unknown[]): QueryResult<Row> => {
  if (statement.reader) {
    // The row type is what Kysely worked out from the query that it compiled to this statement.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { rows: statement.all(...parameters) as Row[] };
  }
  const { changes, lastInsertRowid } = statement.run(...parameters);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
};

class Connection implements DatabaseConnection {
  readonly #handles: Handles;
  #inTransaction = false;

  constructor(handles: Handles) {
    this.#handles = handles;
  }

  async begin(): Promise<void> {
    await this.#handles.lockWriter();
    try {
      await whenFree(() => this.#handles.writer.prepare("begin immediate").run());
      this.#inTransaction = true;
    } catch (error) {
      this.#handles.unlockWriter();
      throw error;
    }
  }

  end(how: "commit" | "rollback"): void {
    // Kysely rolls back after a commit that failed; by then the transaction is over and the lock is somebody else's.
    if (!this.#inTransaction) return;
    try {
      this.#handles.writer.prepare(how).run();
    } catch (error) {
      // A commit that failed leaves the transaction open, which would poison the handle.
      if (this.#handles.writer.database.inTransaction) this.#handles.writer.database.exec("rollback");
      throw error;
    } finally {
      this.#inTransaction = false;
      this.#handles.unlockWriter();
    }
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { reader, writer } = this.#handles;
    if (this.#inTransaction) return execute(writer.prepare(query.sql), query.parameters);
    // A select may still write, by a function or a pragma; SQLite says so of the statement.
    const statement = query.query.kind === "SelectQueryNode" ? reader.prepare(query.sql) : undefined;
    if (statement?.readonly === true) return whenFree(() => execute(statement, query.parameters));
    await this.#handles.lockWriter();
    try {
      return await whenFree(() => execute(writer.prepare(query.sql), query.parameters));
    } finally {
      this.#handles.unlockWriter();
    }
  }

  // oxlint-disable-next-line require-yield -- Kysely's interface asks for a generator; the house never streams rows.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error("SQLite rows are not streamed.");
  }
}

class Handles {
  readonly reader: Handle;
  readonly writer: Handle;
  readonly #waiting: Array<() => void> = [];
  #writing = false;

  constructor(reader: Handle, writer: Handle) {
    this.reader = reader;
    this.writer = writer;
  }

  async lockWriter(): Promise<void> {
    if (!this.#writing) {
      this.#writing = true;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  unlockWriter(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#writing = false;
  }
}

class SqliteDriver implements Driver {
  readonly #path: string;
  #handles: Handles | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async init(): Promise<void> {
    // The first switch to WAL needs the file alone: of processes that start at once, all but one wait here.
    const writer = new Database(this.#path, { timeout: busyLimitMs });
    writer.pragma("journal_mode = wal");
    writer.pragma(`busy_timeout = ${busyTimeoutMs}`);
    writer.pragma("synchronous = full");
    writer.pragma("secure_delete = on");
    writer.pragma("foreign_keys = on");
    const reader = new Database(this.#path, { timeout: busyTimeoutMs });
    reader.pragma("query_only = on");
    this.#handles = new Handles(new Handle(reader), new Handle(writer));
  }

  async acquireConnection(): Promise<Connection> {
    if (!this.#handles) throw new Error("The database is not open.");
    return new Connection(this.#handles);
  }

  async beginTransaction(connection: Connection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: Connection): Promise<void> {
    connection.end("commit");
  }

  async rollbackTransaction(connection: Connection): Promise<void> {
    connection.end("rollback");
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#handles?.reader.database.close();
    this.#handles?.writer.database.close();
    this.#handles = undefined;
  }
}

/** SQLite does run data definition inside transactions, so that a migration is whole or absent. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export const sqliteDialect = (path: string): Dialect => ({
  createDriver: () => new SqliteDriver(path),
  createAdapter: () => new TransactionalSqliteAdapter(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createIntrospector: (db) => new SqliteIntrospector(db),
});
