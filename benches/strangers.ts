// How long the check of a token takes while strangers make the server write, and while it clears up. On SQLite, where
// one thread does it all. Absolute times, so on a machine that does nothing else.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { basic, signUp } from "./checks.ts";
import { origin, port, say, startOurs } from "./measure.ts";
import type { Answered, Calls } from "./stranger.ts";

const strangers = 60;
const floodMs = 8000;
/** What a flood of anonymous writes may make of the check of a token, in milliseconds. */
const boundOfCheck = 25;
/** What a purge may, at the most. */
const boundOfPurge = 100;
const endedSessions = 300_000;

const start = (): ChildProcess => fork(fileURLToPath(import.meta.resolve("./stranger.ts")));

const isAnswered = (reply: unknown): reply is Answered =>
  typeof reply === "object" && reply !== null && "took" in reply;

const answersOf = async (child: ChildProcess, calls: Calls): Promise<Answered> => {
  child.send(calls);
  const [reply]: unknown[] = await once(child, "message");
  if (!isAnswered(reply)) throw new Error(JSON.stringify(reply));
  return reply;
};

const atPart = (took: readonly number[], part: number): number =>
  took.toSorted((a, b) => a - b)[Math.min(took.length - 1, Math.floor(took.length * part))] ?? Number.NaN;

type Flood = { readonly name: string; readonly path: string; readonly body: object };

const floods: readonly Flood[] = [
  {
    name: "reset requests",
    path: "/api/me/password_reset/request",
    body: { email: "nobody{n}@example.com" },
  },
  {
    name: "wrong codes",
    path: "/api/me/password_reset/confirm/0123456789abcdefghjkmnpqrs",
    body: { password: "a quiet river at noon" },
  },
  {
    name: "sign-ups",
    path: "/api/signup",
    body: { email: "new{n}@example.com", password: "a quiet river at noon", tos_accepted_for: "track" },
  },
  {
    name: "wrong passwords",
    path: "/api/sessions",
    body: { email: "nobody{n}@example.com", password: "a loud river at noon" },
  },
];

const checksOf = (token: string): Omit<Calls, "milliseconds"> => ({
  port,
  connections: 1,
  method: "GET",
  path: "/api/v9/me",
  headers: { authorization: basic(token, "api_token") },
  pauseMs: 2,
});

const floodOf = ({ path, body }: Flood): Calls => ({
  port,
  connections: strangers,
  milliseconds: floodMs,
  method: "POST",
  path,
  headers: { "content-type": "application/json", "x-forwarded-for": "{network}" },
  body: JSON.stringify(body),
});

const settings = { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1", LATCHKEY_LOG_LEVEL: "error" };

const withServer = async (
  folder: string,
  work: (asker: ChildProcess, stranger: ChildProcess) => Promise<void>,
): Promise<void> => {
  const ours = await startOurs(folder, settings);
  const children = [start(), start()] as const;
  try {
    await work(...children);
  } finally {
    for (const child of children) child.kill();
    await ours.stop();
  }
};

const benchFloods = async (folder: string): Promise<void> => {
  await withServer(folder, async (asker, stranger) => {
    const checks = { ...checksOf((await signUp(0)).token), milliseconds: floodMs };
    const quiet = await answersOf(asker, checks);
    say(
      `\nThe check of a token, in ms, while ${strangers} connections of strangers send what is written down\n`,
    );
    say("| flood | p50 | p99 | longest | answers |");
    say("| --- | --- | --- | --- | --- |");
    const row = (name: string, { took }: Answered, answers: string): void =>
      say(
        `| ${name} | ${[0.5, 0.99, 1].map((part) => atPart(took, part).toFixed(1)).join(" | ")} | ${answers} |`,
      );
    row("none", quiet, "");
    for (const flood of floods) {
      const [checked, flooded] = await Promise.all([
        answersOf(asker, checks),
        answersOf(stranger, floodOf(flood)),
      ]);
      row(flood.name, checked, JSON.stringify(flooded.statuses));
    }
    say(`\nThe p99 of each is to stay at ${boundOfCheck} ms or below.`);
  });
};

const fill = (database: Database.Database): void => {
  const account = database.prepare("select id from accounts limit 1").pluck().get();
  const insert = database.prepare(
    "insert into sessions values (?, ?, ?, ?, ?, 0, '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64)')",
  );
  database.transaction(() => {
    for (let n = 0; n < endedSessions; n++) {
      insert.run(n.toString(16).padStart(32, "0"), account, n, n, n);
    }
    database.prepare("update jobs set due_at = 0").run();
  })();
};

const benchPurge = async (folder: string): Promise<void> => {
  await withServer(folder, async (asker) => {
    const { token } = await signUp(1);
    const database = new Database(join(folder, "latchkey.db"), { timeout: 10_000 });
    fill(database);
    database.pragma("wal_checkpoint(truncate)");
    const left = database.prepare("select count(*) from sessions where expires_at < 1000000").pluck();
    // The server looks for jobs that are due three times a minute.
    let took: readonly number[] = [];
    while (Number(left.get()) > 0) {
      const checked = await answersOf(asker, { ...checksOf(token), milliseconds: 1000 });
      took = [...took, ...checked.took];
    }
    say(
      `\nThe purge of ${endedSessions} sessions, in whose time the check of a token took ${atPart(took, 0.5).toFixed(1)} ms (p50), ${atPart(took, 0.99).toFixed(1)} ms (p99) and ${atPart(took, 1).toFixed(1)} ms at the most. The last is to stay at ${boundOfPurge} ms or below.`,
    );
    database.close();
  });
};

export const benchStrangers = async (): Promise<void> => {
  say(`\n${origin} on SQLite; Node ${process.version}`);
  for (const bench of [benchFloods, benchPurge]) {
    const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
    try {
      await bench(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
};
