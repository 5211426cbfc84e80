import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const throughTheDoor = ["http", "security", "nodes", "clients", "cli"].map(
  (folder) => `tests/${folder}/**/*.test.ts`,
);

const project = (name: string, include: string[]): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include },
});

const afterwards = (given: TestProjectInlineConfiguration): TestProjectInlineConfiguration => ({
  ...given,
  test: { ...given.test, sequence: { groupOrder: 1 } },
});

export default defineConfig({
  test: {
    projects: [
      project("kernel", ["src/**/*.test.ts"]),
      // tests/run.ts provides what each stands on: stores, the server of PostgreSQL, the browser.
      project("sqlite", throughTheDoor),
      project("postgres", throughTheDoor),
      // On SQLite: what differs between the stores is no matter of pages.
      project("browser", ["tests/browser/**/*.test.ts"]),
      // Under `npm run soak` only: needs more than Node, or more time than the gate has.
      project("soak", ["tests/soak/**/*.test.ts"]),
      project("surface", ["tests/surface/**/*.test.ts"]),
      // Judges what the others saw: comes when they are done.
      afterwards(project("contract", ["tests/contract/**/*.test.ts"])),
    ],
    // Processes, not threads: tests kill servers. One process runs many files of a project: to load our modules and
    // those that we depend on takes longer than most files.
    pool: "forks",
    isolate: false,
    setupFiles: ["tests/support/count-hashes.ts", "tests/support/check-caused.ts"],
    maxWorkers: Math.min(2 * availableParallelism(), 8),
    // No test may lean on another one: a seed that finds such a pair is printed with the failures.
    sequence: { shuffle: { tests: true, files: false } },
    allowOnly: false,
    // So that a test can be picked by its line: npm test tests/http/01-sign-up.test.ts:20
    includeTaskLocation: true,
    // Generous, because a slow machine is no failure; a hung test still ends.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // And so is what a test waits for.
    expect: { poll: { timeout: 30_000 } },
  },
});
