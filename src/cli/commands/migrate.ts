import { openReadyStore } from "#app/open-store.ts";
import { systemClock } from "#kernel/clock.ts";
import type { Ending } from "../command.ts";
import { commandLog } from "../house.ts";
import { configOf, type Io } from "../io.ts";

export const migrate = async (io: Io): Promise<Ending> => {
  const config = configOf(io);
  let applied: readonly string[] = [];
  const store = await openReadyStore(
    config,
    { clock: systemClock, log: commandLog(config, io) },
    async (opened) => {
      applied = await opened.migrate();
    },
  );
  await store.close();
  if (applied.length === 0)
    return { json: { applied }, notes: ["The store is up to date; nothing was applied."] };
  return { output: applied.join("\n"), json: { applied } };
};
