import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { SetupFault } from "../../../kernel/errors.ts";
import { checkProviderFile, loadCatalogue } from "../catalogue.ts";
import { field, providerFile, shape } from "../model/provider.ts";
import { fileOf, folder } from "../providers.fixture.ts";
import { faultLine, readProvider } from "./read-provider.ts";

const linesOf = (text: string, file = "example.yaml"): readonly string[] =>
  readProvider(file, text).faults.map(faultLine);

const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
const shippedTexts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));

describe("the catalogue that is shipped", () => {
  test.each(names)("%s has no fault", (name) => {
    expect(checkProviderFile(join(folder, name)).map(faultLine)).toEqual([]);
  });

  test("every visible credential says where to find it, and every check names a person, a key or a place", () => {
    for (const provider of loadCatalogue(folder).all()) {
      for (const { fields } of provider.shapes) {
        for (const one of Object.values(fields)) {
          if (!one.hidden) expect(one.doc_section, provider.name).toBeDefined();
        }
      }
      expect(provider.verification?.account.name, provider.name).not.toEqual([]);
      expect(provider.guide.length, provider.name).toBeGreaterThan(0);
    }
  });
});

describe("a fault is told with its place, and what was probably meant", () => {
  const end = fileOf("").split("\n").length;
  test.each([
    ["an unknown key", "headrs: {}", `${end}:1: headrs is not known. Did you mean "headers"?`],
    [
      "an unknown key of a field",
      "connection_config:\n  site: { title: Site, patern: a }",
      `${end + 1}:24: connection_config.site.patern is not known. Did you mean "pattern"?`,
    ],
    [
      "an unknown key of the check",
      "retry:\n  afther: [x]",
      `${end + 1}:3: retry.afther is not known. Did you mean "after"?`,
    ],
    ["a wrong type", "categories: crm", `${end}:13: categories must be a list.`],
    [
      "a wrong value",
      "outcomes:\n  - when: { status: [403] }\n    is: wrong_credential",
      `${end + 2}:9: outcomes.0.is must be accepted, wrong_credentials, quota, rate_limited, unavailable or unexpected. Did you mean "wrong_credentials"?`,
    ],
    [
      "a missing key",
      "connection_config:\n  site: { pattern: a }",
      `${end + 1}:3: connection_config.site.title is missing.`,
    ],
    [
      "a bad name of a field",
      "connection_config:\n  1st: { title: First }",
      `${end + 1}:3: connection_config.1st must be a letter and up to 63 letters, digits or _ behind it.`,
    ],
    [
      "a status that is none",
      "outcomes:\n  - when: { status: [9xx] }\n    is: quota",
      `${end + 1}:22: outcomes.0.when.status.0 must be a status like 403, 5xx or 500-502.`,
    ],
  ])("%s", (_, more, line) => {
    expect(linesOf(fileOf(more))).toEqual([`example.yaml:${line}`]);
  });

  test("all of them, from top to bottom", () => {
    const lines = linesOf("auth_mode: BASC\nshapes: []\nbase_ulr: x\n");
    expect(lines.map((line) => line.split(" ")[1])).toEqual([
      "display_name",
      "base_url",
      "docs",
      "auth_mode",
      "shapes",
      "base_ulr",
    ]);
  });
});

describe("what is no provider's file at all", () => {
  test.each([
    ["nothing", ""],
    ["a list", "- a"],
    ["a text", "hello"],
    ["broken YAML", "a: [\nb"],
    ["a key twice", "docs: a\ndocs: b"],
    ["two documents", `${fileOf("")}---\n${fileOf("")}`],
    ["an alias", `${fileOf("categories: &a [crm]")}\nx: *a`],
    ["a tag of somebody's own", fileOf("categories: !own [crm]")],
    ["too much", `# ${"x".repeat(300_000)}`],
    ["keys that are lists", "? [a, b]\n: c"],
  ])("%s", (_, text) => {
    expect(linesOf(text).length).toBeGreaterThan(0);
  });

  test.each(["Example.yaml", "example.yml", "1.yaml", "a b.yaml", ".yaml", "folder/.yaml"])(
    "by its name: %s",
    (file) => {
      expect(linesOf(fileOf(""), file)).toEqual([
        expect.stringMatching(/:1:1: The file's name is the provider's/),
      ]);
    },
  );
});

test("whatever is in a file ends in a provider or in faults with a place in it", () => {
  const bent = fc
    .tuple(fc.constantFrom(...shippedTexts), fc.nat(), fc.nat(6), fc.string({ maxLength: 3 }))
    .map(([text, place, length, put]) => {
      const at = place % text.length;
      return text.slice(0, at) + put + text.slice(at + length);
    });
  const moved = fc
    .tuple(
      fc.constantFrom(...shippedTexts),
      fc.nat(),
      fc.nat(),
      fc.constantFrom("", "  ", "- ", "? ", "&a ", "*a", "!!x "),
    )
    .map(([text, from, to, before]) => {
      const lines = text.split("\n");
      const [line = ""] = lines.splice(from % lines.length, 1);
      lines.splice(to % lines.length, 0, before + line);
      return lines.join("\n");
    });
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(fc.oneof(bent, moved, fc.string({ unit: "binary" })), (text) => {
      const { provider, faults } = readProvider("example.yaml", text);
      if (provider) {
        accepted += 1;
        expect(provider.name).toBe("example");
        return;
      }
      refused += 1;
      const lines = text.split("\n").length;
      expect(faults.length).toBeGreaterThan(0);
      for (const { line, column, message } of faults) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines + 1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe("");
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(accepted, refused)).toBeGreaterThan(20);
});

describe("the guide to these files", async () => {
  const guide = await readFile(new URL("../../../../docs/guides/add-a-provider.md", import.meta.url), "utf8");

  test("shows a whole file that has no fault", () => {
    const [, file = ""] = /## A whole file\n+```yaml\n(.*?)```/s.exec(guide) ?? [];
    expect(linesOf(file, "acme.yaml")).toEqual([]);
  });

  test("explains every key", () => {
    const keys = [providerFile, field, shape].flatMap((schema) => Object.keys(schema.shape));
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(guide))).toEqual([]);
  });
});

describe("loading a folder", () => {
  const newFolder = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const place = await mkdtemp(join(tmpdir(), "latchkey-providers-"));
    onTestFinished(() => rm(place, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
    return place;
  };

  test("takes every file by its name, and nothing else that lies there", async () => {
    const place = await newFolder({
      "b.yaml": fileOf(""),
      "a.yaml": fileOf(""),
      "notes.md": "x",
      ".c.yaml": "x",
    });
    const catalogue = loadCatalogue(place);
    expect(catalogue.all().map(({ name }) => name)).toEqual(["a", "b"]);
    expect(catalogue.get("a")).toMatchObject({ name: "a", display_name: "Example" });
    expect(catalogue.get("c")).toBeUndefined();
    expect(catalogue.get("constructor")).toBeUndefined();
  });

  test("is held back by a fault in any of them, and tells all", async () => {
    const place = await newFolder({ "a.yaml": fileOf("x: 1"), "b.yaml": fileOf(""), "c.yml": fileOf("") });
    expect(() => loadCatalogue(place)).toThrow(SetupFault);
    expect(() => loadCatalogue(place)).toThrow(
      /a\.yaml:\d+:1: x is not known\.\n.*c\.yml:1:1: The file's name/,
    );
  });

  test("is read as its files are now, however often it was read before", async () => {
    const place = await newFolder({ "a.yaml": fileOf(""), "b.yaml": fileOf("") });
    const before = loadCatalogue(place);
    await writeFile(join(place, "a.yaml"), fileOf("").replace("Example", "Changed"));
    await rm(join(place, "b.yaml"));

    const after = loadCatalogue(place);
    expect(after.all()).toMatchObject([{ name: "a", display_name: "Changed" }]);
    expect(before.all()).toMatchObject([{ display_name: "Example" }, { name: "b" }]);
    await writeFile(join(place, "a.yaml"), fileOf("x: 1"));
    expect(() => loadCatalogue(place)).toThrow(/x is not known/);
    await writeFile(join(place, "a.yaml"), fileOf(""));
    expect(loadCatalogue(place).all()).toEqual([before.get("a")]);
  });

  test("is held back by a folder or a file that can't be read", async () => {
    const place = await newFolder({});
    expect(() => loadCatalogue(join(place, "none"))).toThrow(/can't be read: ENOENT/);
    expect(() => checkProviderFile(join(place, "none.yaml"))).toThrow(SetupFault);
  });
});
