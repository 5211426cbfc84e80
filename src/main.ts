import { run } from "#app/run.ts";
import { SetupFault } from "#kernel/errors.ts";

try {
  await run();
} catch (error) {
  if (!(error instanceof SetupFault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
