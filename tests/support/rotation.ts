// The operator who rotates root keys: a command beside the servers, which may be killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Config } from "#kernel/config.ts";
import { sealedColumns } from "#app/sealed-columns.ts";
import { countLeaning, type Leaning } from "#kernel/crypto/root-keys/root-key-removal.ts";
import type { Store } from "#kernel/db/store.ts";

type Settings = Readonly<Record<string, string>>;

const commandLine = fileURLToPath(new URL("../../src/cli/index.ts", import.meta.url));
/** Compiled once, and not for each command. */
const compiled = fileURLToPath(new URL("../../node_modules/.cache/latchkey", import.meta.url));

/** `latchkey root-keys …`, begun. */
export const beginRootKeys = (settings: Settings, ...args: readonly string[]) => {
  const child = spawn(process.execPath, [commandLine, "root-keys", ...args], {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compiled, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended = once(child, "close").then(() => ({ code: child.exitCode, out: out.trim(), err: err.trim() }));
  return {
    ended,
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
};

export const rootKeys = (settings: Settings, ...args: readonly string[]) =>
  beginRootKeys(settings, ...args).ended;

/** Of a command on the store of a house. */
export const settingsFor = (config: Config): Settings => ({
  LATCHKEY_DATA: config.dataFolder,
  ...(config.databaseUrl ? { LATCHKEY_DATABASE_URL: config.databaseUrl.reveal() } : {}),
});

/** How many sealed values lean on which root key, and where. */
export const leaningIn = (store: Store): Promise<Leaning> => countLeaning(store, store.query, sealedColumns);
