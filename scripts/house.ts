// The house as a start without any setting makes it, on a store that is gone afterwards and without a port: where the
// documents have the rows from.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose } from "#app/compose.ts";
import { systemClock } from "#kernel/clock.ts";
import { loadConfig } from "#kernel/config.ts";
import type { Route } from "#kernel/http/route.ts";
import { httpServerOf } from "#app/server.ts";
import { createLog } from "#kernel/telemetry/log.ts";

export type OpenHouse = {
  readonly rows: readonly Route[];
  /** Ask it with `inject`. */
  readonly server: ReturnType<typeof httpServerOf>;
  readonly close: () => Promise<void>;
};

export const openHouse = async (): Promise<OpenHouse> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-rows-"));
  const config = loadConfig({ LATCHKEY_DATA: folder }, false);
  const log = createLog({ level: "error", clock: systemClock });
  const house = await compose(config, log);
  const server = httpServerOf(house, log);
  return {
    rows: house.routes,
    server,
    close: async () => {
      await server.close();
      await house.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
