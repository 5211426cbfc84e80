import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { generateDocuments, withSettings } from "../../scripts/documents.ts";

test("every generated document is what its sources make of it", async () => {
  const documents = await generateDocuments();

  expect([...documents.keys()]).toEqual(expect.arrayContaining(["README.md", "docs/reference/openapi.json"]));
  for (const [path, text] of documents) {
    const kept = await readFile(new URL(`../../${path}`, import.meta.url), "utf8").catch(() => "");
    expect(kept === text, `${path} is not up to date: npm run generate`).toBe(true);
  }
});

test("no document depends on the machine or the moment", async () => {
  expect(await generateDocuments()).toEqual(await generateDocuments());
});

test("a README without the place for the settings is refused, and so is one with two", () => {
  const place = "<!-- settings: begin -->\n<!-- settings: end -->\n";

  expect(() => withSettings("# Latchkey\n")).toThrow(/must have/);
  expect(() => withSettings(place + place)).toThrow(/once each/);
  expect(withSettings(`before\n${place}after\n`)).toMatch(/^before\n[^]*`LATCHKEY_PORT`[^]*\nafter\n$/);
});
