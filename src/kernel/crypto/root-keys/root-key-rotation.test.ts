import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import type { Store } from "../../db/store.ts";
import { SetupFault } from "../../errors.ts";
import { createTestLog, openTestStore, type TestStore } from "../../mail/testing/store.ts";
import { Secret } from "../../secret.ts";
import { open, seal, type Place } from "../envelope.ts";
import { loadRootKeys } from "./root-key-registry.ts";
import { countLeaning, removeRootKey } from "./root-key-removal.ts";
import { hearingMs, rotateRootKey } from "./root-key-rotation.ts";
import type { RootKeys } from "../root-keys.ts";
import { kernelSealedColumns as columns, rewrapAll } from "../sealed-columns.ts";
import { loadServerSecret } from "../server-secrets.ts";

const base64 = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const nothing = async (): Promise<void> => undefined;

/** A process, as far as its root keys go. */
const start = async (kernel: TestStore, store: Store, rootKeys?: string) => {
  const config = {
    dataFolder: kernel.folder,
    rootKeys: rootKeys === undefined ? undefined : new Secret(rootKeys),
  };
  const log = createTestLog();
  const deps = { store, config, clock: kernel.clock, random: kernel.random };
  await store.changes.start();
  const keys = await loadRootKeys({ ...deps, log });
  return { keys, log, deps: { ...deps, columns, hearingMs: 20 } };
};

const placeOf = (name: string): Place => ({ room: "kernel", row: name, field: "server_secret", version: 1 });

const put = async ({ store, clock, random }: TestStore, keys: RootKeys, name: string, text: string) =>
  store.query
    .insertInto("server_secrets")
    .values({ name, sealed: seal(keys, random, placeOf(name), text), created_at: clock.now() })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((eb) => ({ sealed: eb.ref("excluded.sealed") })),
    )
    .execute();

const sealedAt = async ({ store }: TestStore, name: string): Promise<string> =>
  (
    await store.query
      .selectFrom("server_secrets")
      .select("sealed")
      .where("name", "=", name)
      .executeTakeFirstOrThrow()
  ).sealed;

describe("rotating to another root key", () => {
  test("a running process seals with it, opens what was and what is, and is told of it by the change feed", async () => {
    const kernel = await openTestStore();
    const one = await start(kernel, kernel.store);
    const other = await start(kernel, kernel.another());
    await put(kernel, one.keys, "first", "made before");
    const before = one.keys.current.id;

    const { id, rewrapped, resumed } = await rotateRootKey(one.deps, nothing);

    expect({ rewrapped, resumed }).toEqual({ rewrapped: 1, resumed: false });
    await expect.poll(() => other.keys.current.id).toBe(id);
    expect(one.keys.current.id).toBe(id);
    expect(id).not.toBe(before);
    expect(await sealedAt(kernel, "first")).toContain(`v1:${id}:`);
    for (const { keys } of [one, other]) {
      expect(open(keys, placeOf("first"), await sealedAt(kernel, "first")).reveal()).toBe("made before");
      expect(keys.byId(before)?.id).toBe(before);
    }
    expect(other.log.lines).toEqual([]);
  });

  test("what meets a process under a key that it has not heard of opens, because the file is read anew", async () => {
    const kernel = await openTestStore();
    const one = await start(kernel, kernel.store);
    const deaf = kernel.another();
    const other = await loadRootKeys({ ...one.deps, store: deaf, log: createTestLog() });
    const { id } = await rotateRootKey(one.deps, nothing);
    await put(kernel, one.keys, "later", "made since");

    expect(other.current.id).not.toBe(id);
    expect(open(other, placeOf("later"), await sealedAt(kernel, "later")).reveal()).toBe("made since");
  });

  test("changes nothing while a running process lacks the key, and names that process", async () => {
    const kernel = await openTestStore();
    const one = await start(kernel, kernel.store, `old:${base64(1)},new:${base64(2)}`);
    const other = await start(kernel, kernel.another(), `old:${base64(1)}`);
    await put(kernel, one.keys, "first", "made before");
    const before = await sealedAt(kernel, "first");

    const refused = rotateRootKey({ ...one.deps, hearingMs }, nothing);
    await expect(refused).rejects.toThrow(SetupFault);
    await expect(refused).rejects.toThrow(`(process ${process.pid})`);

    expect(await sealedAt(kernel, "first")).toBe(before);
    expect([one.keys.current.id, other.keys.current.id]).toEqual(["old", "old"]);
    expect(await kernel.store.query.selectFrom("root_keys").select("id").execute()).toEqual([{ id: "old" }]);
    expect(await kernel.store.query.selectFrom("root_key_absences").selectAll().execute()).toEqual([]);
  });

  test("another key under the announced id is an objection too", async () => {
    const kernel = await openTestStore();
    const one = await start(kernel, kernel.store, `old:${base64(1)},new:${base64(2)}`);
    await start(kernel, kernel.another(), `old:${base64(1)},new:${base64(3)}`);

    await expect(rotateRootKey({ ...one.deps, hearingMs }, nothing)).rejects.toThrow(
      "not every running server",
    );
  });

  test("with given keys it makes none, and says how to give one", async () => {
    const kernel = await openTestStore();
    const { deps } = await start(kernel, kernel.store, `old:${base64(1)}`);
    await expect(rotateRootKey(deps, nothing)).rejects.toThrow(
      /^LATCHKEY_ROOT_KEYS has no key that is new: .* restart every server with both keys/,
    );
  });

  test("two at once rotate to one key", async () => {
    const kernel = await openTestStore();
    const one = await start(kernel, kernel.store);
    const other = await start(kernel, kernel.another());
    let told = 0;
    const tell = async (): Promise<void> => void (told += 1);
    const [first, second] = await Promise.all([
      rotateRootKey(one.deps, tell),
      rotateRootKey(other.deps, tell),
    ]);

    expect(first.id).toBe(second.id);
    expect(told).toBe(1);
    const file = await readFile(join(kernel.folder, "root.keys"), "utf8");
    expect(file.match(/^root-/gm)).toHaveLength(2);
  });

  test("a write that comes between reading and wrapping anew stays", async () => {
    const kernel = await openTestStore();
    const { keys, deps } = await start(kernel, kernel.store, `old:${base64(1)},new:${base64(2)}`);
    await put(kernel, keys, "raced", "the former");
    const current = keys.byId("new") ?? expect.unreachable();
    const between: Store["transaction"] = async (work) => {
      await put(kernel, keys, "raced", "the newer");
      return kernel.store.transaction(work);
    };
    const work = { ...deps, keys: { current, ids: keys.ids, byId: (id: string) => keys.byId(id) } };

    await rewrapAll({ ...work, store: { ...kernel.store, transaction: between } }, columns);

    expect(open(keys, placeOf("raced"), await sealedAt(kernel, "raced")).reveal()).toBe("the newer");
    expect(await sealedAt(kernel, "raced")).toContain("v1:old:");
    await rewrapAll(work, columns);
    expect(await sealedAt(kernel, "raced")).toContain("v1:new:");
    expect(open(keys, placeOf("raced"), await sealedAt(kernel, "raced")).reveal()).toBe("the newer");
  });
});

describe("removing a root key", () => {
  test("is refused while something leans on it, with where and how many", async () => {
    const kernel = await openTestStore();
    const { keys, deps } = await start(kernel, kernel.store);
    const former = keys.current.id;
    await put(kernel, keys, "broken", "whatever");
    const [form, id, wrapped = "", record] = (await sealedAt(kernel, "broken")).split(":");
    const broken = [form, id, `${wrapped.startsWith("A") ? "B" : "A"}${wrapped.slice(1)}`, record].join(":");
    await kernel.store.query.updateTable("server_secrets").set({ sealed: broken }).execute();
    const { stuck } = await rotateRootKey(deps, nothing);

    expect(stuck).toEqual([{ column: "server_secrets.sealed", row: "broken", reason: "not_authentic" }]);
    const refused = removeRootKey(deps, former, nothing);
    await expect(refused).rejects.toThrow(SetupFault);
    await expect(refused).rejects.toThrow("1 in server_secrets.sealed");
    expect((await readFile(join(kernel.folder, "root.keys"), "utf8")).match(/^root-/gm)).toHaveLength(2);
    expect(await sealedAt(kernel, "broken")).toBe(broken);
  });

  test("takes up what a process sealed that had not heard of the rotation, and refuses what it seals later", async () => {
    const kernel = await openTestStore();
    const { keys, deps } = await start(kernel, kernel.store);
    const deaf = kernel.another();
    const late = await loadRootKeys({ ...deps, store: deaf, log: createTestLog() });
    const former = late.current.id;
    await rotateRootKey(deps, nothing);
    await put(kernel, late, "late", "sealed with the former");

    const around = { random: kernel.random, clock: kernel.clock, store: kernel.store };
    expect(await removeRootKey(deps, former, nothing)).toEqual({
      removed: true,
      dropped: true,
      forgotten: true,
    });

    expect([...(await countLeaning(kernel.store, kernel.store.query, columns)).keys()]).toEqual([
      keys.current.id,
    ]);
    expect(open(keys, placeOf("late"), await sealedAt(kernel, "late")).reveal()).toBe(
      "sealed with the former",
    );
    await expect(put(kernel, late, "too late", "lost")).rejects.toThrow(/root key that was removed/);
    await expect(put(kernel, late, "late", "lost")).rejects.toThrow(/root key that was removed/);
    await expect(loadServerSecret({ ...around, rootKeys: late }, "another")).rejects.toThrow(
      /root key that was removed/,
    );
    expect(open(keys, placeOf("late"), await sealedAt(kernel, "late")).reveal()).toBe(
      "sealed with the former",
    );
    expect(await removeRootKey(deps, former, nothing)).toMatchObject({ removed: false, dropped: false });
  });

  test("is refused for the key that seals and for one that nobody knows", async () => {
    const kernel = await openTestStore();
    const { keys, deps } = await start(kernel, kernel.store);
    await expect(removeRootKey(deps, keys.current.id, nothing)).rejects.toThrow("is the root key that seals");
    await expect(removeRootKey(deps, "nobody", nothing)).rejects.toThrow(/knows no root key .* has root-/);
  });
});
