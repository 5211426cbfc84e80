import { run } from "#app/run.ts";

export const serve = async (): Promise<undefined> => {
  await run();
};
