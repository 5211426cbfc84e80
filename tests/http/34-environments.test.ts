import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  codeOf,
  connectClient,
  connectSession,
  done,
  environmentKey,
  linkAccount,
  type ConnectClient,
} from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

/** Environments: fences within one server, each with API keys of its own that may do what their scopes say. */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
});
afterAll(stopHouses);

const use = () => house.inside.connect.use;

let names = 0;
const newEnvironment = async (): Promise<string> =>
  (await use().createEnvironment({ name: `fence-${++names}`, connectOrigins: [] })).name;

type World = {
  readonly environment: string;
  readonly app: ConnectClient;
  readonly connection: string;
  readonly token: string;
};

/** An environment where somebody linked an account through the integration `here`. */
const newWorld = async (): Promise<World> => {
  const environment = await newEnvironment();
  const app = connectClient(house, await environmentKey(house, environment));
  await done(app.post("/integrations", { provider: "latchkey", unique_key: "here" }));
  const token = await house.tokenOf(await house.person());
  const connection = await linkAccount(house, app, {
    integration: "here",
    username: token,
    password: "api_token",
    terms: { end_user: { id: "user-1" } },
  });
  return { environment, app, connection, token };
};

describe("an API key", () => {
  test("says of which environment it is, and is random enough", async () => {
    const [one, two] = [await environmentKey(house), await environmentKey(house, "prod")];

    expect(one).toMatch(/^lk_dev_[0-9a-f]{64}$/);
    expect(two).toMatch(/^lk_prod_[0-9a-f]{64}$/);
    expect(one).not.toBe(await environmentKey(house));
  });

  test("is kept nowhere: not in the store, not in the log", async () => {
    const key = await environmentKey(house);
    await connectClient(house, key).get("/integrations");
    await house.inside.connect.flush();
    const { rows } = await sql`select * from environment_keys`.execute(house.inside.store.query);

    const secret = key.replace("lk_dev_", "");
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(house.logs.join("")).not.toContain(secret);
  });

  test.each([
    ["Bearer %", 200],
    ["bearer %", 200],
    ["Bearer   %", 200],
    ["%", 200],
    ["Bearer %x", 401],
    ["Bearer", 401],
    ["Bearer % %", 401],
    ["Basic %", 401],
    ["", 401],
  ])("is taken from an Authorization header like “%s”: %i", async (form, status) => {
    const key = await environmentKey(house, "prod");
    const reply = await house.send("GET", "/integrations", {
      headers: { authorization: form.replaceAll("%", key) },
    });

    expect(reply.status).toBe(status);
  });

  test("that is missing, malformed or nobody's is told as recorded", async () => {
    const ask = (headers: Record<string, string>) => house.send("GET", "/integrations", { headers });

    expect(codeOf(await ask({}))).toEqual([401, "missing_auth_header"]);
    expect(codeOf(await ask({ authorization: "Bearer a b" }))).toEqual([401, "malformed_auth_header"]);
    expect(codeOf(await ask({ authorization: "Bearer nope" }))).toEqual([401, "unknown_account"]);
  });

  test("is one of several, each by its name, and can be revoked alone", async () => {
    const environment = await newEnvironment();
    const newKey = () => use().createEnvironmentKey({ environment });
    const made = [await newKey(), await newKey(), await newKey()];
    const statuses = async (): Promise<readonly number[]> => {
      const replies = made.map(({ key }) => connectClient(house, key.reveal()).get("/integrations"));
      return (await Promise.all(replies)).map(({ status }) => status);
    };
    expect(made.map(({ name }) => name)).toEqual(["key", "key-2", "key-3"]);
    expect(await statuses()).toEqual([200, 200, 200]);

    expect(await use().revokeEnvironmentKey({ environment, name: "key-2" })).toBe(true);
    expect(await use().revokeEnvironmentKey({ environment, name: "key-2" })).toBe(false);

    expect(await statuses()).toEqual([200, 401, 200]);
  });

  test("that is revoked elsewhere is refused within a second", async () => {
    const environment = await newEnvironment();
    const app = connectClient(house, await environmentKey(house, environment));
    expect((await app.get("/integrations")).status).toBe(200);
    const twin = await house.twin();
    await twin.inside.connect.use.revokeEnvironmentKey({ environment, name: "key" });

    expect(await statusWithinSecond(() => app.get("/integrations"))).toBe(401);
  });

  test("notes when it was last used, and writes that down later", async () => {
    const environment = await newEnvironment();
    const app = connectClient(house, await environmentKey(house, environment));
    const usedAt = async () => {
      const { rows } = await sql<{ last_used_at: number | null }>`select last_used_at from environment_keys
        where environment_id = (select id from environments where name = ${environment})`.execute(
        house.inside.store.query,
      );
      return rows[0]?.last_used_at;
    };
    await app.get("/integrations");
    expect(await usedAt()).toBeNull();
    await house.inside.connect.flush();

    expect(Number(await usedAt())).toBe(house.clock.now());
  });

  test("is no cookie: a page of anybody may call with it, and none may without", async () => {
    const reply = await connectClient(house, await environmentKey(house)).send("GET", "/integrations", {
      headers: { origin: "https://app.example.com" },
    });

    expect(reply.headers).toMatchObject({ "access-control-allow-origin": "*" });
    expect(reply.headers).not.toHaveProperty("access-control-allow-credentials");
  });
});

describe("environments", () => {
  test("refuse a name that is taken or is none, and a key for one that is not there", async () => {
    for (const name of ["dev", "", "Dev", "1st", "a/b", "x".repeat(33)]) {
      await expect(use().createEnvironment({ name, connectOrigins: [] })).rejects.toMatchObject({
        code: "input_invalid",
      });
    }
    await expect(use().createEnvironmentKey({ environment: "nope" })).rejects.toMatchObject({
      code: "input_invalid",
    });
  });

  test("have integrations of the same key, and know nothing of one another's", async () => {
    const [mine, theirs] = [await newWorld(), await newWorld()];
    const path = `/connections/${theirs.connection}?provider_config_key=here`;
    const absent = `/connections/nobody?provider_config_key=here`;
    const named = { connection_id: theirs.connection, provider_config_key: "here" };
    const before = (await theirs.app.get("/connections")).text;

    // What is another's is answered as what is not there.
    const asked = [
      (path_: string) => mine.app.get(path_),
      (path_: string) => mine.app.patch(path_, { tags: {} }),
      (path_: string) => mine.app.delete(path_),
    ];
    for (const ask of asked) {
      const [other, none] = [await ask(path), await ask(absent)];
      expect([other.status, other.text]).toEqual([none.status, none.text]);
      expect(other.status).toBeGreaterThanOrEqual(400);
    }
    for (const method of ["POST", "PATCH"]) {
      const reply = await mine.app.send(method, "/connections/metadata", {
        json: { ...named, metadata: { a: 1 } },
      });
      expect(codeOf(reply)).toEqual([404, "unknown_connection"]);
    }
    expect(codeOf(await mine.app.post("/connections/verify", named))).toEqual([404, "not_found"]);
    const proxied = await mine.app.send("GET", "/proxy/api/v9/me", {
      headers: { "connection-id": theirs.connection, "provider-config-key": "here" },
    });
    expect(proxied.status).toBeGreaterThanOrEqual(400);
    expect(proxied.text).not.toContain(theirs.token);
    const reconnect = await mine.app.post("/connect/sessions/reconnect", {
      connection_id: theirs.connection,
      integration_id: "here",
    });
    expect(codeOf(reconnect)).toEqual([400, "invalid_body"]);
    expect((await mine.app.get(`/connections?connectionId=${theirs.connection}`)).json()).toEqual({
      connections: [],
    });
    expect((await mine.app.get("/connections")).text).not.toContain(theirs.connection);
    expect((await theirs.app.get("/connections")).text).toBe(before);
  });

  test("keep their integrations to themselves", async () => {
    const [mine, theirs] = [await newWorld(), await newWorld()];
    await done(theirs.app.post("/integrations", { provider: "toggl", unique_key: "theirs" }));

    for (const reply of [
      await mine.app.get("/integrations/theirs"),
      await mine.app.patch("/integrations/theirs", { display_name: "Mine" }),
      await mine.app.delete("/integrations/theirs"),
    ]) {
      expect(codeOf(reply)).toEqual([404, "not_found"]);
    }
    const narrow = await mine.app.post("/connect/sessions", { tags: {}, allowed_integrations: ["theirs"] });
    expect(codeOf(narrow)).toEqual([400, "invalid_body"]);
    const form = connectClient(house, await connectSession(mine.app));
    const seen = listOf((await done(form.get("/integrations")))["data"]);
    expect(seen.map(({ unique_key: name }) => name)).toEqual(["here"]);
    expect(fieldsOf((await done(theirs.app.get("/integrations/theirs")))["data"])).toMatchObject({
      display_name: "Toggl Track",
    });
  });

  test("let an account be linked with their own sessions only", async () => {
    const [mine, theirs] = [await newWorld(), await newWorld()];
    await done(theirs.app.post("/integrations", { provider: "latchkey", unique_key: "theirs" }));
    const session = await connectSession(mine.app);
    const reply = await house.send("POST", `/api-auth/basic/theirs?connect_session_token=${session}`, {
      json: { username: mine.token, password: "api_token" },
    });

    expect(codeOf(reply)).toEqual([404, "unknown_provider_config"]);
    expect(listOf((await done(theirs.app.get("/connections")))["connections"])).toHaveLength(1);
  });

  test("have a cache each: the same names read in one are not found in another", async () => {
    const [mine, theirs] = [await newWorld(), await newWorld()];
    const path = `/connections/${theirs.connection}?provider_config_key=here`;
    await done(theirs.app.get(path));
    await done(theirs.app.get(path));

    expect(codeOf(await mine.app.get(path))).toEqual([404, "not_found"]);
  });
});
