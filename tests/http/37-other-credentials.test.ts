import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, connectClient, done, environmentKey, refusalOf } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { openLinkScene, type LinkScene } from "../support/link-scene.ts";
import { open, vaulted, writeProviders, type ProviderFiles } from "../support/provider-files.ts";
import { findSecrets } from "../support/secrets.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** What is not a token and not a password: keys, nothing at all, and what else a connection has to know. */

let provider: Upstream;
let files: ProviderFiles;
let house: TestHouse;
beforeAll(async () => {
  provider = await startUpstream();
  files = await writeProviders({ vaulted, open });
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

describe("other ways to sign in", () => {
  test("an API key goes into the header that the provider's file names", async () => {
    const gitlab = await openLinkScene(house, provider, { provider: "gitlab-token", path: "/user" });
    gitlab.answers({ body: JSON.stringify({ id: 9, name: "Ada" }) });
    const apiKey = "glpat-0123456789abcdefghij";
    const reply = await gitlab.submit(await gitlab.session(), {
      way: "api-auth/api-key",
      json: { apiKey: ` ${apiKey} ` },
    });
    const { connectionId } = await done(Promise.resolve(reply));

    expect(gitlab.asked()[0]?.headers["private-token"]).toBe(apiKey);
    expect(await gitlab.read(String(connectionId))).toMatchObject({
      credentials: { type: "API_KEY", apiKey },
      connection_config: { hostname: "gitlab.com" },
      account: { id: "9", name: "Ada", email: null, workspace: null },
    });
  });

  test("a key in the address goes there and into no log", async () => {
    const pipedrive = await openLinkScene(house, provider, {
      provider: "pipedrive-token",
      path: "/v1/users/me",
    });
    pipedrive.answers({
      body: JSON.stringify({ success: true, data: { id: 3, name: "Ada", email: "a@b.example" } }),
    });
    const apiKey = "0123456789abcdef0123456789abcdef01234567";
    const reply = await pipedrive.submit(await pipedrive.session(), {
      way: "api-auth/api-key",
      json: { apiKey },
    });

    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining('"id":"3"')]);
    expect(pipedrive.asked()[0]?.path).toContain(apiKey);
    expect(findSecrets(new Map([["the key", apiKey]]), house.logs.join(""))).toEqual([]);
  });

  test.each([
    ["no body", {}],
    ["an empty body that says it is JSON", { headers: { "content-type": "application/json" }, body: "" }],
  ])("nothing at all, with %s, where the provider asks for nothing", async (_name, sent) => {
    const none = await openLinkScene(house, provider, { provider: "open" });
    const reply = await none.submit(await none.session(), { way: "auth/unauthenticated", ...sent });
    const { connectionId } = await done(Promise.resolve(reply));

    expect(reply.json()).toMatchObject({ account: null, providerConfigKey: none.integration });
    expect(await none.read(String(connectionId))).toMatchObject({
      credentials: {},
      account: null,
      state: "live",
      last_verified_at: null,
    });
    const named = { connection_id: connectionId, provider_config_key: none.integration };
    expect(await done(none.app.post("/connections/verify", named))).toMatchObject({
      state: "live",
      last_verified_at: null,
    });
  });
});

const apiKey = "a key of forty-two letters and some blanks";
const passphrase = "an open sesame that nobody guesses";

describe("the configuration of a connection", () => {
  let vault: LinkScene;
  beforeEach(async () => {
    vault = await openLinkScene(house, provider, { provider: "vaulted", path: "/me" });
    vault.answers((asked) =>
      asked.headers["x-passphrase"] === passphrase ? { body: '{"id":"v-1"}' } : { status: 401 },
    );
  });

  const params = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([name, value]) => `&params[${name}]=${encodeURIComponent(value)}`)
      .join("");

  const submit = (session: string, values: Readonly<Record<string, string>>) =>
    vault.submit(session, { way: "api-auth/api-key", json: { apiKey }, query: params(values) });

  test("is asked for by name and rule, and what is secret of it is sealed", async () => {
    const session = await vault.session();
    expect(refusalOf(await submit(session, {}))).toEqual([
      400,
      "invalid_body",
      "Region is missing; Passphrase is missing",
      [["params", "region"], "required"],
      [["params", "passphrase"], "required"],
    ]);
    expect(refusalOf(await submit(session, { region: "EU", passphrase, colour: "red" }))).toEqual([
      400,
      "invalid_body",
      expect.stringContaining("two small letters"),
      [["params", "region"], "pattern"],
      [["params", "colour"], "unrecognized_keys"],
    ]);
    expect(vault.asked()).toEqual([]);
    const { connectionId } = await done(submit(session, { region: "eu", passphrase }));

    expect(vault.asked().map(({ headers }) => headers["x-region"])).toEqual(["eu"]);
    expect(await vault.read(String(connectionId))).toMatchObject({
      connection_config: { region: "eu", passphrase },
    });
    const { rows } = await sql<{ config: string }>`
      select config from connections where connection_id = ${connectionId}`.execute(house.inside.store.query);
    expect(rows).toEqual([{ config: '{"region":"eu"}' }]);
    expect(findSecrets(new Map([["it", passphrase]]), await dumpStore(house.config))).toEqual([]);
  });

  test("that the app has laid down is not the person's to change", async () => {
    const laid = { [vault.integration]: { connection_config: { region: "de", passphrase } } };
    const session = await vault.session({ tags: {}, integrations_config_defaults: laid });
    // What is secret of it is nothing that a form, or whoever has the link, would have to see.
    const shown = await connectClient(house, session).get("/connect/session");
    expect(shown.json()).toMatchObject({
      data: {
        integrations_config_defaults: {
          [vault.integration]: { connection_config: { region: "de", passphrase: "" } },
        },
      },
    });
    expect(findSecrets(new Map([["it", passphrase]]), await dumpStore(house.config))).toEqual([]);
    const { connectionId } = await done(submit(session, { region: "us", passphrase: "mine", note: "hi" }));

    expect(vault.asked().map(({ headers }) => headers["x-region"])).toEqual(["de"]);
    expect(await vault.read(String(connectionId))).toMatchObject({
      connection_config: { region: "de", passphrase, note: "hi" },
    });
  });

  test("without what is secret is what a key sees that may not read credentials", async () => {
    const { connectionId } = await done(submit(await vault.session(), { region: "eu", passphrase }));
    const key = await environmentKey(house, vault.environment, ["environment:connections:read"]);
    const path = `/connections/${String(connectionId)}?provider_config_key=${vault.integration}`;
    const reply = await connectClient(house, key).get(path);

    expect(reply.json()).toMatchObject({ connection_config: { region: "eu" }, credentials: {} });
    expect(reply.text).not.toContain(passphrase);
  });

  test("stays when it is linked anew, with its secrets, where the person says nothing of it; what they say is theirs", async () => {
    const all = { region: "eu", passphrase, note: "hi" };
    const { connectionId } = await done(submit(await vault.session(), all));
    const id = String(connectionId);
    const first = await vault.sessionFor(id);
    expect(codeOf(await submit(first, { passphrase: "wrong" }))).toEqual([400, "connection_test_failed"]);
    await done(submit(first, {}));
    expect(await vault.read(id)).toMatchObject({ connection_config: all });

    await done(submit(await vault.sessionFor(id), { region: "us" }));
    expect(await vault.read(id)).toMatchObject({ connection_config: { ...all, region: "us" } });
    expect(vault.asked().map(({ headers }) => headers["x-region"])).toEqual(["eu", "eu", "eu", "us"]);
  });
});
