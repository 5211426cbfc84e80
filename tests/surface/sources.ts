// The project's own files, and what they import.

import { readdir, readFile } from "node:fs/promises";

export type Source = {
  /** From the top of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
};

const root = new URL("../../", import.meta.url);
const folders = [".ci", "benches", "docs", "migrations", "scripts", "src", "tests", "web"];
const written = /\.(tsx?|mjs|md|json|txt)$|^\.ci\/run$/;

/** Everything in the checkout that somebody wrote, or that was generated from it. */
export const readSources = async (): Promise<readonly Source[]> => {
  const below = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(new URL(`${folder}/`, root), { recursive: true })).map(
        (name) => `${folder}/${name.replaceAll("\\", "/")}`,
      ),
    ),
  );
  const paths = [...(await readdir(root)), ...below.flat()]
    .filter((path) => written.test(path) && path !== "package-lock.json")
    .toSorted();
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(new URL(path, root), "utf8") })),
  );
};

/** Without comments, which may speak of what the code must not do. Strings stay. */
export const codeOf = ({ text }: Source): string =>
  text.replaceAll(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (_, kept: string | undefined) => kept ?? "",
  );

export type Import = {
  /** Empty when it is made up at run time. */
  readonly specifier: string;
  /** What is taken of it at run time, by its own names; `*` for all of it. */
  readonly names: readonly string[];
};

const namesIn = (clause: string): readonly string[] => {
  if (/^type\s/.test(clause)) return [];
  const [, outside = "", inside = ""] = /^([^{]*)(?:\{([^}]*)\})?/s.exec(clause) ?? [];
  const whole = outside.replaceAll(/[\s,]/g, "") === "" ? [] : ["*"];
  const named = inside
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => name.split(/\s+as\s+/, 1)[0] ?? "");
  return [...whole, ...named];
};

export const importsOf = (source: Source): readonly Import[] => {
  const code = codeOf(source);
  const all = (pattern: RegExp): readonly RegExpExecArray[] => [...code.matchAll(pattern)];
  return [
    ...all(/^(?:import|export)\s+([^;"'`=]*?)\s*from\s*["']([^"']+)["']/gm).map(
      ([, clause = "", specifier = ""]) => ({ specifier, names: namesIn(clause) }),
    ),
    ...all(/^import\s*["']([^"']+)["']/gm).map(([, specifier = ""]) => ({ specifier, names: ["*"] })),
    ...all(/\b(?:import|require)\s*\(\s*(?:["'`]([^"'`$]+)["'`]\s*[,)])?/g).map(([, specifier = ""]) => ({
      specifier,
      names: ["*"],
    })),
  ];
};
