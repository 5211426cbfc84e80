import { run } from "#app/run.ts";
import { loadConfig, ownEnvironment } from "#kernel/config.ts";
import { SetupFault } from "#kernel/errors.ts";

try {
  await run(loadConfig(ownEnvironment, process.stderr.isTTY));
} catch (error) {
  if (!(error instanceof SetupFault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
