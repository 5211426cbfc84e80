import { afterAll, beforeAll, expect, test } from "vitest";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionIdOf } from "../support/forge.ts";
import type { Reply, Sent } from "../support/http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

const generous = { LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000", LATCHKEY_SIGN_UPS: "1000" };

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(generous);
});
afterAll(stopHouses);

type Kind =
  | "an id"
  | "a mailed code"
  | "a public file"
  | "a public name"
  /** Of the Connect wire: what another environment has is not there, as tests/http/34-environments tests. */
  | "a name in the key's environment"
  /** Calls of the original that only say that they are not here. */
  | "nothing";

const inEnvironment = [
  "POST /api-auth/basic/{integration_key}",
  "POST /api-auth/api-key/{integration_key}",
  "POST /auth/unauthenticated/{integration_key}",
  "GET /integrations/{integration_key}",
  "PATCH /integrations/{integration_key}",
  "DELETE /integrations/{integration_key}",
  "GET /config/{integration_key}",
  "DELETE /config/{integration_key}",
  "GET /connections/{connection_id*}",
  "PATCH /connections/{connection_id*}",
  "DELETE /connections/{connection_id*}",
  "GET /connection/{connection_id*}",
  "PATCH /connection/{connection_id*}",
  "DELETE /connection/{connection_id*}",
  "POST /connection/{connection_id}/metadata",
  "PATCH /connection/{connection_id}/metadata",
  "POST /environment/webhooks/deliveries/{id}/redeliver",
  // The path is the provider's; whose it is stands in headers.
  "ANY /proxy/{path*}",
];

const unsupported = [
  "GET /providers/{provider}/templates",
  "GET /oauth/connect/{integration_key}",
  "POST /app-store-auth/{integration_key}",
  "POST /auth/aws-sigv4/{integration_key}",
  "POST /auth/bill/{integration_key}",
  "POST /auth/jwt/{integration_key}",
  "POST /auth/oauth-outbound/{integration_key}",
  "POST /auth/signature/{integration_key}",
  "POST /auth/tba/{integration_key}",
  "POST /auth/two-step/{integration_key}",
  "POST /oauth2/auth/{integration_key}",
  "ANY /action/{rest*}",
  "ANY /connection/{connection_id}/config",
  "ANY /connections/{connection_id}/config",
  "ANY /functions/{rest*}",
  "ANY /mcp/{rest*}",
  "ANY /v1/{rest*}",
  "ANY /integrations/{integration_key}/functions",
  "ANY /integrations/{integration_key}/functions/{rest*}",
  "ANY /records/{rest*}",
  "ANY /scripts/{rest*}",
  "ANY /sync/{rest*}",
];

/** Tried in tests/http/51-change-time-entries.test.ts. */
const ofEntries = [
  "GET /api/v9/me/time_entries/{time_entry_id}",
  "POST /api/v9/workspaces/{workspace_id}/time_entries",
  "PUT /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}",
  "PUT /api/v9/time_entries/{time_entry_id}",
  "PATCH /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}/stop",
  "DELETE /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}",
  "DELETE /api/v9/time_entries/{time_entry_id}",
];

const all = (rows: readonly string[], kind: Kind): Readonly<Record<string, Kind>> =>
  Object.fromEntries(rows.map((row) => [row, kind]));

/** Every varying part of a path, and what it is. A new one fails until somebody has said which, and tested it. */
const varying: Readonly<Record<string, Kind>> = {
  "GET /api/v9/workspaces/{workspace_id}": "an id",
  ...all(ofEntries, "an id"),
  "DELETE /api/me/sessions/{session_id}": "an id",
  "GET /assets/{file}": "a public file",
  "GET /connect/assets/{file}": "a public file",
  "GET /docs/pictures/{file}": "a public file",
  "GET /docs/{page}": "a public name",
  "GET /docs/decisions/{page}": "a public name",
  "GET /docs/guides/{page}": "a public name",
  "GET /docs/providers/{page}": "a public name",
  "GET /docs/reference/{page}": "a public name",
  "GET /images/template-logos/{file}": "a public file",
  "GET /providers/{provider}": "a public name",
  "POST /api/me/close_account/undo/{code}": "a mailed code",
  "POST /api/me/password_reset/confirm/{code}": "a mailed code",
  "POST /api/me/email_verification/confirm/{code}": "a mailed code",
  ...all(inEnvironment, "a name in the key's environment"),
  ...all(unsupported, "nothing"),
};

test("A45 every varying part of a path is known to this table", () => {
  const paths = house.inside.routes.filter(({ path }) => path.includes("{"));
  expect(new Set(paths.map(({ method, path }) => `${method} ${path}`))).toEqual(
    new Set(Object.keys(varying)),
  );
});

const field = (reply: Reply, name: string): unknown => {
  const body: unknown = reply.json();
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
};

/** Every way to be somebody. */
const credentialsOf = async (person: Person): Promise<Readonly<Record<string, Sent>>> => ({
  cookie: { session: person.session },
  password: { basic: [person.email, person.password] },
  token: { basic: [await house.tokenOf(person), "api_token"] },
});

const workspaceOf = async ({ session }: Person): Promise<number> =>
  Number(field(await house.send("GET", "/api/v9/me", { session }), "default_workspace_id"));

/** An answer without what differs from request to request. */
const bare = ({ status, headers, text }: Reply): unknown => {
  const kept = Object.entries(headers).filter(
    ([name]) => !["date", "x-request-id", "x-toggl-request-id", "x-toggl-quota-remaining"].includes(name),
  );
  return { status, headers: Object.fromEntries(kept), text };
};

test("A45 a workspace of somebody else is not there, as one that does not exist", async () => {
  const owner = await house.person();
  const other = await house.person();
  const theirs = await workspaceOf(owner);
  const absent = 999_999_999;

  for (const [name, shown] of Object.entries(await credentialsOf(other))) {
    const foreign = await house.send("GET", `/api/v9/workspaces/${theirs}`, shown);
    const none = await house.send("GET", `/api/v9/workspaces/${absent}`, shown);
    expect(foreign.status, name).toBe(404);
    expect(bare(foreign), name).toEqual(bare(none));
  }
  for (const [name, shown] of Object.entries(await credentialsOf(owner))) {
    expect((await house.send("GET", `/api/v9/workspaces/${theirs}`, shown)).status, name).toBe(200);
  }
});

test("A45 no spelling of the id leads to it, and none breaks anything", async () => {
  const owner = await house.person();
  const other = await house.person();
  const theirs = await workspaceOf(owner);
  const mine = await workspaceOf(other);
  const spellings = [
    `0${theirs}`,
    `+${theirs}`,
    `-${theirs}`,
    `${theirs}.0`,
    `${theirs}e0`,
    `0x${theirs.toString(16)}`,
    `%20${theirs}`,
    `${theirs}%20`,
    `${theirs}%00`,
    `${theirs};`,
    `${mine},${theirs}`,
    `${mine}%2F..%2F${theirs}`,
    `${theirs} or 1=1`.replaceAll(" ", "%20"),
    "0",
    "-1",
    "NaN",
    "null",
    "me",
    "%E2%82%81",
    "１",
    "9007199254740993",
    "9".repeat(30),
    "9".repeat(1000),
    "%",
    "%FF",
    "..",
  ].map((spelling) => (spelling === "１" ? encodeURIComponent(spelling) : spelling));
  for (const spelling of spellings) {
    const reply = await house.send("GET", `/api/v9/workspaces/${spelling}`, { session: other.session });
    expect([400, 404], spelling).toContain(reply.status);
    expect(reply.text, spelling).not.toContain('"name"');
  }
  expect(house.logs.filter((line) => line.includes("request_failed"))).toEqual([]);
});

test("A45 lists show only what is the caller's", async () => {
  const owner = await house.person();
  const other = await house.person();
  for (const path of ["/api/v9/workspaces", "/api/v9/me/workspaces", "/api/v9/me/organizations"]) {
    const [mine, theirs] = await Promise.all(
      [owner, other].map(async ({ session }) => (await house.send("GET", path, { session })).json()),
    );
    expect(mine, path).toHaveLength(1);
    expect(theirs, path).toHaveLength(1);
    expect(mine, path).not.toEqual(theirs);
  }
});

test("A45 nobody else is named by a query or a header", async () => {
  const owner = await house.person();
  const other = await house.person();
  const id = (await house.send("GET", "/api/v9/me/id", { session: owner.session })).json();
  for (const query of [
    `id=${String(id)}`,
    `user_id=${String(id)}`,
    `email=${owner.email}`,
    `account_id=${String(id)}`,
  ]) {
    const reply = await house.send("GET", `/api/v9/me?${query}&with_related_data=true`, {
      session: other.session,
      headers: {
        "x-user-id": String(id),
        "x-user": owner.email,
        "x-forwarded-user": owner.email,
        "remote-user": owner.email,
      },
    });
    expect(reply.json(), query).toMatchObject({ email: other.email });
    expect(reply.text, query).not.toContain(owner.email);
  }
});

test("A45 another's workspace can't be made one's own, nor told from one that does not exist", async () => {
  const owner = await house.person();
  const other = await house.person();
  const theirs = await workspaceOf(owner);
  const mine = await workspaceOf(other);
  const put = (default_workspace_id: unknown) =>
    house.send("PUT", "/api/v9/me", {
      session: other.session,
      json: { default_workspace_id, fullname: "Changed" },
    });

  const foreign = await put(theirs);
  expect(foreign.status).toBe(400);
  expect(bare(foreign)).toEqual(bare(await put(999_999_999)));
  const me = await house.send("GET", "/api/v9/me", { session: other.session });
  expect(me.json()).toMatchObject({ default_workspace_id: mine });
  // Refused is refused as a whole.
  expect(field(me, "fullname")).not.toBe("Changed");
  expect((await put(mine)).status).toBe(200);
});

test("A45 a cookie of one person and the password of another: Basic decides, and only its account is touched", async () => {
  const one = await house.person();
  const other = await house.person();
  const reply = await house.send("POST", "/api/v9/me/reset_token", {
    session: one.session,
    basic: [other.email, other.password],
  });
  expect(reply.status).toBe(200);
  expect(await house.tokenOf(other)).toBe(reply.json());
  expect(await house.tokenOf(one)).not.toBe(reply.json());
});

const sessionIdsOf = async ({ session }: Person): Promise<readonly unknown[]> =>
  listOf(fieldsOf((await house.send("GET", "/api/me/sessions", { session })).json())["sessions"]).map(
    ({ id }) => id,
  );

test("A45 a session of somebody else is not there, as one that does not exist, and lives on", async () => {
  const owner = await house.person();
  const other = await house.person();
  const theirs = sessionIdOf(owner.session);
  const { cookie, password } = await credentialsOf(other);
  for (const shown of [cookie, password]) {
    const foreign = await house.send("DELETE", `/api/me/sessions/${theirs}`, shown);
    const none = await house.send("DELETE", `/api/me/sessions/${"0".repeat(32)}`, shown);
    expect([foreign.status, foreign.cookies]).toEqual([404, []]);
    expect(bare(foreign)).toEqual(bare(none));
  }
  for (const spelling of [
    theirs.toUpperCase(),
    `%20${theirs}`,
    `${theirs}%00`,
    `%00`,
    "%27%20or%201=1",
    "*",
    "%25",
    "x".repeat(1000),
  ]) {
    const reply = await house.send("DELETE", `/api/me/sessions/${spelling}`, cookie);
    expect([reply.status, reply.cookies], spelling).toEqual([404, []]);
  }
  expect(await sessionIdsOf(owner)).toEqual([theirs]);
  expect(await sessionIdsOf(other)).toEqual([sessionIdOf(other.session)]);
  // All the others are those of the caller.
  expect((await house.send("DELETE", "/api/me/sessions", cookie)).json()).toEqual({
    success: true,
    ended: 0,
  });
  expect(await sessionIdsOf(owner)).toEqual([theirs]);
});

test("A45 the audit shows what happened to the caller's account, and nothing of anybody else's", async () => {
  const owner = await house.person();
  const other = await house.person();
  await house.send("POST", "/api/sessions", { json: { email: owner.email, password: "not the password" } });
  const audit = async (person: Person, query = "") =>
    listOf(
      fieldsOf((await house.send("GET", `/api/me/audit${query}`, { session: person.session })).json())[
        "events"
      ],
    );
  const theirs = await audit(owner);
  expect(theirs.map(({ event }) => event)).toEqual(["password_refused", "sign_up"]);

  const mine = await audit(other);
  expect(mine.map(({ event }) => event)).toEqual(["sign_up"]);
  for (const query of [
    `?before=${Number(theirs[0]?.["id"]) + 1}`,
    `?before=${"9".repeat(15)}&account_id=1`,
    `?account=${owner.email}`,
  ]) {
    const ids = (await audit(other, query)).map(({ id }) => id);
    for (const { id } of theirs) expect(ids, query).not.toContain(id);
  }
});
