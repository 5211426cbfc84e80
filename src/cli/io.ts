import type { Readable, Writable } from "node:stream";
import { loadConfig, type Config, type Environment } from "#kernel/config.ts";

type Terminal = { readonly isTTY?: boolean };

/** What a command has of the world around it besides its store: of the process that it was typed in, or of a test. */
export type Io = {
  readonly environment: Environment;
  readonly stdin: Readable & Terminal;
  /** What was made or asked for, and nothing else. */
  readonly stdout: Writable & Terminal;
  /** Whether standard output shows colors. */
  readonly colors: boolean;
  /** Sentences for people, and the log. */
  readonly stderr: Writable & Terminal;
};

/** @throws SetupFault */
export const configOf = ({ environment, stderr }: Io): Config =>
  loadConfig(environment, stderr.isTTY === true);
