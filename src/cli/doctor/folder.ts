import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { storeAddress } from "#app/open-store.ts";
import type { Config } from "#kernel/config.ts";
import { reasonOf } from "#kernel/errors.ts";
import { isMissing, isWritableByOthers } from "#kernel/folder.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** `f_type` of Linux's statfs(2). Locks of other machines may not hold there, and SQLite lives by locks. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x65735546, "FUSE"],
]);

const leastBytes = 200 * 1024 * 1024;

/** The folder, or the nearest one above it that exists. */
const nearestExisting = async (path: string): Promise<string> => {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
};

const fileSystemFinding = async (folder: string, config: Config): Promise<Finding | undefined> => {
  const { type, bavail, bsize } = await statfs(folder);
  const network = process.platform === "linux" ? networkFileSystems.get(type >>> 0) : undefined;
  if (network !== undefined && storeAddress(config).kind === "sqlite") {
    return warn(
      "folder",
      `${config.dataFolder} lies on ${network}, where a database file can be damaged when several machines or a lost connection meet.`,
      "Set LATCHKEY_DATA to a folder on a disk of this machine, or keep the data in PostgreSQL with LATCHKEY_DATABASE_URL.",
    );
  }
  if (bavail * bsize < leastBytes) {
    const megabytes = Math.floor((bavail * bsize) / 1024 / 1024);
    return warn(
      "folder",
      `Only ${megabytes} MiB are free where ${config.dataFolder} lies.`,
      "Make room before it is full.",
    );
  }
  return undefined;
};

/** Whether the data folder can be used, and whether it lies where a database should. */
export const checkFolder = async (config: Config): Promise<Finding> => {
  const { dataFolder } = config;
  const remedy = "Set LATCHKEY_DATA to a folder that this user may write, or run this as the server's user.";
  try {
    const existing = await nearestExisting(dataFolder);
    if (!(await stat(existing)).isDirectory()) return fail("folder", `${existing} is not a folder.`, remedy);
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
    if (existing === dataFolder && (await isWritableByOthers(dataFolder))) {
      return fail(
        "folder",
        `${dataFolder} can be written by other users of this machine, who could put their own root.keys there.`,
        `Run: chmod go-w '${dataFolder}'`,
      );
    }
    const finding = await fileSystemFinding(existing, config);
    if (finding) return finding;
    return ok(
      "folder",
      existing === dataFolder
        ? `${dataFolder} can be written.`
        : `${dataFolder} will be made by the first start.`,
    );
  } catch (error) {
    return fail("folder", `${dataFolder} can't be used: ${reasonOf(error)}.`, remedy);
  }
};
