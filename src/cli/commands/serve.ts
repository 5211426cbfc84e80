import { run } from "#app/run.ts";
import { configOf, type Io } from "../io.ts";

/** The process is the server from then on: its signals end it, and it tells its address on its own standard output. */
export const serve = async (io: Io): Promise<undefined> => {
  await run(configOf(io));
};
