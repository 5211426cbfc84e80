// Runs every suite, or those that the arguments pick (Vitest's own: parts of file names, -t, --project), and closes
// with the line "N passed, N failed".

import { createVitest, parseCLI, type TestSpecification, type Vitest } from "vitest/node";
import { startPostgres, type TestPostgres } from "./support/postgres.ts";
import { countTests, fileLines, reportFailures, say, type Count } from "./support/reporter.ts";

const { filter, options } = parseCLI(["vitest", ...process.argv.slice(2)]);

// Picked by name, line or tag: the other tests of a file are then not run on purpose.
const narrowed =
  [options.testNamePattern, options.tagsFilter].some(Boolean) || filter.some((part) => /:\d+$/.test(part));

const runAll = async (): Promise<Count> => {
  const vitest = await createVitest(
    { ...options, watch: false, configLoader: "native", reporters: [fileLines(narrowed)] },
    {},
    { stderr: process.stdout },
  );
  try {
    return await runOn(vitest);
  } finally {
    await vitest.close();
  }
};

const runOn = async (vitest: Vitest): Promise<Count> => {
  const wanted = await vitest.globTestSpecifications(filter);
  const { specifications, postgres, problem } = await withPostgres(wanted);
  try {
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
    reportFailures(testModules, narrowed);
    if (unhandledErrors.length > 0) vitest.logger.printUnhandledErrors(unhandledErrors);
    const { passed, failed } = countTests(testModules, narrowed);
    const seed = vitest.getSeed();
    if (failed > 0 && seed !== null) say(`\nTo repeat this order of tests: --sequence.seed=${seed}`);
    if (problem !== undefined) say(`\n${problem}`);
    return { passed, failed: failed + unhandledErrors.length + (problem === undefined ? 0 : 1) };
  } finally {
    await postgres?.stop();
  }
};

type Prepared = { specifications: TestSpecification[]; postgres?: TestPostgres; problem?: string };

// Without a PostgreSQL the other suites are still worth running.
const withPostgres = async (wanted: TestSpecification[]): Promise<Prepared> => {
  const project = wanted.find((specification) => specification.project.name === "postgres")?.project;
  if (!project) return { specifications: wanted };
  try {
    const postgres = await startPostgres();
    project.provide("store", { kind: "postgres", adminUrl: postgres.adminUrl });
    return { specifications: wanted, postgres };
  } catch (error) {
    const specifications = wanted.filter((specification) => specification.project !== project);
    return { specifications, problem: error instanceof Error ? error.message : String(error) };
  }
};

const runOrExplain = async (): Promise<Count> => {
  try {
    const count = await runAll();
    if (count.passed + count.failed > 0) return count;
    say("No test ran.");
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { passed: 0, failed: 1 };
};

const { passed, failed } = await runOrExplain();
say(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
