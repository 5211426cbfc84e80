/** The file that holds the root keys when the operator does not hand them in through the environment. */
import { link, open, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import type { Clock } from "../clock.ts";
import { SetupFault } from "../errors.ts";
import type { Random } from "../ids.ts";
import { parseRootKeys, type RootKeys } from "./root-keys.ts";

const longestFile = 64 * 1024;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";

const checkedContent = async (file: FileHandle, path: string): Promise<string> => {
  // Asked of the open file, so that what was checked is what is read.
  const stat = await file.stat();
  if (!stat.isFile()) throw new SetupFault(`${path} is not a file; the root keys must be in one`);
  // Windows has no such bits: there the folder's access list decides.
  if (process.platform !== "win32" && (stat.mode & 0o077) !== 0) {
    throw new SetupFault(`${path} can be read by other users of this machine. Run: chmod 600 '${path}'`);
  }
  if (stat.size > longestFile) throw new SetupFault(`${path} is too large to be a file of root keys`);
  return file.readFile("utf8");
};

/**
 * The root keys of a file, or undefined when there is no such file.
 *
 * @throws SetupFault when it can't be read, is open to other users, or breaks a rule of `parseRootKeys`
 */
export const readRootKeyFile = async (path: string): Promise<RootKeys | undefined> => {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new SetupFault(
      `${path} can't be read (${codeOf(error)}): give it to the user that runs this, or set LATCHKEY_ROOT_KEYS.`,
      error,
    );
  }
  try {
    return parseRootKeys(await checkedContent(file, path), path);
  } finally {
    await file.close();
  }
};

const writeThrough = async (path: string, content: string): Promise<void> => {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** A new name in a folder survives a power cut only once the folder is on disk too; Windows can't open one. */
const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/**
 * Makes a file (mode 0600) with one new root key, its id the day: `root-2026-11-21`. The file appears whole
 * and on disk, or not at all, and never in the place of another.
 *
 * @throws SetupFault when the file exists already or can't be written
 */
export const createRootKeyFile = async (path: string, random: Random, clock: Clock): Promise<RootKeys> => {
  const id = `root-${new Date(clock.now()).toISOString().slice(0, 10)}`;
  const content = [
    "# Latchkey root keys, one id:base64 a line. The first wraps, every one opens.",
    "# Nothing that is sealed in the store opens without them: keep a copy, apart from the data.",
    `${id}:${random.bytes(32).toString("base64")}`,
    "",
  ].join("\n");
  const draft = `${path}.${random.bytes(8).toString("hex")}.tmp`;
  try {
    await writeThrough(draft, content);
    try {
      // Unlike a rename, a link refuses to replace what has that name.
      await link(draft, path);
    } finally {
      await unlink(draft);
    }
    await syncFolder(dirname(path));
  } catch (error) {
    const code = codeOf(error);
    throw new SetupFault(
      code === "EEXIST"
        ? `${path} exists already; it was left as it is`
        : `${path} can't be written (${code}); make its folder writable, or set LATCHKEY_ROOT_KEYS`,
      error,
    );
  }
  return parseRootKeys(content, path);
};
