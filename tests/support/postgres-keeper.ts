// A process of its own that runs a throw-away PostgreSQL until its standard input ends. Its one line of output is the
// server's admin URL, or a sentence that tells why there is none.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Client } from "pg";
import { findBinaries, type SpawnOptions } from "./postgres-binaries.ts";

// PostgreSQL refuses to run as root; 65534 is "nobody".
const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

const settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: 200,
  shared_buffers: "32MB",
  wal_level: "minimal",
  max_wal_senders: 0,
  checkpoint_timeout: "1h",
  max_wal_size: "4GB",
  // Tests kill processes of ours, never this one or the machine: what it was given is safe in its memory.
  fsync: "off",
  full_page_writes: "off",
  autovacuum: "off",
  jit: "off",
  timezone: "UTC",
  // LOG, which tells that the server is ready, ranks above ERROR here; tests provoke errors on purpose.
  log_min_messages: "log",
};

const keep = async (folder: string): Promise<void> => {
  if (owner) await chown(folder, owner.uid, owner.gid);
  const options = { ...owner, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  const binaries = await findBinaries(options);
  if (binaries === undefined) {
    throw new Error(
      "Testing the PostgreSQL store needs PostgreSQL: install it (Debian: apt-get install postgresql), or set " +
        "LATCHKEY_TEST_POSTGRES_URL to the admin URL of a server for tests.",
    );
  }
  const password = await initialise(join(binaries, "initdb"), options);
  const port = await freePort();
  const server = start(join(binaries, "postgres"), port, options);
  const ended = once(server, "exit");
  try {
    await ready(server.stderr);
    // A pipe that nobody reads fills up, and the server would wait.
    server.stderr.resume();
    const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    await hashOnce(adminUrl, password);
    process.stdout.write(`${adminUrl}\n`);
    await Promise.race([endOfRun, ended]);
  } finally {
    // The immediate shutdown: nobody wants the data any more.
    server.kill("SIGQUIT");
    await ended;
  }
};

const initialise = async (initdb: string, options: SpawnOptions): Promise<string> => {
  const password = randomBytes(16).toString("hex");
  const passwordFile = join(options.cwd, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner) await chown(passwordFile, owner.uid, owner.gid);
  const method = ["--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  const text = ["--encoding=UTF8", "--locale=C"];
  await promisify(execFile)(initdb, ["--pgdata=data", "--no-sync", ...method, ...text], options);
  return password;
};

const start = (postgres: string, port: number, options: SpawnOptions) => {
  const lines = Object.entries({ ...settings, port }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return spawn(postgres, ["-D", "data", ...lines], { ...options, stdio: ["ignore", "ignore", "pipe"] });
};

const ready = async (log: Readable): Promise<void> => {
  const lines: string[] = [];
  for await (const line of createInterface({ input: log })) {
    lines.push(line);
    if (line.includes("ready to accept connections")) return;
  }
  throw new Error(`The PostgreSQL of the tests did not start: ${lines.join("\n")}`);
};

/**
 * Whoever connects hashes the password 4096 times, against guessing; this one is 128 random bits, and a run connects ten
 * thousand times. It stays asked for: the server would do anything for other users of this machine.
 */
const hashOnce = async (adminUrl: string, password: string): Promise<void> => {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // From PostgreSQL 16 on.
    const { rowCount } = await client.query("SELECT FROM pg_settings WHERE name = 'scram_iterations'");
    if (rowCount === 0) return;
    await client.query("SET scram_iterations = 1");
    await client.query(`ALTER ROLE postgres PASSWORD '${password}'`);
  } finally {
    await client.end();
  }
};

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("A TCP server has no TCP address.");
  return address.port;
};

process.stdin.resume();
const endOfRun = Promise.race([
  once(process.stdin, "end"),
  once(process, "SIGTERM"),
  once(process, "SIGINT"),
]);
// Nobody may be left to read the answer; the server has to be stopped all the same.
process.stdout.on("error", () => {});

const folder = await mkdtemp(join(tmpdir(), "latchkey-postgres-"));
try {
  await keep(folder);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stdout.write(`${message.trim().replaceAll("\n", "; ")}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
