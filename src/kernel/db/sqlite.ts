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
import { GroupCommit, type Ending, type Turn } from "./group-commit.ts";

/**
 * Kysely over SQLite with two handles on the file: reads run at once on one, writes take turns on the
 * other, and share commits (group-commit.ts). Kysely's own dialect has one handle, so that a read would wait for (or
 * land in) somebody else's transaction; it begins transactions without the write lock, and prepares each statement anew.
 */

/** How long SQLite itself may block the event loop for another process's lock; beyond it we wait asynchronously. */
const busyTimeoutMs = 50;
const busyRetryMs = 10;
/** Longer than any transaction of ours; a caller that waited this long is told to come back. */
const busyLimitMs = 8000;
/** What a log that has grown is cut back to, in bytes, once all of it is in the file. */
const logLimit = 16 * 1024 * 1024;

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

/** Runs `attempt` until the other processes' locks are gone. @param since when the caller began to wait */
const whenFree = async <Result>(
  attempt: () => Result,
  since: number = performance.now(),
): Promise<Result> => {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > since + busyLimitMs) {
        throw new Refusal(refusals.busy, { retryAfter: 1, cause: error });
      }
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

/** What may be a part of a transaction. Pragmas and the like have to be alone. */
const joins = /^\s*(insert|update|delete)\b/i;

class Connection implements DatabaseConnection {
  readonly #handles: Handles;
  #turn: Turn | undefined;

  constructor(handles: Handles) {
    this.#handles = handles;
  }

  async begin(): Promise<void> {
    this.#turn = await this.#handles.writes.turn("joins");
  }

  async end(how: Ending): Promise<void> {
    const turn = this.#turn;
    // Kysely rolls back after a commit that failed; by then the transaction is over and the turn is somebody else's.
    this.#turn = undefined;
    await turn?.end(how);
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { reader, writer, writes } = this.#handles;
    const write = (): QueryResult<Row> => execute(writer.prepare(query.sql), query.parameters);
    if (this.#turn) return writes.write(write);
    // A select may still write, by a function or a pragma; SQLite says so of the statement.
    const statement = query.query.kind === "SelectQueryNode" ? reader.prepare(query.sql) : undefined;
    if (statement?.readonly === true) return whenFree(() => execute(statement, query.parameters));
    return joins.test(query.sql) ? this.#writeAsMember(write) : this.#writeAlone(write);
  }

  async #writeAsMember<Row>(write: () => QueryResult<Row>): Promise<QueryResult<Row>> {
    await this.begin();
    let result;
    try {
      result = this.#handles.writes.write(write);
    } catch (error) {
      await this.end("rollback");
      throw error;
    }
    await this.end("commit");
    return result;
  }

  async #writeAlone<Row>(write: () => QueryResult<Row>): Promise<QueryResult<Row>> {
    const turn = await this.#handles.writes.turn("alone");
    try {
      return await whenFree(write);
    } finally {
      await turn.end("commit");
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
  readonly writes: GroupCommit;

  constructor(reader: Handle, writer: Handle) {
    this.reader = reader;
    this.writer = writer;
    this.writes = new GroupCommit({
      run: (statement) => void writer.prepare(statement).run(),
      begin: (since) => whenFree(() => void writer.prepare("begin immediate").run(), since),
      isOpen: () => writer.database.inTransaction,
    });
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
    writer.pragma(`journal_size_limit = ${logLimit}`);
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
    await connection.end("commit");
  }

  async rollbackTransaction(connection: Connection): Promise<void> {
    await connection.end("rollback");
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
