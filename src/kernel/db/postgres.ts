import { PostgresDialect, type Dialect } from "kysely";
import pg from "pg";
import { createPostgresPool } from "./postgres-pool.ts";

/** `int8`: our numbers (times, counters, ids) stay far below 2^53, so they may be plain numbers. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const serializationFailure = "40001";
const deadlockDetected = "40P01";

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** The session led to a server that is the primary no more; the next one is asked before it is used. */
const readOnlyTransaction = "25006";

/**
 * The same work may be tried again: PostgreSQL rolled one of two transactions back for the other's sake, or refused to
 * write at all.
 */
export const isWorthAnotherTry = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === serializationFailure || code === deadlockDetected || code === readOnlyTransaction;
};

/** @param options see `createPostgresPool` */
export const postgresDialect = (
  url: string,
  options: { readonly connections: number; readonly trustMs: number },
): Dialect => new PostgresDialect({ pool: createPostgresPool(url, options) });
