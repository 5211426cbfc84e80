import {
  codeOf,
  connectClient,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { stopHouses, type TestHouse } from "../support/house.ts";
import {
  fullEndUser,
  fullTags,
  fullTerms,
  startLinking,
  withOffset,
  type Linking,
} from "../support/linked-accounts.ts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** An account that somebody linked is read, with its credentials by those who may. */

let house: TestHouse;
let app: ConnectClient;
let linked: Linking["linked"];
let read: Linking["read"];
let eventsOf: Linking["eventsOf"];
beforeAll(async () => {
  ({ house, app, linked, read, eventsOf } = await startLinking());
});
afterAll(stopHouses);

describe("GET /connections/{id}", () => {
  test("shows everything, field by field as the original does, and whose account it is", async () => {
    const at = withOffset(house.clock.now());
    const { id, path, token, email } = await linked(fullTerms);
    const body = await read(path);

    expect(body).toEqual({
      id: expect.any(Number),
      connection_id: id,
      provider_config_key: "here",
      provider: "latchkey",
      errors: [],
      end_user: fullEndUser,
      tags: fullTags,
      metadata: {},
      connection_config: {},
      webhook_url_override: null,
      created_at: at,
      updated_at: at,
      last_fetched_at: at,
      credentials: { type: "BASIC", username: token, password: "api_token" },
      account: { id: expect.any(String), name: email.split("@", 1)[0], email, workspace: expect.any(String) },
      state: "live",
      state_reason: null,
      last_verified_at: at,
    });
    expect(Object.keys(body).slice(0, 14).join(" ")).toBe(
      "id connection_id provider_config_key provider errors end_user tags metadata connection_config " +
        "webhook_url_override created_at updated_at last_fetched_at credentials",
    );
  });

  test("is found by the older path too", async () => {
    const { path } = await linked(fullTerms);

    expect(await read(path.replace("connections", "connection"))).toEqual(await read(path));
  });

  test("takes what the original's SDK always sends, and there is nothing to refresh", async () => {
    const { path, token } = await linked();
    for (const flag of ["true", "false", ""]) {
      const query = ["force_refresh", "refresh_token", "refresh_github_app_jwt_token"]
        .map((name) => `&${name}=${flag}`)
        .join("");
      expect(await read(path + query)).toMatchObject({ credentials: { username: token } });
    }
    expect(codeOf(await app.get(`${path}&force_refresh=perhaps`))).toEqual([400, "invalid_query_params"]);
    expect(codeOf(await app.get(`${path}&include=everything`))).toEqual([400, "invalid_query_params"]);
  });

  test("tells a missing parameter, an unknown integration and an unknown connection apart, as recorded", async () => {
    const { id } = await linked();

    expect(refusalOf(await app.get(`/connections/${id}`))).toEqual([
      400,
      "invalid_query_params",
      "provider_config_key: Invalid input: expected string, received undefined",
      [["provider_config_key"], "invalid_type"],
    ]);
    expect(codeOf(await app.get(`/connections/${id}?provider_config_key=nope`))).toEqual([
      400,
      "unknown_provider_config",
    ]);
    for (const name of ["nope", "%00", "%F0%9F%98%80", "x".repeat(900), "a/b/c", "metadata"]) {
      expect(refusalOf(await app.get(`/connections/${name}?provider_config_key=here`))).toEqual([
        404,
        "not_found",
        "Failed to find connection",
      ]);
    }
    // It is there, and not of this integration.
    expect(codeOf(await app.get(`/connections/${id}?provider_config_key=there`))).toEqual([404, "not_found"]);
  });

  test("tells a key that may not read credentials everything else", async () => {
    const { path, token } = await linked(fullTerms);
    const key = await environmentKey(house, "dev", ["environment:connections:read"]);
    const reader = connectClient(house, key);
    const { credentials: _, last_fetched_at: __, ...rest } = await read(path);
    const reply = await reader.get(path);

    expect(reply.json()).toMatchObject({ ...rest, credentials: {} });
    expect(reply.text).not.toContain(token);
    expect(codeOf(await reader.get(`${path}&force_refresh=true`))).toEqual([403, "forbidden"]);
    expect((await reader.get(`${path}&force_refresh=false`)).status).toBe(200);
  });

  test("tells credentials to a key that may read nothing else", async () => {
    const { path, token } = await linked();
    const key = await environmentKey(house, "dev", ["environment:connections:read_credentials"]);

    expect(await read(path, connectClient(house, key))).toMatchObject({ credentials: { username: token } });
  });

  test("is read again without asking the store, until something changes", async () => {
    const { path, id } = await linked();
    await read(path);
    // Behind the server's back: whoever asks the store would see it.
    await sql`update connections set webhook_url_override = 'https://unseen.example' where connection_id = ${id}`.execute(
      house.inside.store.query,
    );
    expect(await read(path)).toMatchObject({ webhook_url_override: null });

    await done(
      app.post("/connections/metadata", {
        connection_id: id,
        provider_config_key: "here",
        metadata: { a: 1 },
      }),
    );

    expect(await read(path)).toMatchObject({
      webhook_url_override: "https://unseen.example",
      metadata: { a: 1 },
    });
  });

  test("is written down for the audit once a minute, key and connection", async () => {
    const { path, id } = await linked();
    const first = house.clock.now();
    const other = connectClient(house, await environmentKey(house, "dev"));
    for (let count = 0; count < 5; count++) await read(path);
    house.clock.advance(59_000);
    await read(path);
    await read(path, other);
    house.clock.advance(1000);
    await read(path);
    await read(path);
    const reads = (await eventsOf(id)).filter(({ event }) => event === "credentials_read");

    expect(reads.map(({ at }) => at - first)).toEqual([0, 59_000, 60_000]);
    expect(new Set(reads.map(({ key }) => key)).size).toBe(2);
  });

  test("leaves no event when no credentials were shown", async () => {
    const { path, id } = await linked();
    const reader = connectClient(house, await environmentKey(house, "dev", ["environment:connections:read"]));
    await read(path, reader);
    await app.get("/connections");

    expect((await eventsOf(id)).map(({ event }) => event)).toEqual(["connection_linked"]);
  });

  test("says when it was fetched last to whoever does not fetch it now", async () => {
    const { path } = await linked();
    const created = house.clock.now();
    const reader = connectClient(house, await environmentKey(house, "dev", ["environment:connections:read"]));
    expect(await read(path, reader)).toMatchObject({ last_fetched_at: withOffset(created) });
    house.clock.advance(5000);

    expect(await read(path)).toMatchObject({ last_fetched_at: withOffset(created + 5000) });
  });

  test("does not show credentials that were moved to another row", async () => {
    const { path, id, token } = await linked();
    const other = await linked();
    await sql`update connections set sealed = (select sealed from connections where connection_id = ${other.id})
      where connection_id = ${id}`.execute(house.inside.store.query);
    const reply = await app.get(path);

    expect(codeOf(reply)).toEqual([424, "connection_failing"]);
    expect(reply.text).not.toContain(token);
    expect(reply.text).not.toContain(other.token);
  });
});

describe("an id", () => {
  test.each(["a/b/c", "ada@example.com", '{"user":"1"}', "x y", "a+b", "end/", "a/metadata"])(
    "%s is found as the SDK sends it, and encoded",
    async (name) => {
      const { id } = await linked();
      await sql`update connections set connection_id = ${name} where connection_id = ${id}`.execute(
        house.inside.store.query,
      );
      const reader = connectClient(
        house,
        await environmentKey(house, "dev", ["environment:connections:read"]),
      );
      const raw = name.replaceAll(/[" {}]/g, encodeURIComponent);
      const spellings = [encodeURIComponent(name), ...(name.endsWith("/") ? [] : [raw])];
      for (const spelling of spellings) {
        expect(await read(`/connections/${spelling}?provider_config_key=here`, reader)).toMatchObject({
          connection_id: name,
        });
      }
      expect(
        (await app.delete(`/connections/${encodeURIComponent(name)}?provider_config_key=here`)).status,
      ).toBe(200);
    },
  );
});
