// Before the first test of a file: holds every test to the page that says what it causes.

import { readFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, aroundEach, inject, type RunnerTask, type RunnerTestFile } from "vitest";
import {
  differencesOf,
  formatPage,
  kindsOn,
  parsePage,
  statementOf,
  type CausedPage,
} from "./caused-page.ts";
import { takeCaused } from "./caused.ts";

const isStated = (file: string): boolean => /[\\/]tests[\\/](http|security|clients)[\\/][^\\/]+$/.test(file);

const pageOf = (file: string): string =>
  join(dirname(file), "caused", basename(file).replace(/\.test\.ts$/, ".txt"));

const nameOf = (task: RunnerTask): string => {
  const above = task.suite ? nameOf(task.suite) : "";
  // A name may hold anything; on the page it is one line that can be read.
  const name = task.name
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
  return above === "" ? name : `${above} > ${name}`;
};

const testsOf = (tasks: readonly RunnerTask[]): readonly RunnerTask[] =>
  tasks.flatMap((task) => (task.type === "test" ? [task] : testsOf(task.tasks)));

const howToWrite = (file: string): string =>
  `If this is what is meant, write it down: npm test -- ${file} --caused=write`;

const isWriting = inject("caused") === "write";

/** The file whose tests run, and its page. */
type Opened = { readonly file: RunnerTestFile; readonly stated: CausedPage; readonly written: CausedPage };
let opened: Opened | undefined;
/** The suite of the test before this one, or the file. */
let scopeBefore = "";

const openPage = async (file: RunnerTestFile): Promise<Opened> => ({
  file,
  stated: parsePage(await readFile(pageOf(file.filepath), "utf8").catch(() => "")),
  written: new Map(),
});

aroundEach(async (runTest, { task }) => {
  const { file } = task;
  if (!isStated(file.filepath)) {
    await runTest();
    return;
  }
  opened ??= await openPage(file);
  const { stated, written } = opened;
  // What is caused around a group of tests is not any one's of them.
  const scope = (task.suite ?? file).id;
  if (scope !== scopeBefore) await takeCaused();
  scopeBefore = scope;
  await runTest();
  const { facts, isAnyNumber, isWatched } = await takeCaused();
  // What it did before it failed says nothing.
  if (task.result?.state === "fail" || !isWatched) return;
  const name = nameOf(task);
  const caused = statementOf(facts, isAnyNumber);
  const lines = stated.get(name);
  if (isWriting) {
    // What chance left out this time may come the next.
    const known = isAnyNumber ? (lines ?? []).filter((line) => line.startsWith("~")) : [];
    written.set(name, [...new Set([...caused, ...known])].toSorted());
    return;
  }
  const page = `${dirname(file.name)}/caused/${basename(pageOf(file.filepath))}`;
  if (!lines) throw new Error(`${page} does not say what this test causes.\n${howToWrite(file.name)}`);
  const differences = differencesOf(lines, caused, isAnyNumber ? kindsOn(stated) : undefined);
  if (differences.length === 0) return;
  throw new Error(
    [`This test does not cause what ${page} says:`, ...differences, howToWrite(file.name)].join("\n"),
  );
});

const namesInOrder = (file: RunnerTestFile): readonly string[] =>
  testsOf(file.tasks)
    .toSorted((one, other) => (one.location?.line ?? 0) - (other.location?.line ?? 0))
    .map(nameOf);

const writePage = async ({ file, stated, written }: Opened, names: readonly string[]): Promise<void> => {
  const page: CausedPage = new Map();
  for (const name of names) {
    const lines = written.get(name) ?? stated.get(name);
    if (lines) page.set(name, lines);
  }
  if (page.size === 0) return;
  const path = pageOf(file.filepath);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, formatPage(basename(file.filepath), page));
};

afterAll(async () => {
  const page = opened;
  opened = undefined;
  scopeBefore = "";
  if (!page) return;
  const { file, stated } = page;
  const here = namesInOrder(file);
  const others = [...stated.keys()].filter((name) => !here.includes(name));
  // Some tests are of PostgreSQL only: there it is known whether they are still there.
  const isKnown = inject("store").kind === "postgres";
  if (isWriting) {
    await writePage(page, isKnown ? here : [...here, ...others]);
  } else if (isKnown && others.length > 0) {
    throw new Error(
      [`${pageOf(file.filepath)} speaks of tests that are not there:`, ...others, howToWrite(file.name)].join(
        "\n",
      ),
    );
  }
});
