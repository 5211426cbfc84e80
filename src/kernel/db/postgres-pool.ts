import type { PostgresPool } from "kysely";
import pg from "pg";

/**
 * A pool that trusts no connection for having been good once. After a fail-over a connection may lead to the old
 * primary, which still answers, only reads, and knows nothing of what is revoked from then on.
 */

/** For how long a connection that could write is believed to lead to the primary. */
export const trustedForMs = 1000;

/** Connections are renewed, so that those behind an address that has moved don't stay for ever. */
const longestLifeSeconds = 600;

/** After these (a server that only reads, or goes) the session is of no use, though it may still answer. */
const spoils = /^(25006|57P0.|08...)$/;

const readsOnly = "select current_setting('transaction_read_only') = 'on' as reads_only";

class ReadsOnly extends Error {
  /** As the server itself says it of a write. */
  readonly code = "25006";
  constructor() {
    super("the database server is read-only: it is a standby, or is set so");
  }
}

const assertWritable = async (client: pg.ClientBase): Promise<void> => {
  const { rows } = await client.query<{ reads_only: boolean }>(readsOnly);
  if (rows[0]?.reads_only !== false) throw new ReadsOnly();
};

export const createPostgresPool = (
  url: string,
  options: {
    /** At most at once. */
    readonly connections: number;
    /** Asked again when it was not asked for this long; 0: before each use. */
    readonly trustMs: number;
  },
): PostgresPool => {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections,
    maxLifetimeSeconds: longestLifeSeconds,
    connectionTimeoutMillis: 5000,
    statement_timeout: 15_000,
    // For a server that went away without a word: nothing may wait for it for longer than its own time-out.
    query_timeout: 20_000,
    keepAlive: true,
    application_name: "latchkey",
  });
  const verifiedAt = new WeakMap<pg.PoolClient, number>();
  const spoilt = new WeakSet<pg.PoolClient>();
  /** One that turned out to be of no use makes all others suspect. */
  let suspectSince = Number.NEGATIVE_INFINITY;

  // A connection that breaks is replaced by the pool at the next query, and fails the query that runs on it. Without
  // listeners its error event would end the process besides: the pool's is for idle ones, the other for those in use.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    client.connection.on("errorMessage", (error: unknown) => {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (typeof code !== "string" || !spoils.test(code)) return;
      spoilt.add(client);
      suspectSince = performance.now();
    });
  });
  // Before the pool decides whether to keep it: one that is ending is not kept.
  pool.on("release", (_, client) => {
    if (spoilt.has(client)) client.end().catch(() => undefined);
  });

  const isTrusted = (client: pg.PoolClient): boolean => {
    const at = verifiedAt.get(client);
    return at !== undefined && at > suspectSince && performance.now() - at < options.trustMs;
  };

  const verified = async (client: pg.PoolClient): Promise<pg.PoolClient> => {
    const askedAt = performance.now();
    try {
      await assertWritable(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    verifiedAt.set(client, askedAt);
    return client;
  };

  return {
    options: pool.options,
    Client: pg.Client,
    end: () => pool.end(),
    connect: async () => {
      // As many may be stale as there are; one more is new, and its "no" is the answer.
      for (let stale = options.connections; ; stale -= 1) {
        const client = await pool.connect();
        if (isTrusted(client)) return client;
        try {
          return await verified(client);
        } catch (error) {
          if (stale === 0 || !verifiedAt.has(client)) throw error;
        }
      }
    },
  };
};
