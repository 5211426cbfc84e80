import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { codeOf, connectClient, done, environmentKey, linkAccount, refusalOf } from "../support/connect.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { writable } from "../support/writable-fields.ts";

const generous = { LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000", LATCHKEY_SIGN_UPS: "1000" };

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(generous);
});
afterAll(stopHouses);

test("A45 every field of a body is known to this table", () => {
  const fields = house.inside.routes.flatMap(({ method, path, input: { schema } }) => {
    if (schema === undefined) return [];
    if (!(schema instanceof z.ZodObject))
      throw new Error(`${method} ${path} takes something else than an object.`);
    return [[`${method} ${path}`, Object.keys(schema.shape).toSorted()] as const];
  });
  const known = Object.entries(writable).map(([route, names]) => [route, names.toSorted()]);
  expect(Object.fromEntries(fields)).toEqual(Object.fromEntries(known));
});

const field = (reply: Reply, name: string): unknown => {
  const body: unknown = reply.json();
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
};

/** What the store has of a person, in full, but for what mere reading moves. */
const rowsOf = async ({ email }: Person): Promise<unknown> => {
  const { query } = house.inside.store;
  const account = sql`select id from accounts where email = ${email}`;
  const tables = {
    accounts: sql`select id, public_id, email, email_canonical, email_verified_at, display_name, timezone, password_hash,
      credential_version, created_at, authorization_updated_at, locked_at, closed_at, erase_at
      from accounts where email = ${email}`,
    tokens: sql`select * from api_tokens where account_id = (${account})`,
    profiles: sql`select * from track_profiles where account_id = (${account})`,
    organizations: sql`select * from organizations where owner_id = (${account})`,
  };
  const rows = Object.entries(tables).map(async ([name, all]) => [name, (await all.execute(query)).rows]);
  return Object.fromEntries(await Promise.all(rows));
};

describe("PUT /api/v9/me", () => {
  test("A45 fields that are the server's are passed over, whatever they are set to", async () => {
    const person = await house.person();
    const other = await house.person();
    const before = await rowsOf(person);
    const shown = (await house.send("GET", "/api/v9/me", { session: person.session })).json();
    const theirs: unknown = (await house.send("GET", "/api/v9/me", { session: other.session })).json();
    if (typeof theirs !== "object" || theirs === null) throw new Error("/me showed nobody.");

    const reply = await house.send("PUT", "/api/v9/me", {
      session: person.session,
      json: {
        // Everything of somebody else that `/me` shows and the body does not take …
        ...Object.fromEntries(
          Object.entries(theirs).filter(([name]) => !(writable["PUT /api/v9/me"] ?? []).includes(name)),
        ),
        // … and everything that such bodies were ever seen to be trusted with.
        verified: true,
        email_verified: true,
        emailVerified: true,
        email_verified_at: 1,
        activated: true,
        role: "admin",
        roles: ["admin"],
        admin: true,
        is_admin: true,
        premium: true,
        permissions: ["*"],
        user_id: 1,
        userId: 1,
        account_id: 1,
        accountId: 1,
        owner_id: 1,
        public_id: "x",
        uid: 1,
        sub: "x",
        created_at: "2000-01-01T00:00:00Z",
        createdAt: 1,
        updated_at: "2000-01-01T00:00:00Z",
        at: "2000",
        password_hash: "x",
        passwordHash: "x",
        credential_version: 0,
        credentialVersion: 0,
        locked_at: 1,
        closed_at: 1,
        closedAt: 1,
        erase_at: 1,
        locked: false,
        quota: 1,
        organization_id: 1,
        workspaces: [],
        display_name: "Somebody Else",
        displayName: "Somebody Else",
        session: "x",
        token: "0".repeat(32),
        constructor: { name: "x" },
        toString: "x",
      },
    });

    expect(reply.status).toBe(200);
    expect((await house.send("GET", "/api/v9/me", { session: person.session })).json()).toEqual(shown);
    expect(await rowsOf(person)).toEqual(before);
  });

  test("A45 nothing written under one account shows up under another", async () => {
    const person = await house.person();
    const other = await house.person();
    const before = await rowsOf(other);
    const json = { fullname: "Ada", timezone: "Europe/Tallinn", beginning_of_week: 3, country_id: 7 };
    expect((await house.send("PUT", "/api/v9/me", { session: person.session, json })).status).toBe(200);
    expect(await rowsOf(other)).toEqual(before);
  });

  test("A45 an address that is somebody's can't be taken, in any case it is typed", async () => {
    const owner = await house.person();
    const other = await house.person();
    for (const email of [owner.email, owner.email.toUpperCase()]) {
      const reply = await house.send("PUT", "/api/v9/me", {
        session: other.session,
        json: { email, current_password: other.password },
      });
      expect(reply.status).toBe(400);
    }
    // The password asked for is the caller's, not that of the address.
    const mine = await house.person(undefined, "another river at dusk");
    const reply = await house.send("PUT", "/api/v9/me", {
      session: mine.session,
      json: { email: "nobody-yet@example.com", current_password: other.password },
    });
    expect(reply.status).toBe(400);
    expect((await house.send("GET", "/api/v9/me", { session: mine.session })).json()).toMatchObject({
      email: mine.email,
    });
  });
});

describe("the Accounts API", () => {
  const serverOnly = {
    verified: true,
    email_verified_at: 1,
    role: "admin",
    created_at: 1,
    user_id: 1,
    id: 1,
    public_id: "x",
    api_token: "0".repeat(32),
    locked_at: null,
    workspace_id: 1,
  };
  const bodies: Readonly<Record<string, (person: Person) => Record<string, unknown>>> = {
    "POST /api/signup": () => ({
      email: `fresh-${crypto.randomUUID()}@example.com`,
      password: "a quiet river at noon",
      tos_accepted_for: "track",
    }),
    "POST /api/sessions": ({ email, password }) => ({ email, password }),
    "POST /api/me/close_account/track": ({ password }) => ({ current_password: password }),
    "POST /api/me/email_change/request": ({ password }) => ({
      email: `fresh-${crypto.randomUUID()}@example.com`,
      current_password: password,
    }),
    "POST /api/me/email_verification/request": ({ email }) => ({ email }),
    "POST /api/me/password_reset/request": ({ email }) => ({ email }),
    "POST /api/me/password_reset/confirm/{code}": () => ({ password: "another river at dusk" }),
  };

  test.each(Object.keys(bodies))(
    "A45 %s refuses each field that is the server's by its name, and does nothing",
    async (route) => {
      const person = await house.person();
      const [method = "", path = ""] = route.replace("{code}", "0".repeat(26)).split(" ");
      const before = await rowsOf(person);
      const mails = (await house.mails()).length;
      const reply = await house.send(method, path, {
        session: person.session,
        json: { ...bodies[route]?.(person), ...serverOnly },
        headers: { accept: "application/problem+json" },
      });

      expect([reply.status, reply.cookies]).toEqual([400, []]);
      const unknown = Object.keys(serverOnly).map((name) => ({
        field: name,
        rule: "unknown",
        message: `${name} is not a known field`,
      }));
      expect(field(reply, "errors")).toEqual(unknown);
      expect(await rowsOf(person)).toEqual(before);
      expect(await house.mails()).toHaveLength(mails);
    },
  );
});

describe("the Connect wire", () => {
  const ofServer = {
    id: 1,
    environment_id: 2,
    environment: "prod",
    account: { id: "1", name: null, email: null, workspace: null },
    state: "live",
    state_reason: null,
    origin: "https://elsewhere.example",
    shape: "token",
    sealed: "x",
    sealed_version: 1,
    last_verified_at: "2026-01-01T00:00:00.000Z",
    created_at: "2026-01-01T00:00:00.000Z",
    updated_at: "2026-01-01T00:00:00.000Z",
    errors: [],
    scopes: ["*"],
  };

  test("A45 no body sets what is the server's: it is refused by its name, and nothing changes", async () => {
    const app = connectClient(house, await environmentKey(house));
    await done(app.post("/integrations", { provider: "latchkey", unique_key: "a45" }));
    const connectionId = await linkAccount(house, app, {
      integration: "a45",
      username: await house.tokenOf(await house.person()),
      password: "api_token",
    });
    const { query } = house.inside.store;
    const state = async (): Promise<unknown> =>
      Promise.all([
        sql`select * from integrations order by id`.execute(query).then(({ rows }) => rows),
        sql`select * from connections order by id`.execute(query).then(({ rows }) => rows),
        sql`select * from connect_sessions order by id`.execute(query).then(({ rows }) => rows),
        sql`select * from webhook_settings`.execute(query).then(({ rows }) => rows),
      ]);
    const before = await state();
    const named = { connection_id: connectionId, provider_config_key: "a45" };
    const calls: readonly (readonly [method: string, path: string, body: object])[] = [
      ["POST", "/integrations", { provider: "latchkey", unique_key: "other" }],
      ["PATCH", "/integrations/a45", { display_name: "Other" }],
      ["PATCH", `/connections/${connectionId}?provider_config_key=a45`, { tags: {} }],
      ["PATCH", `/connection/${connectionId}?provider_config_key=a45`, { tags: {} }],
      ["POST", "/connections/metadata", { ...named, metadata: { a: 1 } }],
      ["PATCH", "/connection/metadata", { ...named, metadata: { a: 1 } }],
      ["POST", "/connections/verify", named],
      ["POST", "/connections", { provider_config_key: "a45", credentials: { type: "NONE" } }],
      ["POST", "/connection", { provider_config_key: "a45", username: "x", password: "x" }],
      ["POST", "/connect/sessions", { tags: {} }],
      ["POST", "/connect/sessions/reconnect", { connection_id: connectionId, integration_id: "a45" }],
      ["PATCH", "/environment/webhooks", { primary_url: "https://hooks.example.com" }],
    ];
    for (const [method, path, body] of calls) {
      const reply = await app.send(method, path, { json: { ...body, ...ofServer } });
      expect([path, ...codeOf(reply)]).toEqual([path, 400, "invalid_body"]);
      const [, , sentence] = refusalOf(reply);
      for (const name of Object.keys(ofServer)) expect(sentence).toContain(`"${name}"`);
    }
    expect(await state()).toEqual(before);
  });
});
