import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** Whether the file system says that there is no such thing. */
export const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT";

const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory();

/**
 * Whether others than its owner may put files there, by group or by everybody. On Windows the access list decides, which
 * this does not look at.
 *
 * @throws the error of the file system
 */
export const isWritableByOthers = async (path: string): Promise<boolean> =>
  process.platform !== "win32" && ((await stat(path)).mode & 0o022) !== 0;

/**
 * Makes a folder of this user only, and those above it. One level at a time, because Node's own recursive way
 * never returns where a parent exists and nothing may be made in it, as under `/proc`.
 * @throws the error of the file system
 */
export const makeFolder = async (path: string): Promise<void> => {
  const make = () => mkdir(path, { mode: 0o700 });
  try {
    await make();
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await isFolder(path))) return;
    const parent = dirname(path);
    if (codeOf(error) !== "ENOENT" || parent === path) throw error;
    await makeFolder(parent);
    await make().catch(async (again: unknown) => {
      // Another process may have been faster.
      if (codeOf(again) !== "EEXIST" || !(await isFolder(path))) throw again;
    });
  }
};
