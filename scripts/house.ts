// The house as a start without any setting makes it, on a store that is gone afterwards: where the documents take
// the rows from.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose, type House } from "#app/compose.ts";
import { systemClock } from "#kernel/clock.ts";
import { loadConfig } from "#kernel/config.ts";
import { createClientAddress } from "#kernel/http/client-address.ts";
import { createHttpServer } from "#kernel/http/serve.ts";
import { systemRandom } from "#kernel/ids.ts";
import { createLog } from "#kernel/telemetry/log.ts";

const log = createLog({ level: "error", clock: systemClock });

export const withHouse = async <Result>(
  work: (house: House) => Promise<Result> | Result,
): Promise<Result> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-documents-"));
  try {
    const house = await compose(loadConfig({ LATCHKEY_DATA: folder }, false), log);
    try {
      return await work(house);
    } finally {
      await house.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

type Server = ReturnType<typeof createHttpServer>;

/** The house's HTTP server without a port: ask it with `inject`. */
export const withServer = async <Result>(
  house: House,
  work: (server: Server) => Promise<Result>,
): Promise<Result> => {
  const { origin, trustedProxies } = house.config;
  const server = createHttpServer({
    routes: house.routes,
    corsOrigins: [],
    surroundings: {
      origin,
      allowedOrigins: new Set([origin.origin]),
      clientAddress: createClientAddress(trustedProxies),
    },
    random: systemRandom,
    log,
  });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
};
