import { codeOf, connectClient, done, type ConnectClient } from "../support/connect.ts";
import { stopHouses, type TestHouse } from "../support/house.ts";
import { fullTerms, startLinking, withOffset, type Linking } from "../support/linked-accounts.ts";
import { fieldsOf } from "../support/shapes.ts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What an app says of a linked account is changed; the account is unlinked. */

let house: TestHouse;
let app: ConnectClient;
let linked: Linking["linked"];
let read: Linking["read"];
let list: Linking["list"];
let eventsOf: Linking["eventsOf"];
beforeAll(async () => {
  ({ house, app, linked, read, list, eventsOf } = await startLinking());
});
afterAll(stopHouses);

describe("PATCH /connections/{id}", () => {
  test("replaces the tags as a fullTerms, and keeps everything else", async () => {
    const { path } = await linked(fullTerms);
    const before = await read(path);
    house.clock.advance(1000);
    const reply = await app.patch(path, { tags: { Plan: "paid" } });

    expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
    const at = withOffset(house.clock.now());
    expect(await read(path)).toEqual({
      ...before,
      tags: { plan: "paid" },
      updated_at: at,
      last_fetched_at: at,
    });
  });

  test("changes whom it is of, with the tags that say so", async () => {
    const { path, id } = await linked(fullTerms);
    await done(app.patch(path, { end_user: { id: "user-2", email: "two@example.com" } }));

    expect(await read(path)).toMatchObject({
      end_user: {
        id: "user-2",
        email: "two@example.com",
        display_name: null,
        tags: null,
        organization: null,
      },
      tags: { project: "alpha", end_user_id: "user-2", end_user_email: "two@example.com" },
    });
    const { tags } = await read(path);
    expect(Object.keys(fieldsOf(tags)).toSorted()).toEqual(["end_user_email", "end_user_id", "project"]);
    expect(await list("?endUserId=user-2")).toEqual([id]);
    expect(await list(`?endUserId=user-1&connectionId=${id}`)).toEqual([]);
    expect(await list("?search=two@example.com")).toEqual([id]);
  });

  test("sets the webhook address, and clears it with an empty text", async () => {
    const { path } = await linked();
    await done(app.patch(path, { webhook_url_override: "https://hooks.example.com/x" }));
    expect(await read(path)).toMatchObject({ webhook_url_override: "https://hooks.example.com/x" });
    await done(app.patch(path, {}));
    expect(await read(path)).toMatchObject({ webhook_url_override: "https://hooks.example.com/x" });
    await done(app.patch(path, { webhook_url_override: "" }));
    expect(await read(path)).toMatchObject({ webhook_url_override: null });
  });

  test("refuses what it does not take, and changes nothing", async () => {
    const { path } = await linked(fullTerms);
    const before = await read(path);
    for (const body of [
      { metadata: {} },
      { id: 1 },
      { state: "live" },
      { account: null },
      { tags: { "1x": "a" } },
      { tags: { a: "x\u0000y" } },
      { tags: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`t${index}`, "x"])) },
      { end_user: { id: "" } },
      { end_user: { id: "x\u0000" } },
      { webhook_url_override: "http://127.0.0.1:1/" },
      { webhook_url_override: "https://169.254.169.254/" },
      { webhook_url_override: house.config.origin.href },
      [],
    ]) {
      expect(codeOf(await app.patch(path, body))).toEqual([400, "invalid_body"]);
    }
    expect(await read(path)).toEqual(before);
  });

  test("answers what is not there as recorded", async () => {
    const { id } = await linked();

    expect(codeOf(await app.patch("/connections/nope?provider_config_key=here", {}))).toEqual([
      404,
      "not_found",
    ]);
    expect(codeOf(await app.patch(`/connections/${id}?provider_config_key=nope`, {}))).toEqual([
      400,
      "unknown_provider_config",
    ]);
    expect(codeOf(await app.patch(`/connections/${id}`, {}))).toEqual([400, "invalid_query_params"]);
  });

  test("loses none of two changes at once", async () => {
    const { path } = await linked();
    await Promise.all([
      done(app.patch(path, { tags: { a: "1" } })),
      done(app.patch(path, { webhook_url_override: "https://hooks.example.com/y" })),
    ]);

    expect(await read(path)).toMatchObject({
      tags: { a: "1" },
      webhook_url_override: "https://hooks.example.com/y",
    });
  });
});

describe("DELETE /connections/{id}", () => {
  test("destroys the row with what is sealed in it, its tags and its reconnect links", async () => {
    const { id, path } = await linked(fullTerms);
    const { id: row } = await read(path);
    const again = await done(
      app.post("/connect/sessions/reconnect", { connection_id: id, integration_id: "here" }),
    );
    const reply = await app.delete(path);

    expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
    expect(codeOf(await app.get(path))).toEqual([404, "not_found"]);
    expect(await list(`?connectionId=${id}`)).toEqual([]);
    for (const table of ["connections where id", "connection_tags where connection_row"]) {
      const { rows } = await sql`select 1 from ${sql.raw(table)} = ${row}`.execute(house.inside.store.query);
      expect(rows).toEqual([]);
    }
    const form = connectClient(house, String(fieldsOf(again["data"])["token"]));
    expect(codeOf(await form.get("/connect/session"))).toEqual([401, "unknown_connect_session_token"]);
    expect((await eventsOf(id)).map(({ event }) => event)).toContain("connection_deleted");
  });

  test("answers 400 for what is not there, as recorded", async () => {
    const { id, path } = await linked();
    await done(app.delete(path));

    for (const gone of [
      path,
      "/connections/%00?provider_config_key=here",
      `/connections/${id}?provider_config_key=nope`,
    ]) {
      expect(codeOf(await app.delete(gone))).toEqual([400, "unknown_connection"]);
    }
    expect(codeOf(await app.delete(`/connections/${id}`))).toEqual([400, "invalid_query_params"]);
    expect((await eventsOf(id)).filter(({ event }) => event === "connection_deleted")).toHaveLength(1);
  });

  test("succeeds for one of many at once", async () => {
    const { path } = await linked();
    const replies = await Promise.all(Array.from({ length: 6 }, () => app.delete(path)));

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 400, 400, 400, 400, 400,
    ]);
  });

  test("works by the older path", async () => {
    const { path } = await linked();

    expect((await app.delete(path.replace("connections", "connection"))).status).toBe(200);
    expect(codeOf(await app.get(path))).toEqual([404, "not_found"]);
  });
});
