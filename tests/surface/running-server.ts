// A server as `npm start` runs it, in a folder of its own.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

export type RunningServer = {
  readonly origin: string;
  /** What it printed so far. */
  printed(): string;
  stop(): Promise<void>;
};

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

/** Starts it with no setting but a free port, and waits until it says where it is. */
export const startServer = async (folder: string): Promise<RunningServer> => {
  const port = await freePort();
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("LATCHKEY_"));
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), LATCHKEY_PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let complained = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complained += text));
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      if (printed.includes("\nNext: ")) resolve();
    });
    void ended.then(() => reject(new Error(`The server ended: ${complained}`)));
  });
  return {
    origin: `http://localhost:${port}`,
    printed: () => printed,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
};
