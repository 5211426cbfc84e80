import { systemClock } from "#kernel/clock.ts";
import { sizeThreadPool, type Config } from "#kernel/config.ts";
import { isWritableByOthers } from "#kernel/folder.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { compose } from "./compose.ts";
import { outboxFolder } from "./open-store.ts";
import { serve } from "./server.ts";

/** By then everything is closed, or never will be. */
const endMs = 20_000;
const sameSignalMs = 500;

/**
 * Compose the house, listen, and drain on a signal, which ends the process. So does an error that nobody caught: what
 * was begun before it gets its answer, and nothing new is begun with what it may have left behind.
 *
 * @throws SetupFault when it can't be done; nothing is left open then
 */
export const run = async (config: Config): Promise<void> => {
  // Files of this process are for its user only, whatever the folder allows.
  process.umask(0o077);
  sizeThreadPool(config);
  const log = createLog({ level: config.logLevel, clock: systemClock });

  let stopServing = async (): Promise<void> => {};
  let stoppingSince: number | undefined;
  let isFaulty = false;
  const stop = (): void => {
    stoppingSince = performance.now();
    setTimeout(() => process.exit(1), endMs).unref();
    stopServing().then(
      () => process.exit(isFaulty ? 1 : 0),
      (error: unknown) => {
        log.error("stop_failed", { error });
        process.exit(1);
      },
    );
  };

  const onFault = (event: string, error: unknown): void => {
    // What is no error may be anything, and so hold anything.
    log.error(event, { error: error instanceof Error ? error : `[${typeof error}]` });
    if (isFaulty) process.exit(1);
    isFaulty = true;
    if (stoppingSince === undefined) stop();
  };
  process.on("uncaughtException", (error) => onFault("exception_uncaught", error));
  process.on("unhandledRejection", (reason) => onFault("rejection_unhandled", reason));

  const house = await compose(config, log);
  const server = await serve(house, log);
  stopServing = () => server.stop();
  const onSignal = (): void => {
    // A second Ctrl-C means: now. But one Ctrl-C comes twice where npm passes on what the terminal sent already.
    if (stoppingSince === undefined) stop();
    else if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);

  const mail = config.smtpUrl ? "Mail goes out by SMTP." : `Mail is written to ${outboxFolder(config)}`;
  if (await isWritableByOthers(config.dataFolder)) {
    process.stderr.write(
      `Warning: ${config.dataFolder} can be written by other users of this machine. Run: chmod go-w '${config.dataFolder}'\n`,
    );
  }
  // Last, because whoever reads it may send a signal at once.
  process.stdout.write(
    `Latchkey is at ${config.origin.origin}\n${mail}\nNext: open it in a browser and sign up.\n`,
  );
};
