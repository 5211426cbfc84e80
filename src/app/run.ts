import about from "../../package.json" with { type: "json" };
import { second, systemClock } from "#kernel/clock.ts";
import { sizeThreadPool, type Config } from "#kernel/config.ts";
import { isWritableByOthers } from "#kernel/folder.ts";
import { createLog, type Log } from "#kernel/telemetry/log.ts";
import { compose } from "./compose.ts";
import { outboxFolder } from "./open-store.ts";
import { serve, type Patience } from "./server.ts";

/** From the signal on, running calls have this long; a container that is stopped is killed after 10 seconds. */
const longestStopMs = 8 * second;
/** However long it was announced. */
const leastForCallsMs = 3 * second;
/** By then everything else is closed, or never will be. */
const closingMs = 1.5 * second;
const sameSignalMs = 500;

/** How an end goes that was announced for so long. */
const patienceFor = (announceMs: number): Required<Patience> => ({
  announceMs,
  drainMs: Math.max(longestStopMs - announceMs, leastForCallsMs),
});

/** Signals that end nothing here, and why they do nothing. */
const ignored = {
  SIGHUP: "settings are read at the start, and the log is standard error: restart to have either anew",
  // Node's own answer is to let anybody on this machine run code in the process that holds the root keys.
  SIGUSR1: "no debugger is opened",
} as const;

const ignoreSignals = (log: Log): void => {
  for (const [signal, reason] of Object.entries(ignored)) {
    process.on(signal, () => log.warn("signal_ignored", { signal, reason }));
  }
};

/** What an operator asks first when something is wrong. */
const tellStart = (log: Log, config: Config): void => {
  const { origin, host, port, trustedProxies, databaseUrl, smtpUrl, logLevel, drainSeconds } = config;
  log.info("started", {
    version: about.version,
    node: process.versions.node,
    origin: origin.origin,
    listening: `${host}:${port}`,
    store: databaseUrl ? "postgres" : "sqlite",
    mail: smtpUrl ? "smtp" : "outbox",
    trustedProxies,
    logLevel,
    drainSeconds,
  });
  if (origin.protocol === "https:" && trustedProxies.length === 0) {
    log.warn("no_trusted_proxies", {
      hint: "Something in front of this server speaks https for it. Until its address is in LATCHKEY_TRUSTED_PROXIES, all clients count as one network, and the limits of one are the limits of all.",
    });
  }
};

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
  ignoreSignals(log);

  let stopServing = async (_patience: Patience): Promise<void> => {};
  let stoppingSince: number | undefined;
  let isFaulty = false;
  const stop = (announceMs: number): void => {
    stoppingSince = performance.now();
    const patience = patienceFor(announceMs);
    setTimeout(
      () => {
        log.error("stop_took_too_long");
        process.exit(1);
      },
      announceMs + patience.drainMs + closingMs,
    ).unref();
    stopServing(patience).then(
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
    if (stoppingSince === undefined) stop(0);
  };
  process.on("uncaughtException", (error) => onFault("exception_uncaught", error));
  process.on("unhandledRejection", (reason) => onFault("rejection_unhandled", reason));

  const house = await compose(config, log);
  const server = await serve(house, log);
  stopServing = (patience) => server.stop(patience);
  const onSignal = (signal: NodeJS.Signals, announceMs: number): void => {
    // A second Ctrl-C means: now. But one Ctrl-C comes twice where npm passes on what the terminal sent already.
    if (stoppingSince === undefined) {
      log.info("stopping", { signal, announcedForMs: announceMs });
      stop(announceMs);
    } else if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
  };
  process.on("SIGTERM", () => onSignal("SIGTERM", config.drainSeconds * second));
  // Who sits in front of it does not want to wait for a proxy.
  process.on("SIGINT", () => onSignal("SIGINT", 0));

  const mail = config.smtpUrl ? "Mail goes out by SMTP." : `Mail is written to ${outboxFolder(config)}`;
  if (await isWritableByOthers(config.dataFolder)) {
    process.stderr.write(
      `Warning: ${config.dataFolder} can be written by other users of this machine. Run: chmod go-w '${config.dataFolder}'\n`,
    );
  }
  tellStart(log, config);
  // Last, because whoever reads it may send a signal at once.
  process.stdout.write(
    `Latchkey is at ${config.origin.origin}\n${mail}\nNext: open it in a browser and sign up.\n`,
  );
};
