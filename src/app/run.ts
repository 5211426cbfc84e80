import { systemClock } from "#kernel/clock.ts";
import { sizeThreadPool, type Config } from "#kernel/config.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { compose } from "./compose.ts";
import { outboxFolder } from "./open-store.ts";
import { serve } from "./server.ts";

/** By then everything is closed, or never will be. */
const endMs = 20_000;
const sameSignalMs = 500;

/**
 * Compose the house, listen, and drain on a signal, which ends the process.
 *
 * @throws SetupFault when it can't be done; nothing is left open then
 */
export const run = async (config: Config): Promise<void> => {
  // Files of this process are for its user only, whatever the folder allows.
  process.umask(0o077);
  sizeThreadPool(config);
  const log = createLog({ level: config.logLevel, clock: systemClock });
  const house = await compose(config, log);
  const server = await serve(house, log);

  let stoppingSince: number | undefined;
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      // A second Ctrl-C means: now. But one Ctrl-C comes twice where npm passes on what the terminal sent already.
      if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    setTimeout(() => process.exit(1), endMs).unref();
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("stop_failed", { error });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  const mail = config.smtpUrl ? "Mail goes out by SMTP." : `Mail is written to ${outboxFolder(config)}`;
  // Last, because whoever reads it may send a signal at once.
  process.stdout.write(
    `Latchkey is at ${config.origin.origin}\n${mail}\nNext: open it in a browser and sign up.\n`,
  );
};
