import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "#kernel/crypto/digest.ts";
import { codeOf, done, refusalOf } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import {
  byToken,
  newHolder,
  openLinkScene,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { vaulted, writeProviders, type ProviderFiles } from "../support/provider-files.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * Who can write to the database can't use one connection's credentials as another's, bring old ones back, or change
 * them: a record opens in its own place only, and as it was.
 */

let provider: Upstream;
let files: ProviderFiles;
let house: TestHouse;
/** Two environments. */
let scene: LinkScene;
let foreign: LinkScene;
let holder: Holder;
let other: Holder;
let connection: string;
beforeAll(async () => {
  provider = await startUpstream();
  const secretly = vaulted.replace(
    "headers:",
    "integration_config:\n  client: { title: Client secret, secret: true, optional: true }\nheaders:",
  );
  files = await writeProviders({ vaulted: secretly });
  house = await startHouse(
    { ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin },
    { providers: files.folder },
  );
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
  await files.clear();
});
beforeEach(async () => {
  [scene, foreign] = [await openLinkScene(house, provider), await openLinkScene(house, provider)];
  [holder, other] = [newHolder(), newHolder()];
  for (const one of [scene, foreign]) one.answers(toggl(holder, other));
  connection = await scene.link(holder);
});

type Sealed = { readonly sealed: string; readonly version: number };

const sealedOf = async (id: string): Promise<Sealed> => {
  const { rows } = await sql<Sealed>`
    select sealed, sealed_version as version from connections where connection_id = ${id}`.execute(
    house.inside.store.query,
  );
  return rows[0] ?? expect.unreachable();
};

/** Behind the server's back, and then so that it looks anew. */
const put = async (id: string, { sealed, version }: Partial<Sealed>): Promise<void> => {
  const { query } = house.inside.store;
  if (sealed !== undefined) {
    await sql`update connections set sealed = ${sealed} where connection_id = ${id}`.execute(query);
  }
  if (version !== undefined) {
    await sql`update connections set sealed_version = ${version} where connection_id = ${id}`.execute(query);
  }
  await house.inside.store.transaction(async (tx) => tx.changed("all"));
};

const sentence = "What is kept of this connection can't be opened any more: link it anew";

const pathOf = (id: string, of: LinkScene = scene): string =>
  `/connections/${id}?provider_config_key=${of.integration}`;

const named = (id: string, of: LinkScene) => ({ connection_id: id, provider_config_key: of.integration });

/** Every call that would open the record. */
const uses = async (id: string, of: LinkScene = scene): Promise<readonly Reply[]> => [
  await of.app.get(pathOf(id, of)),
  await of.app.post("/connections/verify", named(id, of)),
  await of.app.send("GET", "/proxy/api/v9/me", {
    headers: { "connection-id": id, "provider-config-key": of.integration },
  }),
];

/** Nothing is opened, nothing is sent, nobody but the operator hears why. */
const expectShut = async (id: string, of: LinkScene = scene): Promise<void> => {
  const before = of.asked().length;
  const logged = house.logs.length;
  const replies = await uses(id, of);

  expect(replies.map(refusalOf)).toEqual(replies.map(() => [424, "connection_failing", sentence]));
  expect(of.asked()).toHaveLength(before);
  for (const { text } of replies) {
    for (const { token } of [holder, other]) expect(text).not.toContain(token);
  }
  const told = house.logs.slice(logged).filter((line) => line.includes("vault_record_refused"));
  expect(told).toHaveLength(replies.length);
  for (const line of told) expect(line).toContain(`/${id}/credentials version`);
  // What is not secret of it can be seen, and it can be deleted.
  expect(await of.connections()).toContainEqual(expect.objectContaining({ connection_id: id }));
};

describe("A48 a record of credentials", () => {
  test("opens where it belongs", async () => {
    for (const reply of await uses(connection)) expect(reply.status).toBe(200);
  });

  test("does not open at another connection of the integration", async () => {
    const theirs = await scene.link(other);
    await put(connection, await sealedOf(theirs));

    await expectShut(connection);
    expect((await scene.read(theirs))["credentials"]).toMatchObject({ username: other.token });
  });

  test("does not open at another integration, under the same name", async () => {
    await done(scene.app.post("/integrations", { provider: "toggl", unique_key: "other" }));
    const brought = {
      credentials: { type: "BASIC", username: other.token, password: "api_token" },
      verify: false,
    };
    await done(
      scene.app.post("/connections", { ...brought, provider_config_key: "other", connection_id: "same" }),
    );
    const { sealed } = await sealedOf("same");
    await done(
      scene.app.post("/connections", {
        ...brought,
        provider_config_key: scene.integration,
        connection_id: "same",
      }),
    );
    await put("same", { sealed });

    const at = (key: string) => scene.app.get(`/connections/same?provider_config_key=${key}`);
    expect(refusalOf(await at(scene.integration))).toEqual([424, "connection_failing", sentence]);
    expect((await at("other")).status).toBe(200);
  });

  test("does not open in another environment, under the same names", async () => {
    const bring = (to: LinkScene, { token }: Holder) =>
      done(
        to.app.post("/connections", {
          provider_config_key: to.integration,
          connection_id: `same-${scene.environment}`,
          credentials: { type: "BASIC", username: token, password: "api_token" },
        }),
      );
    const mine = await bring(scene, holder);
    const theirs = await bring(foreign, other);
    const { query } = house.inside.store;
    await sql`update connections set sealed = (select sealed from connections where id = ${theirs["id"]})
      where id = ${mine["id"]}`.execute(query);
    await house.inside.store.transaction(async (tx) => tx.changed("all"));

    await expectShut(String(mine["connection_id"]));
  });

  test("does not open in another environment that it was moved to with all it belongs to", async () => {
    const { query } = house.inside.store;
    const key = `moved-from-${scene.environment}`;
    const theirs = sql`(select id from environments where name = ${foreign.environment})`;
    await sql`update integrations set environment_id = ${theirs}, unique_key = ${key}
      where id = (select integration_id from connections where connection_id = ${connection})`.execute(query);
    await sql`update connections set environment_id = ${theirs} where connection_id = ${connection}`.execute(
      query,
    );
    await house.inside.store.transaction(async (tx) => tx.changed("all"));

    await expectShut(connection, { ...foreign, integration: key });
  });

  test("of former credentials does not open any more", async () => {
    const former = await sealedOf(connection);
    const session = await scene.sessionFor(connection);
    const again = { ...byToken(other), query: "&confirm_account_change=true" };
    expect((await scene.submit(session, again)).status).toBe(200);
    await put(connection, { sealed: former.sealed });

    await expectShut(connection);
  });

  test("does not open as another version", async () => {
    const { version } = await sealedOf(connection);
    for (const wrong of [version - 1, version + 1]) {
      await put(connection, { version: wrong });
      await expectShut(connection);
    }
    await put(connection, { version });
    expect((await scene.read(connection))["credentials"]).toMatchObject({ username: holder.token });
  });

  test("does not open under the data key of another one", async () => {
    const theirs = await sealedOf(await scene.link(other));
    const mine = await sealedOf(connection);
    const [form, root, wrapped] = theirs.sealed.split(":");
    const record = mine.sealed.split(":")[3];
    await put(connection, { sealed: [form, root, wrapped, record].join(":") });

    await expectShut(connection);
  });

  test.each([
    ["nothing", () => ""],
    ["a word", () => "sealed"],
    ["clear text", () => JSON.stringify({ credentials: { username: "a", password: "b" }, config: {} })],
    ["its half", (sealed: string) => sealed.slice(0, sealed.length / 2)],
    ["all but the end", (sealed: string) => sealed.slice(0, -1)],
    ["more than it", (sealed: string) => `${sealed}A`],
    ["another form", (sealed: string) => sealed.replace("v1:", "v2:")],
    ["a root key that nobody has", (sealed: string) => sealed.replace(/^v1:[^:]+/, "v1:lost")],
  ])("that became %s does not open", async (_name, change) => {
    const { sealed } = await sealedOf(connection);
    await put(connection, { sealed: change(sealed) });

    await expectShut(connection);
  });

  test("with any one byte changed does not open", async () => {
    const { sealed } = await sealedOf(connection);
    const [form, root, ...parts] = sealed.split(":");
    const opened: number[] = [];
    let tried = 0;
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, "base64url");
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << (at % 8)), at);
        const broken = parts.with(index, changed.toString("base64url"));
        await put(connection, { sealed: [form, root, ...broken].join(":") });
        const reply = await scene.app.get(pathOf(connection));
        tried += 1;
        if (reply.status !== 424) opened.push(at);
      }
    }

    expect(opened).toEqual([]);
    expect(tried).toBeGreaterThan(150);
    await put(connection, { sealed });
    expect((await scene.read(connection))["credentials"]).toMatchObject({ username: holder.token });
  });
});

describe("A48 a connection whose record does not open", () => {
  beforeEach(async () => {
    await put(connection, { sealed: (await sealedOf(await scene.link(other))).sealed });
  });

  test("is linked anew, with the metadata that it had", async () => {
    await done(scene.app.post("/connections/metadata", { ...named(connection, scene), metadata: { a: 1 } }));
    const session = await scene.sessionFor(connection);
    expect((await scene.submit(session, byToken(holder))).status).toBe(200);

    expect(await scene.read(connection)).toMatchObject({
      credentials: { username: holder.token },
      metadata: { a: 1 },
      state: "live",
    });
  });

  test("takes new credentials from the app", async () => {
    const credentials = { type: "BASIC", username: holder.token, password: "api_token" };
    expect((await scene.app.patch(pathOf(connection), { credentials })).status).toBe(200);

    expect((await scene.read(connection))["credentials"]).toEqual(credentials);
  });

  test("is deleted like any other", async () => {
    expect((await scene.app.delete(pathOf(connection))).status).toBe(200);
    expect(codeOf(await scene.app.get(pathOf(connection)))).toEqual([404, "not_found"]);
  });
});

test("A48 what an app laid down in secret for one session opens for no other", async () => {
  const vault = await openLinkScene(house, provider, { provider: "vaulted", path: "/me" });
  vault.answers({ body: '{"id":"v"}' });
  const laid = (passphrase: string) => ({
    tags: {},
    integrations_config_defaults: {
      [vault.integration]: { connection_config: { region: "eu", passphrase } },
    },
  });
  const [mine, theirs] = [await vault.session(laid("the one's")), await vault.session(laid("the other's"))];
  await sql`update connect_sessions set terms = (select terms from connect_sessions where digest = ${sha256Hex(theirs)})
    where digest = ${sha256Hex(mine)}`.execute(house.inside.store.query);
  const submit = (session: string) =>
    vault.submit(session, { way: "api-auth/api-key", json: { apiKey: "a key" } });

  expect(refusalOf(await submit(mine))).toEqual([
    424,
    "connection_failing",
    "What the app laid down for this session can't be opened any more: ask it for a new link",
  ]);
  expect(vault.asked()).toEqual([]);
  expect((await submit(theirs)).status).toBe(200);
  expect(vault.asked()[0]?.headers["x-passphrase"]).toBe("the other's");
});

test("A48 the secret settings of an integration open in their own place only, and a person is told no more than that", async () => {
  const secret = (text: string) => ({ config: { client: text }, provider: "vaulted", path: "/me" });
  const [mine, theirs] = [
    await openLinkScene(house, provider, secret("the secret of the one")),
    await openLinkScene(house, provider, secret("the secret of the other")),
  ];
  for (const one of [mine, theirs]) one.answers({ body: '{"id":"v"}' });
  const query = "&params[region]=eu&params[passphrase]=sesame";
  const link = async () =>
    mine.submit(await mine.session(), { way: "api-auth/api-key", json: { apiKey: "a key" }, query });
  const connected = String((await done(link()))["connectionId"]);
  await sql`update integrations set sealed_config = (select i.sealed_config from integrations i join environments e
    on e.id = i.environment_id where e.name = ${theirs.environment} and i.provider = 'vaulted')
    where environment_id = (select id from environments where name = ${mine.environment})`.execute(
    house.inside.store.query,
  );
  await house.inside.store.transaction(async (tx) => tx.changed("all"));
  const before = mine.asked().length;

  for (const reply of [
    await link(),
    await mine.app.post("/connections/verify", named(connected, mine)),
    await mine.app.send("GET", "/proxy/me", {
      headers: { "connection-id": connected, "provider-config-key": mine.integration },
    }),
    await mine.app.patch(`/integrations/${mine.integration}`, {
      integration_config: { client: "a new one" },
    }),
  ]) {
    expect(refusalOf(reply)).toEqual([
      424,
      "connection_failing",
      "The secret settings of this integration can't be opened any more: make the integration anew",
    ]);
  }
  expect(mine.asked()).toHaveLength(before);
  expect(fieldsOf((await done(theirs.app.get(`/integrations/${theirs.integration}`)))["data"])).toMatchObject(
    {
      provider: "vaulted",
    },
  );
});
