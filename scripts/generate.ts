// Writes every generated document that is not up to date, and names it.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { generateDocuments } from "./documents.ts";

const root = new URL("../", import.meta.url);

for (const [path, text] of await generateDocuments()) {
  const file = new URL(path, root);
  if ((await readFile(file, "utf8").catch(() => "")) === text) continue;
  await mkdir(new URL(".", file), { recursive: true });
  await writeFile(file, text);
  process.stdout.write(`${path} is written.\n`);
}
