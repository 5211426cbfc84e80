// A real PostgreSQL for one run, and fresh databases in it.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

export type TestPostgres = { readonly adminUrl: string; readonly stop: () => Promise<void> };

export type TestDatabase = {
  readonly name: string;
  readonly url: string;
  readonly drop: () => Promise<void>;
};

/**
 * The server that LATCHKEY_TEST_POSTGRES_URL names, else a throw-away one that ends with this process, however this
 * process ends. Throws an Error whose message is a sentence for the person who runs the tests.
 */
export const startPostgres = async (): Promise<TestPostgres> => {
  const given = process.env["LATCHKEY_TEST_POSTGRES_URL"];
  if (given === undefined || given === "") return startThrowAway();
  try {
    await run(given, "SELECT 1");
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors.map(String).join(", ") : String(error);
    throw new Error(`The PostgreSQL of LATCHKEY_TEST_POSTGRES_URL does not answer: ${reason}`, {
      cause: error,
    });
  }
  return { adminUrl: given, stop: async () => {} };
};

/**
 * A fresh database on the server of `adminUrl`, empty or a copy. `drop` also ends connections that are still open.
 *
 * @param template the database that it is a copy of
 */
export const createDatabase = async (adminUrl: string, template = "template0"): Promise<TestDatabase> => {
  const name = `latchkey_test_${randomBytes(8).toString("hex")}`;
  // A copy of the files costs less than the default, which writes every page to the log; nothing has to survive a crash.
  await run(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
  const url = new URL(adminUrl);
  url.pathname = name;
  return { name, url: url.href, drop: () => run(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
};

// The keeper is detached so that Ctrl-C does not reach it, and takes the end of its standard input for the end of
// the run: that comes even when this process is killed.
/** A throw-away server: that of the run, or one of its own for a test that turns what a whole server does. */
export const startThrowAway = async (): Promise<TestPostgres> => {
  const keeper = spawn(process.execPath, [fileURLToPath(import.meta.resolve("./postgres-keeper.ts"))], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const ended = once(keeper, "exit");
  const stop = async (): Promise<void> => {
    keeper.stdin.end();
    await ended;
  };
  for await (const line of createInterface({ input: keeper.stdout })) {
    if (line.startsWith("postgres://")) return { adminUrl: line, stop };
    throw new Error(line);
  }
  throw new Error("The process that keeps the PostgreSQL of the tests ended before the server was ready.");
};

/** One statement, as the server's owner. */
export const run = async (url: string, statement: string): Promise<void> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};
