// The server as a machine runs it: processes of `src/main.ts` on a store of the project's kind, which hear of nothing
// but their settings.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { systemClock, type Clock } from "#kernel/clock.ts";
import { loadConfig, type Config } from "#kernel/config.ts";
import { compiled } from "./compiled.ts";
import { freePort } from "./free-port.ts";
import { createClient, type Client } from "./http.ts";
import { createDatabase } from "./postgres.ts";

export type Settings = Readonly<Record<string, string>>;

type SpawnOptions = {
  /** Runs as this user and group. */
  readonly uid?: number;
  /** For Node itself. */
  readonly flags?: readonly string[];
};

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
};

export type Running = Client & {
  readonly port: number;
  /** What it has printed so far. */
  out(): string;
  err(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
};

/** Where a store lies, before anything was ever done there. */
export type Site = {
  readonly settings: Settings;
  /** What the settings come to, for a hand in the same store that is no server. */
  readonly config: Config;
  readonly clock: Clock;
  /** Where mails end up. */
  readonly outbox: string;
};

const server = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Longer than a start or an end takes on any machine; what is not over by then hangs. */
const longestMs = 50_000;

const endings: Array<() => Promise<unknown>> = [];

const launch = (settings: Settings, { uid, flags = [] }: SpawnOptions) => {
  const child = spawn(process.execPath, [...flags, server], {
    env: { NODE_COMPILE_CACHE: compiled, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const out = textOf(child.stdout);
  const err = textOf(child.stderr);
  const ended = once(child, "close").then((): Ended => ({
    code: child.exitCode,
    signal: child.signalCode,
    out: out(),
    err: err(),
  }));
  endings.push(() => end(child, ended));
  return { child, out, err, ended };
};

const textOf = (stream: NodeJS.ReadableStream): (() => string) => {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
};

const end = (child: ChildProcess, ended: Promise<Ended>): Promise<Ended> => {
  child.kill("SIGKILL");
  return ended;
};

const inTime = async (child: ChildProcess, ended: Promise<Ended>): Promise<Ended> => {
  const timer = setTimeout(() => child.kill("SIGKILL"), longestMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
};

/** A start that is expected to come to an end by itself; killed when it does not. */
export const runToEnd = (settings: Settings, options: SpawnOptions = {}): Promise<Ended> => {
  const { child, ended } = launch(settings, options);
  return inTime(child, ended);
};

/** Begins to start, and does not wait for it. */
export const beginProcess = (settings: Settings, options: SpawnOptions = {}) => {
  const { child, ended } = launch(settings, options);
  return { kill: () => end(child, ended) };
};

/** Starts a server and waits until it has printed its address. Killed at the end of the test file at the latest. */
export const startProcess = async (settings: Settings, options: SpawnOptions = {}): Promise<Running> => {
  const { child, out, err, ended } = launch(settings, options);
  const deadline = performance.now() + longestMs;
  while (!/^Next: .*\n/m.test(out())) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      await end(child, ended);
      throw new Error(`The server did not start: ${err() || out() || "it said nothing"}`);
    }
    await wait(10);
  }
  const port = Number(settings["LATCHKEY_PORT"]);
  const client = createClient(port, new URL(settings["LATCHKEY_ORIGIN"] ?? "").host);
  endings.push(async () => client.close());
  return {
    ...client,
    port,
    out,
    err,
    signal: (name) => void child.kill(name),
    ended: ended.finally(() => client.close()),
  };
};

/** Sends the signal and waits for the end, which must come by itself. */
export const endProcess = async (running: Running, signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> => {
  const timer = setTimeout(() => running.signal("SIGKILL"), longestMs);
  running.signal(signal);
  const ended = await running.ended;
  clearTimeout(timer);
  return ended;
};

/**
 * A folder and, on PostgreSQL, a database of their own. They are gone after `clearSites`.
 * @param own settings of its servers, and of no other hand
 */
export const newSite = async (own: Settings = {}): Promise<Site> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-process-"));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const store = inject("store");
  const database = store.kind === "postgres" ? await createDatabase(store.adminUrl) : undefined;
  if (database) endings.push(database.drop);
  const port = await freePort();
  const settings = {
    LATCHKEY_DATA: join(folder, "data"),
    LATCHKEY_PORT: String(port),
    LATCHKEY_ORIGIN: `http://localhost:${port}`,
    LATCHKEY_LOG_LEVEL: "info",
    ...(database ? { LATCHKEY_DATABASE_URL: database.url } : {}),
  };
  const config = loadConfig(settings, false);
  return {
    settings: { ...settings, ...own },
    config,
    clock: systemClock,
    outbox: join(config.dataFolder, "outbox"),
  };
};

/** The same store on another port: a second process may run there. */
export const besides = async ({ settings }: Site): Promise<Settings> => ({
  ...settings,
  LATCHKEY_PORT: String(await freePort()),
});

/** For `afterAll` or `afterEach`. */
export const clearSites = async (): Promise<void> => {
  for (const ending of endings.splice(0).toReversed()) await ending();
};
