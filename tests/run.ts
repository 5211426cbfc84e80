// Runs every suite, or those that the arguments pick (Vitest's own: parts of file names, -t, --project), and closes
// with the line "N passed, N failed". With --soak, what is done in rounds is done in many, and
// what needs no store is tried on both.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVitest, parseCLI, type TestProject, type TestSpecification, type Vitest } from "vitest/node";
import { findChromium } from "./support/chromium.ts";
import { moveToMemory } from "./support/memory-folder.ts";
import { postgresUnderTest, sqliteUnderTest } from "./support/migrated-store.ts";
import { ofOneStore } from "./support/one-store.ts";
import { startPostgres, type TestPostgres } from "./support/postgres.ts";
import { countTests, fileLines, reportFailures, say, type Count } from "./support/reporter.ts";

/** Many rounds of what is done in rounds. */
const soaks = "--soak";
/** The pages of what tests cause are written anew, instead of compared with. */
const writesCaused = "--caused=write";
const typed = process.argv.slice(2);
const soak = typed.includes(soaks);
const { filter, options } = parseCLI([
  "vitest",
  ...typed.filter((word) => word !== soaks && word !== writesCaused),
]);

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
  vitest.provide("caused", typed.includes(writesCaused) ? "write" : "compare");
  for (const project of vitest.projects) project.provide("soak", soak);
  const stores = await mkdtemp(join(tmpdir(), "latchkey-stores-"));
  const sqlite = await sqliteUnderTest(stores);
  // The project of the other store gets its own below.
  for (const project of vitest.projects) project.provide("store", sqlite);
  const sightings = await mkdtemp(join(tmpdir(), "latchkey-sightings-"));
  for (const project of vitest.projects) project.provide("sightings", sightings);
  const wanted = withoutSoaks(withoutTwins(await vitest.globTestSpecifications(filter), vitest.config.root));
  const { specifications, problems, postgres } = await withPostgres(await withChromium(wanted));
  try {
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
    reportFailures(testModules, narrowed);
    if (unhandledErrors.length > 0) vitest.logger.printUnhandledErrors(unhandledErrors);
    const { passed, failed } = countTests(testModules, narrowed);
    const seed = vitest.getSeed();
    if (failed > 0 && seed !== null) say(`\nTo repeat this order of tests: --sequence.seed=${seed}`);
    for (const problem of problems) say(`\n${problem}`);
    return { passed, failed: failed + unhandledErrors.length + problems.length };
  } finally {
    await postgres?.stop();
    for (const folder of [sightings, stores]) await rm(folder, { recursive: true, force: true });
  }
};

/** Without what is the same on both stores, on the dearer one; a soak has both. */
const withoutTwins = (specifications: TestSpecification[], root: string): TestSpecification[] => {
  const twins = ofOneStore(root);
  return specifications.filter(
    ({ project, moduleId }) => soak || project.name !== "postgres" || !twins.has(moduleId),
  );
};

/** Without what only a soak has the time for. */
const withoutSoaks = (specifications: TestSpecification[]): TestSpecification[] =>
  soak ? specifications : without(specifications, "soak");

type Prepared = {
  readonly specifications: TestSpecification[];
  /** Why some of them can't run. Each counts as a failure; the others are still worth running. */
  readonly problems: readonly string[];
};

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const without = (specifications: TestSpecification[], name: string): TestSpecification[] =>
  specifications.filter(({ project }) => project.name !== name);

const projectOf = (specifications: TestSpecification[], name: string): TestProject | undefined =>
  specifications.find(({ project }) => project.name === name)?.project;

const withChromium = async (specifications: TestSpecification[]): Promise<Prepared> => {
  const project = projectOf(specifications, "browser");
  if (!project) return { specifications, problems: [] };
  try {
    project.provide("chromium", await findChromium());
    return { specifications, problems: [] };
  } catch (error) {
    return { specifications: without(specifications, "browser"), problems: [sentenceOf(error)] };
  }
};

const withPostgres = async ({
  specifications,
  problems,
}: Prepared): Promise<Prepared & { readonly postgres?: TestPostgres }> => {
  const project = projectOf(specifications, "postgres");
  if (!project) return { specifications, problems };
  try {
    const postgres = await startPostgres();
    project.provide("store", await postgresUnderTest(postgres.adminUrl));
    return { specifications, problems, postgres };
  } catch (error) {
    return {
      specifications: without(specifications, "postgres"),
      problems: [...problems, sentenceOf(error)],
    };
  }
};

moveToMemory();

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
