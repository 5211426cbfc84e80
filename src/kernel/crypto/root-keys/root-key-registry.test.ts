import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { SetupFault } from "../../errors.ts";
import { createTestLog, openTestStore, type TestStore } from "../../mail/testing/store.ts";
import { Secret } from "../../secret.ts";
import { createRootKeyFile } from "./root-key-file.ts";
import { loadRootKeys } from "./root-key-registry.ts";

const base64 = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

const load = ({ store, clock, random, folder }: TestStore, rootKeys?: string, dataFolder = folder) =>
  loadRootKeys({
    store,
    clock,
    random,
    log: createTestLog(),
    config: { rootKeys: rootKeys === undefined ? undefined : new Secret(rootKeys), dataFolder },
  });

const registered = ({ store }: TestStore) =>
  store.query.selectFrom("root_keys").selectAll().orderBy("id").execute();

describe("root keys at start", () => {
  test("the first start makes a file for its owner only, and registers its key", async () => {
    const kernel = await openTestStore();
    const keys = await load(kernel);
    const path = join(kernel.folder, "root.keys");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const rows = await registered(kernel);
    expect(rows.map(({ id }) => id)).toEqual(keys.ids);
    expect(JSON.stringify(rows)).not.toContain(keys.current.key.export().toString("base64"));
  });

  test("later starts use the file and leave it alone", async () => {
    const kernel = await openTestStore();
    const first = await load(kernel);
    const text = await readFile(join(kernel.folder, "root.keys"), "utf8");
    const second = await load(kernel);
    expect(second.current.key.equals(first.current.key)).toBe(true);
    expect(await readFile(join(kernel.folder, "root.keys"), "utf8")).toBe(text);
    expect(await registered(kernel)).toHaveLength(1);
  });

  test("two processes that start at once get one key", async () => {
    const kernel = await openTestStore();
    const [one, two] = await Promise.all([load(kernel), load({ ...kernel, store: kernel.another() })]);
    expect(one.current.key.equals(two.current.key)).toBe(true);
    expect(await registered(kernel)).toHaveLength(1);
  });

  test("a crash between the file and its registration is healed by the next start", async () => {
    const kernel = await openTestStore();
    const made = await createRootKeyFile(join(kernel.folder, "root.keys"), kernel.random, kernel.clock);
    const keys = await load(kernel);
    expect(keys.current.key.equals(made.current.key)).toBe(true);
    expect((await registered(kernel)).map(({ id }) => id)).toEqual([made.current.id]);
  });

  test("given keys are used, registered, and no file is made", async () => {
    const kernel = await openTestStore();
    const keys = await load(kernel, `new:${base64(1)},old:${base64(2)}`);
    expect(keys.current.id).toBe("new");
    expect((await registered(kernel)).map(({ id }) => id)).toEqual(["new"]);
    await expect(stat(join(kernel.folder, "root.keys"))).rejects.toThrow(/ENOENT/);
  });

  test("a key that is added later opens, in whatever place, and seals only once the store was rotated to it", async () => {
    const kernel = await openTestStore();
    await load(kernel, `old:${base64(2)}`);
    const keys = await load(kernel, `new:${base64(1)},old:${base64(2)}`);
    expect(keys.current.id).toBe("old");
    expect(keys.byId("new")?.id).toBe("new");
    expect((await registered(kernel)).map(({ id }) => id)).toEqual(["old"]);
  });

  test("a store whose file is gone refuses, naming the id, the file and the variable; no key is made", async () => {
    const kernel = await openTestStore();
    const { current } = await load(kernel);
    const path = join(kernel.folder, "root.keys");
    await rm(path);
    const refused = load(kernel);
    await expect(refused).rejects.toThrow(SetupFault);
    for (const named of [current.id, path, "LATCHKEY_ROOT_KEYS"])
      await expect(refused).rejects.toThrow(named);
    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  test("another machine with an empty data folder refuses to make a key of its own", async () => {
    const kernel = await openTestStore();
    await load(kernel);
    const elsewhere = join(kernel.folder, "elsewhere");
    await expect(load(kernel, undefined, elsewhere)).rejects.toThrow(SetupFault);
    await expect(stat(elsewhere)).rejects.toThrow(/ENOENT/);
  });

  test("a missing id is named, and nothing is registered in its stead", async () => {
    const kernel = await openTestStore();
    await load(kernel, `old:${base64(2)}`);
    await expect(load(kernel, `new:${base64(1)}`)).rejects.toThrow(
      /needs root key old, which LATCHKEY_ROOT_KEYS/,
    );
    expect((await registered(kernel)).map(({ id }) => id)).toEqual(["old"]);
  });

  test("another key under a known id is refused", async () => {
    const kernel = await openTestStore();
    await load(kernel, `old:${base64(2)}`);
    const refused = load(kernel, `old:${base64(3)}`);
    await expect(refused).rejects.toThrow(SetupFault);
    await expect(refused).rejects.toThrow(/Root key old in LATCHKEY_ROOT_KEYS is not the one/);
  });
});
