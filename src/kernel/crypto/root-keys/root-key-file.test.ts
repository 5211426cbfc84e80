import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { SetupFault } from "../../errors.ts";
import { systemRandom } from "../../ids.ts";
import { addRootKey, createRootKeyFile, dropRootKey, readRootKeyFile } from "./root-key-file.ts";

const clock = { now: () => Date.UTC(2026, 10, 21, 23, 59) };
const entry = `a:${Buffer.alloc(32, 1).toString("base64")}\n`;
let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-root-keys-"));
  path = join(folder, "root-keys");
});

afterEach(() => rm(folder, { recursive: true }));

describe("making a root key file", () => {
  test("writes one key that reads back, for its owner alone, and leaves nothing else behind", async () => {
    const made = await createRootKeyFile(path, systemRandom, clock);
    expect(made.ids).toEqual(["root-2026-11-21"]);
    const read = readRootKeyFile(path);
    expect(read?.ids).toEqual(made.ids);
    expect(read?.current.key.equals(made.current.key)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["root-keys"]);
  });

  test("makes another key each time", async () => {
    const first = await createRootKeyFile(path, systemRandom, clock);
    const second = await createRootKeyFile(join(folder, "other"), systemRandom, clock);
    expect(first.current.key.equals(second.current.key)).toBe(false);
  });

  test("never replaces a file, not even when several start at once", async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => createRootKeyFile(path, systemRandom, clock)),
    );
    const made = tries.filter((one) => one.status === "fulfilled").map((one) => one.value);
    const refused = tries.filter((one) => one.status === "rejected").map((one) => String(one.reason));
    expect(made).toHaveLength(1);
    expect(refused).toHaveLength(7);
    for (const reason of refused) expect(reason).toContain("exists already");
    expect(readRootKeyFile(path)?.current.key.equals(made[0]?.current.key ?? fail())).toBe(true);
    expect(await readdir(folder)).toEqual(["root-keys"]);
  });

  test("says what to do when the folder can't be written", async () => {
    const making = createRootKeyFile(join(folder, "none", "root-keys"), systemRandom, clock);
    await expect(making).rejects.toThrow(SetupFault);
    await expect(making).rejects.toThrow(/can't be written \(ENOENT\); make its folder writable/);
  });
});

describe("reading a root key file", () => {
  test("answers undefined when there is none", () => {
    expect(readRootKeyFile(path)).toBeUndefined();
  });

  test.runIf(process.platform !== "win32").each([0o640, 0o604, 0o620, 0o610, 0o666])(
    "refuses mode %o, with the remedy",
    async (mode) => {
      await writeFile(path, entry);
      await chmod(path, mode);
      const reading = () => readRootKeyFile(path);
      expect(reading).toThrow(SetupFault);
      expect(reading).toThrow(`Run: chmod 600 '${path}'`);
    },
  );

  test("accepts a file that its owner may only read", async () => {
    await writeFile(path, entry, { mode: 0o400 });
    expect(readRootKeyFile(path)?.ids).toEqual(["a"]);
  });

  test("refuses what is no file, is huge, or breaks a rule, and names the path", async () => {
    await mkdir(path, { mode: 0o700 });
    expect(() => readRootKeyFile(path)).toThrow(`${path} is not a file`);
    const huge = join(folder, "huge");
    await writeFile(huge, "#".repeat(65 * 1024), { mode: 0o600 });
    expect(() => readRootKeyFile(huge)).toThrow(`${huge} is too large`);
    const torn = join(folder, "torn");
    await writeFile(torn, entry.slice(0, 20), { mode: 0o600 });
    expect(() => readRootKeyFile(torn)).toThrow(`${torn}: root key 1 (a) must carry 32 bytes`);
    expect(await readFile(torn, "utf8")).toBe(entry.slice(0, 20));
  });
});

describe("changing a root key file", () => {
  test("adds keys behind the others, each with an id of its own, and leaves nothing else behind", async () => {
    const first = await createRootKeyFile(path, systemRandom, clock);
    const around = { random: systemRandom, clock };
    expect(await addRootKey(path, around, new Set(first.ids))).toBe("root-2026-11-21-2");
    expect(await addRootKey(path, around, new Set([...first.ids, "root-2026-11-21-2"]))).toBe(
      "root-2026-11-21-3",
    );

    const read = readRootKeyFile(path);
    expect(read?.ids).toEqual(["root-2026-11-21", "root-2026-11-21-2", "root-2026-11-21-3"]);
    expect(read?.current.key.equals(first.current.key)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["root-keys"]);
  });

  test("keeps a last line that has no end, and every comment", async () => {
    await writeFile(path, `# mine\n${entry.trim()}`, { mode: 0o600 });
    const id = await addRootKey(path, { random: systemRandom, clock }, new Set(["a"]));
    expect(readRootKeyFile(path)?.ids).toEqual(["a", id]);

    expect(await dropRootKey(path, systemRandom, "a")).toBe(true);
    expect(await dropRootKey(path, systemRandom, "a")).toBe(false);
    expect(readRootKeyFile(path)?.ids).toEqual([id]);
    expect(await readFile(path, "utf8")).toMatch(/^# mine\nroot-/);
  });

  test("takes a key out of a line of several", async () => {
    const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
    await writeFile(path, `a:${key(1)}, b:${key(2)},c:${key(3)}\n`, { mode: 0o600 });
    expect(await dropRootKey(path, systemRandom, "b")).toBe(true);
    expect(readRootKeyFile(path)?.ids).toEqual(["a", "c"]);
  });

  test("says what to do when it can't be written", async () => {
    const adding = addRootKey(path, { random: systemRandom, clock }, new Set());
    await expect(adding).rejects.toThrow(SetupFault);
    expect(await readdir(folder)).toEqual([]);
  });
});

const fail = (): never => {
  throw new Error("no key was made");
};
