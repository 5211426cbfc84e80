// A start as a machine makes it, but in this process, and ended again: for what is said when there can be none.

import { compose } from "#app/compose.ts";
import type { Surprises } from "#app/ground.ts";
import { serve, type RunningServer } from "#app/server.ts";
import { systemClock } from "#kernel/clock.ts";
import { loadConfig } from "#kernel/config.ts";
import { SetupFault } from "#kernel/errors.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { createClient, type Client } from "./http.ts";

type Settings = Readonly<Record<string, string>>;

/** How long is waited for what may not come, in milliseconds. */
type Patience = Pick<Surprises, "longestHashWaitMs" | "longestTellingMs"> & { readonly drainMs?: number };

const start = async (
  settings: Settings,
  { drainMs, ...surprises }: Patience = {},
): Promise<RunningServer> => {
  const log = createLog({ level: "silent", clock: systemClock });
  return serve(await compose(loadConfig(settings, false), log, surprises), log, { drainMs });
};

/** A server that runs while `work` does. */
export const whileStarted = async <Result>(
  settings: Settings,
  work: (client: Client) => Promise<Result>,
  patience: Patience = {},
): Promise<Result> => {
  const server = await start(settings, patience);
  const client = createClient(server.port, new URL(settings["LATCHKEY_ORIGIN"] ?? "").host);
  try {
    return await work(client);
  } finally {
    client.close();
    await server.stop();
  }
};

/** What a start says that can't be: the sentence that the program prints, with exit code 1. */
export const faultOfStart = async (settings: Settings): Promise<string> => {
  try {
    const server = await start(settings);
    await server.stop();
  } catch (error) {
    if (error instanceof SetupFault) return error.message;
    throw error;
  }
  throw new Error("It started.");
};
