// Builds web/ into dist/pages/: scripts, the style sheet and the icon under names that change with their contents, each
// with its compressed forms beside it, and pages.json, which tells the server what belongs to which page.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { en } from "../web/texts/en.ts";

const root = new URL("../", import.meta.url);
const web = new URL("web/", root);
const target = new URL("dist/pages/", root);
/** Put in place as a whole, so that a server that is just starting finds the old pages or the new ones. */
const draft = new URL(`dist/pages.${process.pid}/`, root);

const pagesFolder = new URL("pages/", web);
const names = (await readdir(pagesFolder))
  .filter((file) => file.endsWith(".tsx"))
  .map((file) => file.replace(/\.tsx$/, ""));

const isTitled = (name: string): name is keyof typeof en.titles => name in en.titles;

const result = await build({
  root: web.pathname,
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    write: false,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: "es2022",
    // Those that know light-dark(), from spring 2024 on.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: {
      input: Object.fromEntries(names.map((name) => [name, new URL(`${name}.tsx`, pagesFolder).pathname])),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
        // What two pages need is one file for all of them: the second page that somebody opens loads next to nothing.
        codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
      },
    },
  },
});
if (!("output" in result)) throw new Error("Vite made something else than one set of files.");

const { output } = result;
const assets = new URL("assets/", draft);
await mkdir(assets, { recursive: true });

const keep = async (name: string, contents: string | Uint8Array): Promise<void> => {
  const bytes = Buffer.from(contents);
  await writeFile(new URL(name, assets), bytes);
  await writeFile(new URL(`${name}.gz`, assets), gzipSync(bytes, { level: 9 }));
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  await writeFile(new URL(`${name}.br`, assets), brotliCompressSync(bytes, { params: size }));
};

for (const file of output) await keep(file.fileName, file.type === "chunk" ? file.code : file.source);

const icon = await readFile(new URL("icon.svg", web));
const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
await keep(iconName, icon);

const isChunk = (file: (typeof output)[number]): file is Rolldown.OutputChunk => file.type === "chunk";
const chunks = new Map(output.filter(isChunk).map((chunk) => [chunk.fileName, chunk]));

/** Everything that comes with a script, however far down. */
const importsOf = (fileName: string): readonly string[] =>
  (chunks.get(fileName)?.imports ?? []).flatMap((below) => [below, ...importsOf(below)]);

const pageOf = (name: string): object => {
  const chunk = [...chunks.values()].find((one) => one.isEntry && one.name === name);
  if (!chunk || !isTitled(name))
    throw new Error(`The page ${name} has no script, or no title in the catalogue.`);
  const title = name === "home" ? en.titles.home : `${en.titles[name]} · Latchkey`;
  return { title, script: chunk.fileName, imports: [...new Set(importsOf(chunk.fileName))] };
};

const style = output.find(({ fileName }) => fileName.endsWith(".css"))?.fileName;
if (style === undefined) throw new Error("The pages have no style sheet.");
const index = { icon: iconName, style, pages: Object.fromEntries(names.map((name) => [name, pageOf(name)])) };
await writeFile(new URL("pages.json", draft), `${JSON.stringify(index, undefined, 2)}\n`);

await rm(target, { recursive: true, force: true });
await rename(draft, target);
