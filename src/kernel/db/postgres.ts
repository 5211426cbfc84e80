import { PostgresDialect, type Dialect } from "kysely";
import pg from "pg";

/** `int8`: our numbers (times, counters, ids) stay far below 2^53, so they may be plain numbers. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const serializationFailure = "40001";
const deadlockDetected = "40P01";

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** PostgreSQL rolled one of two transactions back for the other's sake; the same work may be tried again. */
export const isTransientConflict = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === serializationFailure || code === deadlockDetected;
};

/** @param connections at most at once */
export const postgresDialect = (url: string, connections: number): Dialect => {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5000,
    statement_timeout: 15_000,
    // For a server that went away without a word: nothing may wait for it for longer than its own time-out.
    query_timeout: 20_000,
    keepAlive: true,
    application_name: "latchkey",
  });
  // A connection that breaks is replaced by the pool at the next query, and fails the query that runs on it. Without
  // listeners its error event would end the process besides: the pool's is for idle ones, the other for those in use.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return new PostgresDialect({ pool });
};
