import type { FastifyInstance } from "fastify";
import { createClientAddress } from "#kernel/http/client-address.ts";
import { createHttpServer } from "#kernel/http/serve.ts";
import { second } from "#kernel/clock.ts";
import { plainWire } from "#kernel/http/wire.ts";
import { SetupFault } from "#kernel/errors.ts";
import { systemRandom } from "#kernel/ids.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import type { House } from "./compose.ts";

export type RunningServer = {
  readonly port: number;
  /** Stops taking calls, lets the running ones end, then closes everything else. */
  stop(): Promise<void>;
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

/** The house's rows as an HTTP server that does not listen yet. */
export const httpServerOf = (
  {
    config,
    routes,
    pagesWire,
    ownApi,
    clock,
    bodies,
  }: Pick<House, "config" | "routes" | "pagesWire" | "ownApi" | "clock" | "bodies">,
  log: Log,
): FastifyInstance => {
  const server = createHttpServer({
    routes,
    corsOrigins: config.corsOrigins,
    unowned: { programs: plainWire, people: pagesWire },
    surroundings: {
      origin: config.origin,
      allowedOrigins: new Set([config.origin.origin, ...config.corsOrigins]),
      clientAddress: createClientAddress(config.trustedProxies),
      bodies,
    },
    clock,
    random: systemRandom,
    log,
  });
  ownApi.answerWith(server);
  return server;
};

const listening = async (house: House, log: Log): Promise<FastifyInstance> => {
  const app = httpServerOf(house, log);
  try {
    await app.listen({ host: house.config.host, port: house.config.port });
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
};

/**
 * Puts the house on its port.
 *
 * @param drainMs how long calls that are running may take to end
 * @throws SetupFault when the port can't be had; the house is closed then
 */
export const serve = async (house: House, log: Log, drainMs = 8 * second): Promise<RunningServer> => {
  const { config } = house;
  const app = await listening(house, log).catch(async (error: unknown) => {
    // What stays open would keep the process from ending.
    await house.close();
    throw listenFault(error, config.host, config.port);
  });
  house.start();
  return {
    port: config.port,
    stop: async () => {
      // Whoever has not got their answer by then will not get it; the rest must still be closed in order.
      const patience = setTimeout(() => app.server.closeAllConnections(), drainMs);
      await app.close();
      clearTimeout(patience);
      await house.close();
    },
  };
};
