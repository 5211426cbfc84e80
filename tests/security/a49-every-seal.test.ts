import { readFile, copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openOperatorHouse } from "#app/operator.ts";
import { sealedColumns } from "#app/sealed-columns.ts";
import { nameOf } from "#kernel/crypto/sealed-columns.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { connectClient, done, environmentKey } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import { freePort } from "../support/free-port.ts";
import { roomy, startHouse, stopHouses } from "../support/house.ts";
import { newHolder, openLinkScene, toggl } from "../support/link-scene.ts";
import { vaulted, writeProviders, type ProviderFiles } from "../support/provider-files.ts";
import { leaningIn, rootKeys, settingsFor } from "../support/rotation.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const log = createLog({ level: "silent", clock: { now: () => 0 } });

let provider: Upstream;
let files: ProviderFiles;
let backup: string;
beforeAll(async () => {
  provider = await startUpstream();
  backup = await mkdtemp(join(tmpdir(), "latchkey-backup-"));
  const secretly =
    "integration_config:\n  client: { title: Client secret, secret: true, optional: true }\nheaders:";
  files = await writeProviders({ vaulted: vaulted.replace("headers:", secretly) });
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
  await files.clear();
  await rm(backup, { recursive: true });
});

test("A49 everything that the house can seal is wrapped anew, opens afterwards, and without the old key", async () => {
  causesAnyNumber();
  // Nobody takes mails there: they wait.
  const smtp = `smtp://127.0.0.1:${await freePort()}`;
  const settings = { ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin };
  const house = await startHouse({ ...settings, LATCHKEY_SMTP_URL: smtp }, { providers: files.folder });
  const { store } = house.inside;
  const scene = await openLinkScene(house, provider);
  const vault = await openLinkScene(house, provider, {
    provider: "vaulted",
    path: "/me",
    config: { client: "the secret of the integration" },
  });
  const holder = newHolder();
  scene.answers(toggl(holder));
  vault.answers({ body: '{"id":"v"}' });
  const person = await house.person("ada@example.com");
  const token = await house.tokenOf(person);
  const connection = await scene.link(holder);
  await done(scene.app.post("/environment/webhooks/secret/rotate", {}));
  const laid = { [vault.integration]: { connection_config: { region: "eu", passphrase: "open sesame" } } };
  const session = await vault.session({ tags: {}, integrations_config_defaults: laid });

  const leaning = await leaningIn(store);
  const [old = ""] = leaning.keys();
  const places = leaning.get(old);
  expect([...(places?.keys() ?? [])].toSorted()).toEqual(sealedColumns.map(nameOf).toSorted());
  const isFile = inject("store").kind === "sqlite";
  if (isFile) {
    await sql`vacuum into ${join(backup, "latchkey.db")}`.execute(store.query);
    await copyFile(join(house.config.dataFolder, "root.keys"), join(backup, "root.keys"));
    await mkdir(join(backup, "outbox"));
  }
  // A process that hears of nothing, as one does that stands still.
  const still = await openOperatorHouse(house.config, log);
  const account = await still.accounts.use.findAccount("ada@example.com");
  if (typeof account !== "object") expect.unreachable("there is no account");

  const command = settingsFor(house.config);
  const { code, out: id } = await rootKeys(command, "rotate");
  expect({ code, id }).toEqual({ code: 0, id: expect.stringMatching(/^root-\S+$/) });
  expect(await rootKeys(command, "remove", old)).toMatchObject({ code: 0, out: "" });

  expect(new Map(await leaningIn(store))).toEqual(new Map([[id, places]]));
  const replaced = still.accounts.use.replaceToken(account.id, { channel: "cli", peer: {} });
  await expect(replaced).rejects.toThrow("under a root key that was removed");
  await still.close();
  expect(await house.tokenOf(person)).toBe(token);
  expect(await scene.read(connection)).toMatchObject({ credentials: { username: holder.token } });

  const again = await house.restart({ LATCHKEY_SMTP_URL: "", LATCHKEY_MAIL: "outbox" });
  const keys = await readFile(join(again.config.dataFolder, "root.keys"), "utf8");
  expect(keys.match(/^[^#:\s]+(?=:)/gm)).toEqual([id]);
  expect((await dumpStore(again.config)).includes(`v1:${old}:`)).toBe(false);
  again.clock.advance(60_000);
  expect((await again.mailTo("ada@example.com"))?.subject).toBe("Confirm your e-mail address");
  expect(await again.tokenOf(person)).toBe(token);
  const app = connectClient(again, await environmentKey(again, scene.environment));
  const path = `/connections/${connection}?provider_config_key=${scene.integration}`;
  expect(await done(app.get(path))).toMatchObject({ credentials: { username: holder.token } });
  await again.inside.connect.webhooks.courier.deliverDue();
  const hook = new URL(`${provider.origin}/${scene.environment}`).pathname;
  expect(provider.asked.filter((asked) => asked.path === hook)).toHaveLength(1);
  const to = `/api-auth/api-key/${vault.integration}?connect_session_token=${session}`;
  expect((await again.send("POST", to, { json: { apiKey: "a key" } })).status).toBe(200);
  expect(vault.asked().at(-1)?.headers["x-passphrase"]).toBe("open sesame");

  if (isFile) {
    const restored = await startHouse({ ...settings, LATCHKEY_DATA: backup }, { providers: files.folder });
    const me = await restored.send("GET", "/api/v9/me", { basic: [token, "api_token"] });
    expect(me.json()).toMatchObject({ api_token: token });
    expect([...(await leaningIn(restored.inside.store)).keys()]).toEqual([old]);
  }
});

test("A49 with keys out of the environment, nothing happens before every server has the new one", async () => {
  const key = (id: string, byte: number): string => `${id}:${Buffer.alloc(32, byte).toString("base64")}`;
  const [one, both, two] = [key("one", 1), `${key("one", 1)},${key("two", 2)}`, key("two", 2)];
  let house = await startHouse({ LATCHKEY_ROOT_KEYS: one });
  const person = await house.person();
  const token = await house.tokenOf(person);
  const command = (given: string) => ({ ...settingsFor(house.config), LATCHKEY_ROOT_KEYS: given });
  const leanOn = async () => [...(await leaningIn(house.inside.store)).keys()];

  const none = await rootKeys(command(one), "rotate");
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.err).toMatch(
    /^LATCHKEY_ROOT_KEYS has no key that is new: .*restart every server with both keys/,
  );
  const early = await rootKeys(command(both), "rotate");
  expect(early).toMatchObject({ code: 1, out: "" });
  expect(early.err).toContain(`(process ${process.pid})`);
  expect(early.err).toMatch(/^Nothing was changed, because not every running server has root key two: /);
  expect(await leanOn()).toEqual(["one"]);
  expect(await house.tokenOf(person)).toBe(token);

  house = await house.restart({ LATCHKEY_ROOT_KEYS: both });
  expect(await leanOn()).toEqual(["one"]);
  expect(await rootKeys(command(both), "rotate")).toMatchObject({ code: 0, out: "two" });
  expect(await leanOn()).toEqual(["two"]);
  await house.tokenOf(await house.person());
  expect(await leanOn()).toEqual(["two"]);
  await expect(house.twin({ LATCHKEY_ROOT_KEYS: two })).rejects.toThrow("needs root key one");

  const removed = await rootKeys(command(both), "remove", "one");
  expect(removed).toMatchObject({ code: 0, out: "" });
  expect(removed.err).toContain("Take it out of LATCHKEY_ROOT_KEYS");
  await expect(house.twin({ LATCHKEY_ROOT_KEYS: one })).rejects.toThrow("needs root key two");
  house = await house.restart({ LATCHKEY_ROOT_KEYS: two });
  expect(await house.tokenOf(person)).toBe(token);
});
