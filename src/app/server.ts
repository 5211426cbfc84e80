import type { FastifyInstance } from "fastify";
import type { Server } from "node:http";
import { Server as TcpServer } from "node:net";
import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { createClientAddress, createTrustedProxies } from "#kernel/http/client-address.ts";
import { capConnections, usualCaps, type ConnectionCaps } from "#kernel/http/connections.ts";
import type { Drain } from "#kernel/http/drain.ts";
import { createHttpServer } from "#kernel/http/serve.ts";
import { second, type Clock } from "#kernel/clock.ts";
import { createSampling } from "#kernel/telemetry/sampling.ts";
import { plainWire } from "#kernel/http/wire.ts";
import { SetupFault } from "#kernel/errors.ts";
import { systemRandom } from "#kernel/ids.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import type { House } from "./compose.ts";

/** In milliseconds. */
export type Patience = {
  /** So that whoever sends calls here hears of the end and goes elsewhere. */
  readonly announceMs?: number;
  readonly drainMs?: number;
};

export type RunningServer = {
  readonly port: number;
  /**
   * Says at once that it is going, and still takes calls for a while; then takes no more, lets the running ones end, and
   * closes everything else.
   */
  stop(patience?: Patience): Promise<void>;
};

const listenFault = (error: unknown, host: string, port: number): unknown => {
  if (!(error instanceof Error) || !("code" in error)) return error;
  switch (error.code) {
    case "EADDRINUSE":
      return new SetupFault(
        `Port ${port} on ${host} is in use: stop the other program, or set LATCHKEY_PORT to another port.`,
        error,
      );
    case "EACCES":
      return new SetupFault(
        `This user may not listen on port ${port}: set LATCHKEY_PORT to one above 1023.`,
        error,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new SetupFault(`${host} is not an address of this machine: set LATCHKEY_HOST to one.`, error);
    default:
      return error;
  }
};

/** What a test winds by hand. Times are in milliseconds. */
export type ServeOptions = {
  /** How long calls that are running may take to end when the port is closed. */
  readonly drainMs?: number | undefined;
  readonly caps?: ConnectionCaps | undefined;
  /** How long a client may take nothing of its answer. */
  readonly longestUnreadMs?: number | undefined;
};

type Served = Pick<House, "config" | "routes" | "pagesWire" | "ownApi" | "clock" | "drain" | "bodies">;

/** Whoever says for whom it forwards, and is not believed: most often the proxy that the operator forgot to name. */
const untrustedNote = (clock: Clock, log: Log): ((peer: string) => void) => {
  const sampling = createSampling(clock, { ofOneKey: 1, ofAll: 1 });
  return (peer) => {
    if (sampling.pass("") === undefined) return;
    log.warn("forwarded_for_not_believed", {
      peer,
      hint: `Its X-Forwarded-For counts for nothing. If it is your proxy, set LATCHKEY_TRUSTED_PROXIES=${peer}: else all its clients count as one.`,
    });
  };
};

/** The house's rows as an HTTP server that does not listen yet. */
export const httpServerOf = (
  { config, routes, pagesWire, ownApi, clock, drain, bodies }: Served,
  log: Log,
  { caps = usualCaps(), longestUnreadMs }: Pick<ServeOptions, "caps" | "longestUnreadMs"> = {},
): FastifyInstance => {
  const clientAddress = createClientAddress(config.trustedProxies, untrustedNote(clock, log));
  const server = createHttpServer({
    routes,
    corsOrigins: config.corsOrigins,
    unowned: { programs: plainWire, people: pagesWire },
    surroundings: {
      origin: config.origin,
      allowedOrigins: new Set([config.origin.origin, ...config.corsOrigins]),
      clientAddress,
      bodies,
    },
    clock,
    drain,
    random: systemRandom,
    log,
    saysAll: config.logLevel === "debug",
    longestUnreadMs,
  });
  capConnections(server.server, {
    caps,
    clientAddress,
    isTrustedProxy: createTrustedProxies(config.trustedProxies),
    clock,
    log,
  });
  ownApi.answerWith(server);
  return server;
};

const listening = async (house: House, log: Log, options: ServeOptions): Promise<FastifyInstance> => {
  const app = httpServerOf(house, log, options);
  try {
    await app.listen({ host: house.config.host, port: house.config.port });
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
};

/** Who connects, sends within this time. */
const idleMs = 100;

/** While no call is begun, connections are taken off the system's queue as fast as they come. */
const hushMs = 20;

/**
 * Closes the port. What has connected by then, and waits in the system's queue, would be reset by that, and a proxy may
 * have sent a call with it which it must not send again. So for a moment no call is begun: nothing is done then that
 * keeps the queue from being empty when the port is closed.
 */
const closePort = async (server: Server, drain: Drain, onClosed: () => void): Promise<void> => {
  const begin = drain.hold();
  let taken = 0;
  const count = (): void => void (taken += 1);
  server.on("connection", count);
  await wait(hushMs);
  // Each turn of the event loop takes one off the queue. Behind a turn that found none, the queue is empty.
  for (let before = -1; before < taken;) {
    before = taken;
    await setImmediate();
  }
  closeAtOnce(server, onClosed);
  server.off("connection", count);
  begin();
};

/** Node's own way ends connections without a call at once, of which the first may be on its way. */
const closeAtOnce = (server: Server, onClosed: () => void): void => {
  TcpServer.prototype.close.call(server, onClosed);
};

/** Takes no new connection, and waits for the calls that run. @returns how many connections had to be cut */
const closeListener = async (
  server: Server,
  drain: Drain,
  { announceMs, drainMs }: Required<Patience>,
): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const onClosed = (): void => resolve(undefined);
  // Where the end is not announced, nobody relies on it.
  if (announceMs > 0) await closePort(server, drain, onClosed);
  else server.close(onClosed);
  const idle = setInterval(() => server.closeIdleConnections(), idleMs);
  let cut = 0;
  const patience = setTimeout(() => {
    server.getConnections((_, count) => {
      cut = count;
      server.closeAllConnections();
    });
  }, drainMs);
  await promise;
  clearInterval(idle);
  clearTimeout(patience);
  return cut;
};

/**
 * Puts the house on its port.
 *
 * @throws SetupFault when the port can't be had; the house is closed then
 */
export const serve = async (house: House, log: Log, options: ServeOptions = {}): Promise<RunningServer> => {
  const { config, drain } = house;
  const app = await listening(house, log, options).catch(async (error: unknown) => {
    // What stays open would keep the process from ending.
    await house.close();
    throw listenFault(error, config.host, config.port);
  });
  house.start();
  return {
    port: config.port,
    stop: async ({ announceMs = 0, drainMs = options.drainMs ?? 8 * second } = {}) => {
      drain.begin();
      const resting = house.rest();
      // Told again by close.
      resting.catch(() => undefined);
      if (announceMs > 0) await wait(announceMs);
      const cut = await closeListener(app.server, drain, { announceMs, drainMs });
      await app.close();
      await house.close();
      log.info("stopped", { cut });
    },
  };
};
