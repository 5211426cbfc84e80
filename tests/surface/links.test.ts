import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readSources, type Source } from "./sources.ts";

const root = new URL("../../", import.meta.url);

/** What a page points to within the checkout. */
const linksOf = ({ path, text }: Source): readonly { path: string; to: string }[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to = ""]) => to)
    .filter((to) => !/^[a-z]+:|^#/.test(to))
    .map((to) => ({ path, to }));

const folders = ["benches", "docs", "migrations", "providers", "scripts", "src", "tests", "web"];

const allFiles = async (): Promise<readonly string[]> => {
  const below = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(new URL(`${folder}/`, root), { recursive: true })).map(
        (name) => `${folder}/${name.replaceAll("\\", "/")}`,
      ),
    ),
  );
  return [...(await readdir(root)), ...below.flat()];
};

const places = `${folders.join("|")}|kernel|accounts|track|connect|app|cli`;

/** `kernel/db/store.ts`, `routes.ts` and `web/texts`, but no address, command or setting. */
const namesFile = (text: string): boolean =>
  /^[\w.-]+(\/[\w.-]+)*\.(ts|tsx|mjs|md|css|yaml|json)$/.test(text) ||
  new RegExp(`^(${places})(/[\\w-]+)+/?$`).test(text);

/** Made up, to show how something is named. */
const isExample = (text: string): boolean => /(^|\/)acme[\w-]*\.\w+$/.test(text);

/** Pages say `mailing/mails.ts` of any room: the end of a path is enough. */
const missingIn = (text: string, files: readonly string[]): readonly string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, name = ""]) => name)
    .filter((name) => namesFile(name) && !isExample(name))
    .filter((name) => {
      const end = name.replace(/\/$/, "");
      return !files.some((file) => file === end || file.endsWith(`/${end}`));
    });

const readPages = async (): Promise<readonly Source[]> =>
  (await readSources()).filter(({ path }) => path.endsWith(".md"));

test("no link of a page leads nowhere", async () => {
  const links = (await readPages()).flatMap(linksOf);

  expect(links.length).toBeGreaterThan(40);
  expect(links.filter(({ path, to }) => !existsSync(new URL(to, new URL(path, root))))).toEqual([]);
});

test("no page names a file that is not there", async () => {
  const files = await allFiles();
  const missing = (await readPages()).flatMap(({ path, text }) =>
    missingIn(text, files).map((name) => `${path}: ${name}`),
  );

  expect(missing).toEqual([]);
});

describe("a name in backticks", () => {
  const files = [
    "src/kernel/crypto/passwords/gate.ts",
    "src/accounts/mailing/mails.ts",
    "web/texts/en.ts",
    "web/texts",
  ];

  test.each(["kernel/crypto/passwords/gate.ts", "mailing/mails.ts", "gate.ts", "web/texts", "web/texts/"])(
    "%s is there",
    (name) => {
      expect(missingIn(`It is in \`${name}\`.`, files)).toEqual([]);
    },
  );

  test.each(["kernel/crypto/gate.ts", "accounts/mails.ts", "ate.ts", "web/words"])("%s is not", (name) => {
    expect(missingIn(`It is in \`${name}\`.`, files)).toEqual([name]);
  });

  test.each(["/api/v9/me", "npm run check", "data/outbox", "10.0.0.0/8", "providers/acme.yaml", "text/html"])(
    "%s is no file of ours",
    (name) => {
      expect(missingIn(`It is in \`${name}\`.`, files)).toEqual([]);
    },
  );
});
