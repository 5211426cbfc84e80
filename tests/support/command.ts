// The operator's command line on a store that servers may be using. A command runs in this process, with an environment
// and streams of its own; where the process is what matters, it is one of its own.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { inject } from "vitest";
import { storeOf } from "#app/open-store.ts";
import { systemClock } from "#kernel/clock.ts";
import { loadConfig } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { runCommand } from "../../src/cli/run.ts";
import { compiled } from "./compiled.ts";
import { freePort } from "./free-port.ts";
import { createClient, sessionOf, type Client } from "./http.ts";
import { readOutbox, type Mail } from "./mails.ts";
import { createDatabase } from "./postgres.ts";

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

type Begun = ChildProcessByStdio<Writable, Readable, Readable>;

type Settings = Readonly<Record<string, string>>;

type Typed = {
  /** Standard input; without it there is none. */
  readonly input?: string | Buffer;
  readonly settings?: Settings;
};

export type Server = Client & {
  /** What it printed until it listened. */
  readonly banner: string;
  /** Ends it by this signal. @returns its exit code */
  end(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Where a store lies, and what is done there. */
export type Place = {
  readonly folder: string;
  readonly settings: Settings;
  /** `latchkey …` */
  latchkey(args: readonly string[], typed?: Typed): Promise<Ended>;
  /** The same as a process: it must end by itself, so nothing may be left open, and commands at once share nothing. */
  latchkeyProcess(args: readonly string[], typed?: Typed): Promise<Ended>;
  /** The process alone, for a hand at its streams. Killed with the place. */
  begin(args: readonly string[]): Begun;
  /** `latchkey serve`, listening. Ended with the place. */
  serve(settings?: Settings): Promise<Server>;
  /** Asks the store itself. */
  withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
  mails(): Promise<readonly Mail[]>;
};

const commandLine = fileURLToPath(new URL("../../src/cli/index.ts", import.meta.url));

/** Longer than any command takes; one that is not over by then has left something open. */
const longestMs = 50_000;

const begin = (args: readonly string[], settings: Settings): Begun =>
  spawn(process.execPath, [commandLine, ...args], {
    // Nothing of the tester's own settings, and no color.
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compiled, ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });

const textOf = (stream: Readable): (() => string) => {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
};

const collected = () => {
  let text = "";
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return { stream, text: () => text };
};

const run = async (args: readonly string[], settings: Settings, input: Typed["input"]): Promise<Ended> => {
  const [out, err] = [collected(), collected()];
  const code = await runCommand(args, {
    environment: settings,
    stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)], { objectMode: false }),
    stdout: out.stream,
    colors: false,
    stderr: err.stream,
  });
  return { code, out: out.text(), err: err.text() };
};

const runProcess = async (
  args: readonly string[],
  settings: Settings,
  input: Typed["input"],
): Promise<Ended> => {
  const child = begin(args, settings);
  const out = textOf(child.stdout);
  const err = textOf(child.stderr);
  // It may be over before it was told anything.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), longestMs);
  await once(child, "close");
  clearTimeout(timer);
  return { code: child.exitCode, out: out(), err: err() };
};

const serve = async (settings: Settings): Promise<Server> => {
  const child = begin(["serve"], settings);
  const out = textOf(child.stdout);
  const err = textOf(child.stderr);
  const closed = once(child, "close");
  const deadline = performance.now() + longestMs;
  while (!out().includes("\nNext: ")) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`The server did not start: ${err()}`);
    }
    await wait(20);
  }
  const port = Number(settings["LATCHKEY_PORT"]);
  const client = createClient(port, `localhost:${port}`);
  return {
    ...client,
    banner: out(),
    end: async (signal = "SIGTERM") => {
      client.close();
      child.kill(signal);
      await closed;
      return child.exitCode;
    },
  };
};

const endings: Array<() => Promise<unknown>> = [];

/** A store of the project's kind that nothing has been made in yet. */
export const newPlace = async (own: Settings = {}): Promise<Place> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-command-"));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  // As the program does for its process: what a command makes is for its user only.
  const mask = process.umask(0o077);
  endings.push(async () => process.umask(mask));
  const under = inject("store");
  const database = under.kind === "postgres" ? await createDatabase(under.adminUrl) : undefined;
  if (database) endings.push(database.drop);
  const settings = {
    LATCHKEY_DATA: folder,
    LATCHKEY_PORT: String(await freePort()),
    ...(database ? { LATCHKEY_DATABASE_URL: database.url } : {}),
    ...own,
  };
  return {
    folder,
    settings,
    latchkey: (args, typed = {}) => run(args, { ...settings, ...typed.settings }, typed.input),
    latchkeyProcess: (args, typed = {}) => runProcess(args, { ...settings, ...typed.settings }, typed.input),
    begin: (args) => {
      const child = begin(args, settings);
      endings.push(async () => child.kill("SIGKILL"));
      return child;
    },
    serve: async (more = {}) => {
      const server = await serve({ LATCHKEY_LOG_LEVEL: "error", ...settings, ...more });
      endings.push(() => server.end());
      return server;
    },
    withStore: async (work) => {
      const log = createLog({ level: "silent", clock: systemClock });
      const store = storeOf(loadConfig(settings, false), { clock: systemClock, log });
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
    mails: () => readOutbox(join(folder, "outbox")),
  };
};

/** For `afterAll`: ends the servers and removes the stores. */
export const leavePlaces = async (): Promise<void> => {
  for (const end of endings.splice(0).toReversed()) await end();
};

/** Signs somebody up at a server. @returns the session and the API token */
export const signUp = async (
  server: Client,
  email: string,
  password: string,
): Promise<{ readonly session: string; readonly token: string }> => {
  const reply = await server.send("POST", "/api/signup", {
    json: { email, password, tos_accepted_for: "track" },
  });
  const session = sessionOf(reply);
  if (session === undefined) throw new Error(`Sign-up failed: ${reply.status} ${reply.text}`);
  const me = (await server.send("GET", "/api/v9/me", { session })).json();
  if (typeof me !== "object" || me === null || !("api_token" in me) || typeof me.api_token !== "string") {
    throw new Error("No token in /me");
  }
  return { session, token: me.api_token };
};

export type AuditRow = {
  readonly event: string;
  readonly channel: string;
  readonly outcome: string;
  readonly by: string | null;
};

/** What the audit tells of the account with this address, oldest first; without an address, of no account. */
export const auditOf = (place: Place, email?: string): Promise<readonly AuditRow[]> =>
  place.withStore(async ({ query }) => {
    const { rows } =
      email === undefined
        ? await sql<AuditRow>`select event, channel, outcome, user_agent as by from audit_events
            where account_id is null order by id`.execute(query)
        : await sql<AuditRow>`select event, channel, outcome, user_agent as by from audit_events
            where account_id = (select id from accounts where email = ${email}) order by id`.execute(query);
    return rows;
  });
