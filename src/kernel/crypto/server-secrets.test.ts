import { describe, expect, test } from "vitest";

import { openTestStore } from "../mail/testing/store.ts";
import { UnsealError } from "./envelope.ts";
import { parseRootKeys } from "./root-keys.ts";
import { loadServerSecret } from "./server-secrets.ts";

const rootKeys = parseRootKeys(`one:${Buffer.alloc(32, 1).toString("base64")}`, "here");

describe("secrets of the server", () => {
  test("are 32 random bytes that stay the same, a different one for each name", async () => {
    const kernel = { ...(await openTestStore()), rootKeys };
    const tries = await loadServerSecret(kernel, "tries");
    expect(tries).toHaveLength(32);
    expect((await loadServerSecret(kernel, "tries")).equals(tries)).toBe(true);
    expect((await loadServerSecret(kernel, "other")).equals(tries)).toBe(false);
  });

  test("are the same in processes that ask at once", async () => {
    const kernel = { ...(await openTestStore()), rootKeys };
    const other = { ...kernel, store: kernel.another() };
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) => loadServerSecret(index % 2 === 0 ? kernel : other, "tries")),
    );
    expect(new Set(all.map((bytes) => bytes.toString("hex"))).size).toBe(1);
  });

  test("are sealed in the store, and can't be swapped", async () => {
    const kernel = { ...(await openTestStore()), rootKeys };
    const tries = await loadServerSecret(kernel, "tries");
    await loadServerSecret(kernel, "other");
    const rows = await kernel.store.query.selectFrom("server_secrets").selectAll().execute();
    for (const form of ["hex", "base64", "base64url"] as const) {
      expect(JSON.stringify(rows)).not.toContain(tries.toString(form));
    }
    const other = rows.find(({ name }) => name === "other");
    await kernel.store.query
      .updateTable("server_secrets")
      .set({ sealed: other?.sealed ?? "" })
      .where("name", "=", "tries")
      .execute();
    await expect(loadServerSecret(kernel, "tries")).rejects.toThrow(UnsealError);
  });
});
