/** The file that holds the root keys when the operator does not hand them in through the environment. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { link, open, realpath, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import type { Clock } from "../../clock.ts";
import { SetupFault } from "../../errors.ts";
import type { Random } from "../../ids.ts";
import { parseRootKeys, type RootKeys } from "../root-keys.ts";

const longestFile = 64 * 1024;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";

type Content = { readonly text: string; readonly uid: number; readonly gid: number };

const checkedContent = (file: number, path: string): Content => {
  // Asked of the open file, so that what was checked is what is read.
  const stat = fstatSync(file);
  if (!stat.isFile()) throw new SetupFault(`${path} is not a file; the root keys must be in one`);
  // Windows has no such bits: there the folder's access list decides.
  if (process.platform !== "win32" && (stat.mode & 0o077) !== 0) {
    throw new SetupFault(`${path} can be read by other users of this machine. Run: chmod 600 '${path}'`);
  }
  if (stat.size > longestFile) throw new SetupFault(`${path} is too large to be a file of root keys`);
  return { text: readFileSync(file, "utf8"), uid: stat.uid, gid: stat.gid };
};

const contentOf = (path: string): Content | undefined => {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new SetupFault(
      `${path} can't be read (${codeOf(error)}): give it to the user that runs this, or set LATCHKEY_ROOT_KEYS.`,
      error,
    );
  }
  try {
    return checkedContent(file, path);
  } finally {
    closeSync(file);
  }
};

/**
 * The root keys of a file, or undefined when there is no such file. Read at once, because whoever meets a sealed text
 * under a key that was added since can't wait.
 *
 * @throws SetupFault when it can't be read, is open to other users, or breaks a rule of `parseRootKeys`
 */
export const readRootKeyFile = (path: string): RootKeys | undefined => {
  const content = contentOf(path);
  return content && parseRootKeys(content.text, path);
};

/** @param owner whose file it is to be, when root writes it for the server's user */
const writeThrough = async (
  path: string,
  content: string,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> => {
  const file = await open(path, "wx", 0o600);
  try {
    if (owner && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
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

/** The id of a new key: its day in UTC, then `-2`, `-3`, … when that was given already. */
const newId = (clock: Clock, taken: ReadonlySet<string> = new Set()): string => {
  const day = `root-${new Date(clock.now()).toISOString().slice(0, 10)}`;
  let id = day;
  for (let next = 2; taken.has(id); next += 1) id = `${day}-${next}`;
  return id;
};

const newLine = (id: string, random: Random): string => `${id}:${random.bytes(32).toString("base64")}`;

const cantWrite = (path: string, error: unknown): SetupFault => {
  const code = codeOf(error);
  return new SetupFault(
    code === "EEXIST"
      ? `${path} exists already; it was left as it is`
      : `${path} can't be written (${code}); make its folder writable, or set LATCHKEY_ROOT_KEYS`,
    error,
  );
};

/**
 * Makes a file (mode 0600) with one new root key, its id the day: `root-2026-11-21`. The file appears whole
 * and on disk, or not at all, and never in the place of another.
 *
 * @throws SetupFault when the file exists already or can't be written
 */
export const createRootKeyFile = async (path: string, random: Random, clock: Clock): Promise<RootKeys> => {
  const content = [
    "# Latchkey root keys, one id:base64 a line. Every one opens; the store knows which one seals.",
    "# Nothing that is sealed in the store opens without them: keep a copy, apart from the data.",
    newLine(newId(clock), random),
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
    throw cantWrite(path, error);
  }
  return parseRootKeys(content, path);
};

/** What was there until the last moment of the write is there after a power cut, or else what was to be. */
const rewrite = async (path: string, random: Random, edit: (text: string) => string): Promise<void> => {
  const content = contentOf(path);
  if (!content) throw new SetupFault(`${path} is gone: put it back`);
  try {
    // Where a link leads, so that the link stays one.
    const real = await realpath(path);
    const draft = `${real}.${random.bytes(8).toString("hex")}.tmp`;
    try {
      await writeThrough(draft, edit(content.text), content);
      await rename(draft, real);
    } finally {
      await rm(draft, { force: true });
    }
    await syncFolder(dirname(real));
  } catch (error) {
    throw cantWrite(path, error);
  }
};

/**
 * Adds a new key behind those of the file. @param taken ids that it must not have. @returns its id
 * @throws SetupFault when the file can't be written
 */
export const addRootKey = async (
  path: string,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
  taken: ReadonlySet<string>,
): Promise<string> => {
  const id = newId(clock, taken);
  const line = newLine(id, random);
  await rewrite(path, random, (text) => `${text.endsWith("\n") ? text : `${text}\n`}${line}\n`);
  return id;
};

/** Takes a key out of the file. False when it is not in it. @throws SetupFault when the file can't be written */
export const dropRootKey = async (path: string, random: Random, id: string): Promise<boolean> => {
  if (!readRootKeyFile(path)?.byId(id)) return false;
  const isOther = (entry: string): boolean => !entry.trim().startsWith(`${id}:`);
  const edit = (line: string): readonly string[] => {
    if (line.trimStart().startsWith("#")) return [line];
    const kept = line.split(",").filter(isOther);
    return kept.length === 0 ? [] : [kept.join(",")];
  };
  await rewrite(path, random, (text) => text.split("\n").flatMap(edit).join("\n"));
  return true;
};
