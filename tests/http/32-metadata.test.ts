import { codeOf, done, refusalOf, type ConnectClient } from "../support/connect.ts";
import { stopHouses } from "../support/house.ts";
import { startLinking, type Linking } from "../support/linked-accounts.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What an app keeps with linked accounts. */

let app: ConnectClient;
let linked: Linking["linked"];
let read: Linking["read"];
beforeAll(async () => {
  ({ app, linked, read } = await startLinking());
});
afterAll(stopHouses);

describe("metadata", () => {
  const set = (id: unknown, metadata: unknown, more = {}) =>
    app.post("/connections/metadata", { connection_id: id, provider_config_key: "here", metadata, ...more });
  const lay = (id: unknown, metadata: unknown) =>
    app.patch("/connections/metadata", { connection_id: id, provider_config_key: "here", metadata });
  const metadataOf = async (path: string) => (await read(path))["metadata"];

  test("is replaced by POST and laid over by PATCH, both of which answer what was sent", async () => {
    const { id, path } = await linked();
    const first = { connection_id: id, provider_config_key: "here", metadata: { a: 1, deep: { x: 1 } } };
    const posted = await app.post("/connections/metadata", first);
    const patched = await lay(id, { b: [null, "é"], deep: { y: 2 } });

    expect([posted.status, posted.json()]).toEqual([201, first]);
    expect([patched.status, patched.json()]).toEqual([
      200,
      { ...first, metadata: { b: [null, "é"], deep: { y: 2 } } },
    ]);
    expect(await metadataOf(path)).toEqual({ a: 1, b: [null, "é"], deep: { y: 2 } });
    await done(set(id, {}));
    expect(await metadataOf(path)).toEqual({});
  });

  test("is put on several at once, or on none", async () => {
    const [one, two] = [await linked(), await linked()];
    await done(set([one.id, two.id, one.id], { a: 1 }));
    expect([await metadataOf(one.path), await metadataOf(two.path)]).toEqual([{ a: 1 }, { a: 1 }]);

    expect(codeOf(await set([one.id, "nope"], { a: 2 }))).toEqual([404, "unknown_connection"]);
    expect(codeOf(await lay([one.id, "nope"], { a: 2 }))).toEqual([404, "unknown_connection"]);
    expect(codeOf(await set(one.id, { a: 2 }, { provider_config_key: "there" }))).toEqual([
      404,
      "unknown_connection",
    ]);
    expect(await metadataOf(one.path)).toEqual({ a: 1 });
  });

  test("is set by the older paths too", async () => {
    const { id, path } = await linked();
    const older = `/connection/${id}/metadata?provider_config_key=here`;
    const posted = await app.post(older, { a: 1, connection_id: "mine" });
    const patched = await app.patch(older, { b: 2 });

    expect([posted.status, posted.json()]).toEqual([201, { a: 1, connection_id: "mine" }]);
    expect([patched.status, patched.json()]).toEqual([200, { b: 2 }]);
    expect(await metadataOf(path)).toEqual({ a: 1, connection_id: "mine", b: 2 });
    await done(
      app.patch("/connection/metadata", {
        connection_id: id,
        provider_config_key: "here",
        metadata: { b: 3 },
      }),
    );
    expect(await metadataOf(path)).toEqual({ a: 1, connection_id: "mine", b: 3 });
    const unknown = await app.post("/connection/nope/metadata?provider_config_key=here", {});
    expect(codeOf(unknown)).toEqual([404, "unknown_connection"]);
    expect(codeOf(await app.post(`/connection/${id}/metadata`, {}))).toEqual([400, "invalid_query_params"]);
  });

  test("loses nothing that many lay over it at once", async () => {
    const { id, path } = await linked();
    const entries = Array.from({ length: 12 }, (_, index) => [`k${index}`, index] as const);
    await Promise.all(entries.map(([name, value]) => done(lay(id, { [name]: value }))));

    expect(await metadataOf(path)).toEqual(Object.fromEntries(entries));
  });

  test("holds any text, and no more than 256 KiB", async () => {
    const { id, path } = await linked();
    const odd = { "\u0000": "\u0000", "'": '"', ключ: "😀", constructor: { name: 1 }, "": "empty" };
    await done(set(id, odd));
    expect(await metadataOf(path)).toEqual(odd);

    const large = "x".repeat(200 * 1024);
    await done(set(id, { large }));
    expect(refusalOf(await lay(id, { more: large }))[3]).toEqual([["metadata"], "too_big"]);
    expect(await metadataOf(path)).toEqual({ large });
  });

  test.each([
    [{ connection_id: [], metadata: {} }],
    [{ connection_id: "", metadata: {} }],
    [{ connection_id: "a\u0000", metadata: {} }],
    [{ connection_id: "x" }],
    [{ connection_id: "x", metadata: [] }],
    [{ connection_id: "x", metadata: "x" }],
    [{ connection_id: "x", metadata: {}, tags: {} }],
    [{ connection_id: Array.from({ length: 101 }, (_, index) => `c${index}`), metadata: {} }],
  ])("refuses %j", async (body) => {
    expect(codeOf(await app.post("/connections/metadata", { provider_config_key: "here", ...body }))).toEqual(
      [400, "invalid_body"],
    );
  });
});
