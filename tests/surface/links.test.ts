import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { readSources, type Source } from "./sources.ts";

const root = new URL("../../", import.meta.url);

/** What a page points to within the checkout. */
const linksOf = ({ path, text }: Source): readonly { path: string; to: string }[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to = ""]) => to)
    .filter((to) => !/^[a-z]+:|^#/.test(to))
    .map((to) => ({ path, to }));

test("no link of a page leads nowhere", async () => {
  const pages = (await readSources()).filter(({ path }) => path.endsWith(".md"));
  const links = pages.flatMap(linksOf);

  expect(links.length).toBeGreaterThan(40);
  expect(links.filter(({ path, to }) => !existsSync(new URL(to, new URL(path, root))))).toEqual([]);
});
