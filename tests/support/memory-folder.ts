// Where the tests put what they throw away: in memory, where the machine has a place for that. Nothing of it has to
// survive the machine, and a disk that others keep busy makes a store several times slower.

import { accessSync, chmodSync, constants, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

const inMemory = "/dev/shm";
const prefix = "latchkey-tests-";
/** Several times what a run needs. */
const leastBytes = 1024 ** 3;

const hasRoom = (): boolean => {
  try {
    accessSync(inMemory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(inMemory);
    return bavail * bsize >= leastBytes;
  } catch {
    return false;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may be somebody else's.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
};

const remove = (folder: string): void => {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Of another user, or still written to: a later run removes it.
  }
};

/** Runs that were killed could not do it themselves. */
const removeLeftovers = (): void => {
  for (const name of readdirSync(inMemory)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(pid) && !isAlive(pid)) remove(join(inMemory, name));
  }
};

/** From now on `tmpdir()` of this process, and of those that it starts, is a folder in memory, if there can be one. */
export const moveToMemory = (): void => {
  if (!hasRoom()) return;
  removeLeftovers();
  const folder = join(inMemory, `${prefix}${process.pid}`);
  remove(folder);
  mkdirSync(folder);
  // PostgreSQL and some servers run as users who may do nothing, and each has a folder of its own in here.
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
  process.on("exit", () => remove(folder));
};
