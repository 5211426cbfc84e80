import { PostgresDialect, type Dialect } from "kysely";
import pg from "pg";

/** `int8`: our numbers (times, counters, ids) stay far below 2^53, so they may be plain numbers. */
const int8 = 20;
pg.types.setTypeParser(int8, Number);

const serializationFailure = "40001";
const deadlockDetected = "40P01";

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** PostgreSQL rolled one of two transactions back for the other's sake; the same work may be tried again. */
export const isTransientConflict = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === serializationFailure || code === deadlockDetected;
};

/** Whether the error says that the database can't be reached or is going down (SQLSTATE classes 08 and 57P). */
export const isStoreOutage = (error: unknown): boolean => {
  const code = codeOf(error);
  if (typeof code === "string" && /^(08...|57P..|53300|ECONN.*|ETIMEDOUT|EPIPE|ENOENT|EHOSTUNREACH)$/.test(code)) {
    return true;
  }
  return error instanceof Error && /connection (terminated|timeout)|timeout exceeded when trying to connect/i.test(error.message);
};

export const postgresDialect = (url: string): Dialect => {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5000,
    statement_timeout: 15_000,
    application_name: "latchkey",
  });
  // An idle connection that breaks is replaced by the pool at the next query; without a listener it would end the process.
  pool.on("error", () => undefined);
  return new PostgresDialect({ pool });
};
