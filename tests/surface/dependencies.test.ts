import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";

const textOf = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

const names = z.record(z.string(), z.string()).transform((packages) => Object.keys(packages));
const manifest = z.object({ dependencies: names, optionalDependencies: names });

test("every run-time dependency has its reason, and no reason is for one that is gone", async () => {
  const { dependencies, optionalDependencies } = manifest.parse(JSON.parse(await textOf("package.json")));
  const page = await textOf("docs/decisions/0016-run-time-dependencies.md");

  const explained = [...page.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );

  expect(explained.toSorted()).toEqual([...dependencies, ...optionalDependencies].toSorted());
});
