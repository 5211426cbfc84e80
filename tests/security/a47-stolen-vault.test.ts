import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectClient, done, environmentKey } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import {
  byPassword,
  byToken,
  newHolder,
  openLinkScene,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { vaulted, writeProviders, type ProviderFiles } from "../support/provider-files.ts";
import { findSecrets, type Secrets } from "../support/secrets.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** Who steals the database has no key to anybody's account, however the keys came in. */

let provider: Upstream;
let files: ProviderFiles;
let house: TestHouse;
let scene: LinkScene;
beforeAll(async () => {
  provider = await startUpstream();
  files = await writeProviders({ vaulted });
});
beforeEach(async () => {
  house = await startHouse(
    { ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin },
    { providers: files.folder },
  );
  scene = await openLinkScene(house, provider);
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
  await files.clear();
});

const secretsOf = (
  name: string,
  { token, email, password }: Holder,
): readonly (readonly [string, string | Buffer])[] => [
  [`token of ${name}`, token],
  [`bytes of the token of ${name}`, Buffer.from(token, "hex")],
  [`header of ${name}`, basicHeader(token, "api_token").replace("Basic ", "")],
  [`password of ${name}`, password],
  [`password header of ${name}`, basicHeader(email, password).replace("Basic ", "")],
];

test("A47 a dump has no token, no password, no key and no secret setting of a connection", async () => {
  const people = {
    linked: newHolder(),
    swapped: newHolder(),
    kept: newHolder(),
    imported: newHolder(),
    unchecked: newHolder(),
    renewed: newHolder(),
    changed: newHolder(),
    refused: newHolder(),
    deleted: newHolder(),
  };
  const { refused: _refused, ...known } = people;
  const everybody = toggl(...Object.values(known));
  scene.answers(everybody);
  const secrets = new Map(Object.entries(people).flatMap(([name, holder]) => secretsOf(name, holder)));
  const { app, integration } = scene;

  // Every way in.
  const first = await scene.link(people.linked);
  await done(scene.submit(await scene.session(), byPassword(people.swapped)));
  const keeping = await openLinkScene(house, provider, { config: { keep_password: true } });
  keeping.answers(everybody);
  await done(keeping.submit(await keeping.session(), byPassword(people.kept)));
  const bring = ({ token }: Holder, verify: boolean) =>
    done(
      app.post("/connections", {
        provider_config_key: integration,
        credentials: { type: "BASIC", username: token, password: "api_token" },
        verify,
      }),
    );
  const { connection_id: imported } = await bring(people.imported, true);
  await bring(people.unchecked, false);
  const again = { ...byToken(people.renewed), query: "&confirm_account_change=true" };
  await done(scene.submit(await scene.sessionFor(first), again));
  await done(
    app.patch(`/connections/${String(imported)}?provider_config_key=${integration}`, {
      credentials: { type: "BASIC", username: people.changed.token, password: "api_token" },
    }),
  );
  for (const sent of [byToken(people.refused), byPassword(people.refused)]) {
    expect((await scene.submit(await scene.session(), sent)).status).toBe(400);
  }
  const deleted = await scene.link(people.deleted);
  await done(app.delete(`/connections/${deleted}?provider_config_key=${integration}`));
  const vault = await openLinkScene(house, provider, { provider: "vaulted", path: "/me" });
  vault.answers({ body: '{"id":"v"}' });
  const apiKey = `key-${crypto.randomUUID()}`;
  const passphrase = `sesame-${crypto.randomUUID()}`;
  await done(
    vault.submit(await vault.session(), {
      way: "api-auth/api-key",
      json: { apiKey },
      query: `&params[region]=eu&params[passphrase]=${passphrase}`,
    }),
  );
  secrets.set("API key", apiKey).set("secret setting", passphrase);
  const session = await scene.session();
  const key = await environmentKey(house);
  await connectClient(house, key).get("/integrations");
  for (const [name, text] of [
    ["session", session],
    ["environment key", key],
  ] as const) {
    const [hex = ""] = /[0-9a-f]{64}/.exec(text) ?? [];
    secrets.set(name, text).set(`random part of the ${name}`, hex);
    secrets.set(`bytes of the ${name}`, Buffer.from(hex, "hex"));
  }
  // What is used is opened, and then nowhere either.
  for (const connection of await scene.connections()) await scene.read(String(connection["connection_id"]));
  await scene.told();
  await house.inside.connect.flush();

  expect(secrets.size).toBeGreaterThan(50);
  expect(findSecrets(secrets, await dumpStore(house.config))).toEqual([]);
  const { rows } = await sql`select * from audit_events`.execute(house.inside.store.query);
  expect(findSecrets(secrets, JSON.stringify(rows))).toEqual([]);
});

test("A47 two records of the same secret have nothing in common", async () => {
  const holder = newHolder();
  scene.answers(toggl(holder));
  await scene.link(holder);
  await scene.link(holder);
  const { rows } = await sql<{ sealed: string }>`select sealed from connections`.execute(
    house.inside.store.query,
  );
  const [one = [], two = []] = rows.map(({ sealed }) => sealed.split(":").slice(2));

  expect(one).toHaveLength(2);
  for (const part of [...one, ...two]) {
    for (const other of [...one, ...two])
      expect(part === other || !other.includes(part.slice(0, 12))).toBe(true);
  }
  expect(new Set([...one, ...two]).size).toBe(4);
});

const expectGone = async (secrets: Secrets, sealed: string): Promise<void> => {
  const { rows } = await sql<{ sealed: string }>`select sealed from connections`.execute(
    house.inside.store.query,
  );
  expect(rows.map((row) => row.sealed)).not.toContain(sealed);
  // The bytes in the file, too, as soon as its journal is taken in: what is deleted is overwritten, not only let go.
  if (house.inside.store.kind === "sqlite") {
    await sql`pragma wal_checkpoint(truncate)`.execute(house.inside.store.query);
    expect(findSecrets(secrets, await dumpStore(house.config))).toEqual([]);
  }
};

const sealedOf = async (connection: string): Promise<string> => {
  const { rows } = await sql<{ sealed: string }>`
    select sealed from connections where connection_id = ${connection}`.execute(house.inside.store.query);
  return rows[0]?.sealed ?? expect.unreachable();
};

test("A47 a connection that is deleted takes its data key with it, at once", async () => {
  const holder = newHolder();
  scene.answers(toggl(holder));
  const connection = await scene.link(holder);
  const sealed = await sealedOf(connection);
  const [, , wrapped = "", record = ""] = sealed.split(":");
  await done(scene.app.delete(`/connections/${connection}?provider_config_key=${scene.integration}`));

  await expectGone(
    new Map([
      ["data key", wrapped],
      ["record", record],
    ]),
    sealed,
  );
});

test("A47 so does an integration that is deleted, and new credentials end the old record", async () => {
  const [holder, renewed] = [newHolder(), newHolder()];
  scene.answers(toggl(holder, renewed));
  const connection = await scene.link(holder);
  const first = await sealedOf(connection);
  const again = { ...byToken(renewed), query: "&confirm_account_change=true" };
  await done(scene.submit(await scene.sessionFor(connection), again));
  const second = await sealedOf(connection);
  expect(second).not.toBe(first);
  await expectGone(new Map([["first data key", first.split(":")[2] ?? ""]]), first);
  await done(scene.app.delete(`/integrations/${scene.integration}`));

  await expectGone(new Map([["second data key", second.split(":")[2] ?? ""]]), second);
});
