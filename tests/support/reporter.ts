// What a test run says: a line a file while it goes, then every failure in full, and a count in which nothing that was
// not run counts as passed.

import { relative } from "node:path";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node";

export type Count = { passed: number; failed: number };

/** `narrowed`: the caller picked tests by name, line or tag, so that the others of a file are not run on purpose. */
export const countTests = (modules: readonly TestModule[], narrowed: boolean): Count => {
  const count = { passed: 0, failed: 0 };
  for (const module of modules) {
    count.failed += brokenScopes(module).length;
    for (const test of module.children.allTests()) {
      if (test.result().state === "passed") count.passed += 1;
      else if (!isLeftOut(test, narrowed)) count.failed += 1;
    }
  }
  return count;
};

/** A line as each file ends. */
export const fileLines = (narrowed: boolean): Reporter => ({
  onTestModuleEnd: (module) => {
    const { passed, failed } = countTests([module], narrowed);
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    const verdict = failed > 0 ? `FAILED ${failed} of` : "passed";
    say(`${nameOf(module)}: ${verdict} ${passed + failed} in ${seconds} s`);
  },
});

export const reportFailures = (modules: readonly TestModule[], narrowed: boolean): void => {
  for (const module of modules) {
    for (const scope of brokenScopes(module)) {
      reportErrors(module, scope.type === "module" ? "the file itself" : scope.fullName, scope.errors());
    }
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "failed") reportErrors(module, test.fullName, result.errors, test);
      else if (result.state !== "passed" && !isLeftOut(test, narrowed)) {
        say(`\nFAILED ${nameOf(module)} > ${test.fullName}\n${whyNotRun(test)}`);
      }
    }
  }
};

const reportErrors = (
  module: TestModule,
  title: string,
  errors: readonly SerializedError[],
  test?: TestCase,
): void => {
  say(`\nFAILED ${nameOf(module)} > ${title}`);
  for (const { content } of test?.logs() ?? module.logs()) say(content.trimEnd());
  for (const error of errors) module.project.vitest.logger.printError(error, { project: module.project });
};

// A suite or file has errors of its own when it does not load, or when a hook around all of its tests throws.
const brokenScopes = (module: TestModule): (TestModule | TestSuite)[] =>
  [module, ...module.children.allSuites()].filter((scope) => scope.errors().length > 0);

const isLeftOut = (test: TestCase, narrowed: boolean): boolean =>
  narrowed && test.result().state === "skipped";

const whyNotRun = (test: TestCase): string => {
  if (test.result().state === "pending") return "This test did not come to an end.";
  for (let scope: TestCase["parent"] = test.parent; ; scope = scope.parent) {
    if (scope.errors().length > 0) return "This test did not run, for the failure around it.";
    if (scope.type === "module") break;
  }
  return "This test is skipped, and no test may be: make it pass or take it out.";
};

const nameOf = (module: TestModule): string =>
  `[${module.project.name}] ${relative(module.project.config.root, module.moduleId)}`;

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
