/** What the drivers throw when the database is there no more, or can't be written. */

/**
 * SQLSTATE classes 08 (connection), 53 (resources) and 57 (shutdown, time-out), a server that only reads (25006)
 * or lets nobody in (28, 3D000, 55000),
 * ties that could not be broken (40001, 40P01), SQLite's counterparts, and the network's. The one trigger of SQLite's
 * stores keeps out what was sealed under a root key that was removed meanwhile.
 */
const outageCodes =
  /^(08...|53...|57...|25006|28...|3D000|55000|40001|40P01|ECONN\w+|ETIMEDOUT|EPIPE|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|SQLITE_(FULL|IOERR|READONLY|CANTOPEN)\w*|SQLITE_CONSTRAINT_TRIGGER)$/;

/** node-postgres gives these no code. */
const outageMessages =
  /connection (terminated|ended|error)|not queryable|read timeout|timeout exceeded when trying to connect|query_wait_timeout/i;

/** Whether the store, and not the request or this program, is what failed. */
export const isStoreOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && outageCodes.test(error.code)) return true;
  return error instanceof AggregateError
    ? error.errors.some(isStoreOutage)
    : outageMessages.test(error.message);
};
