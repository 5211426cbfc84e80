import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectClient, environmentKey } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader, type Reply, type Sent } from "../support/http.ts";
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
import { findSecrets } from "../support/secrets.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Asked, type Script, type Upstream } from "../support/upstream.ts";

/** A29 over Connect: keys of apps, tokens of sessions, and what people type, wherever they come by. */

let provider: Upstream;
let files: ProviderFiles;
let house: TestHouse;
beforeAll(async () => {
  provider = await startUpstream();
  files = await writeProviders({
    vaulted: vaulted.replace(
      "headers:",
      "integration_config:\n  client: { title: Client secret, secret: true, optional: true }\nheaders:",
    ),
  });
  house = await startHouse(
    { ...roomy, LATCHKEY_LOG_LEVEL: "debug", LATCHKEY_OUTBOUND_ALLOW: provider.origin },
    { providers: files.folder },
  );
  await live();
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
  await files.clear();
});

const secrets = new Map<string, string | Buffer>();
/** Head and body of everything that was refused. */
const refusals: string[] = [];

const secret = (name: string, value: string): string => {
  secrets.set(`${name} (${secrets.size})`, value);
  return value;
};

const holderOf = (name: string): Holder => {
  const holder = newHolder();
  secret(`token of ${name}`, holder.token);
  secret(`password of ${name}`, holder.password);
  secret(`header of ${name}`, basicHeader(holder.token, "api_token").replace("Basic ", ""));
  secret(`password header of ${name}`, basicHeader(holder.email, holder.password).replace("Basic ", ""));
  return holder;
};

const note = (reply: Reply): Reply => {
  if (reply.status >= 400) refusals.push(JSON.stringify([reply.status, reply.headers, reply.text]));
  return reply;
};

/** A provider that says back whatever it was sent, in every part of its answer. */
const echo =
  (status: number) =>
  (asked: Asked): Script => {
    const said = JSON.stringify([asked.path, asked.rawHeaders]);
    return {
      status,
      headers: {
        "content-type": "text/html",
        "x-said": Buffer.from(said).toString("base64"),
        "retry-after": asked.headers.authorization ?? "0",
        ...(status === 302 ? { location: `http://127.0.0.2/?${encodeURIComponent(said)}` } : {}),
      },
      body: `<pre>${said}</pre>`,
    };
  };

let scene: LinkScene;

const live = async (): Promise<void> => {
  scene = await openLinkScene(house, provider);
  const { app, integration } = scene;
  const session = async (connection?: string): Promise<string> =>
    secret("session", connection === undefined ? await scene.session() : await scene.sessionFor(connection));
  const submit = async (token: string, sent: Parameters<LinkScene["submit"]>[1]): Promise<Reply> =>
    note(await scene.submit(token, sent));
  const call = async (method: string, path: string, sent: Sent = {}): Promise<Reply> =>
    note(await app.send(method, path, sent));
  const [linked, renewed, wrong] = [holderOf("who linked"), holderOf("who linked anew"), holderOf("nobody")];

  // Linking, by every way, well and badly.
  scene.answers(toggl(linked, renewed));
  const first = await session();
  for (const sent of [byToken(wrong), byPassword(wrong), byToken(linked), byToken(linked)])
    await submit(first, sent);
  const [made] = await scene.connections();
  const id = String(made?.["connection_id"]);
  await submit(await session(), byPassword(linked));
  for (const confirm of ["", "&confirm_account_change=true"]) {
    await submit(await session(id), { ...byToken(renewed), query: confirm });
  }
  const other = await session();
  await submit(other, { json: { username: wrong.token, password: wrong.password, more: wrong.password } });
  await submit(other, { json: { username: [wrong.token], password: { it: wrong.password } } });
  await submit(other, { json: { username: `${wrong.token}x`, password: "api_token" } });
  await submit(other, { json: { username: `a:${wrong.password}`, password: wrong.password } });
  await submit(other, {
    body: `{"username":"${wrong.token}",`,
    headers: { "content-type": "application/json" },
  });
  await submit(other, { body: `username=${wrong.token}`, headers: { "content-type": "text/plain" } });
  await submit(other, { ...byToken(wrong), query: `&connection_id=${wrong.token}&params[x]=${wrong.token}` });
  await submit(other, { ...byToken(wrong), integration: wrong.token });
  await submit(other, {
    json: {
      username: `curl -u ${wrong.token}:api_token https://api.track.toggl.com`,
      password: wrong.password,
    },
  });
  for (const answer of [echo(403), echo(402), echo(429), echo(500), echo(302), echo(200), echo(404)]) {
    scene.answers(answer);
    await submit(other, byToken(wrong));
    await submit(other, byPassword(wrong));
    await call("POST", "/connections/verify", {
      json: { connection_id: id, provider_config_key: integration },
    });
  }
  scene.answers({ instead: "reset" });
  await submit(other, byToken(wrong));
  scene.answers(toggl(linked, renewed));

  // What apps do with them.
  const credentials = (of: Holder) => ({ type: "BASIC", username: of.token, password: "api_token" });
  const named = { connection_id: id, provider_config_key: integration };
  const path = `/connections/${id}?provider_config_key=${integration}`;
  await call("GET", path);
  await call("POST", "/connections/verify", { json: named });
  for (const of of [renewed, wrong]) {
    await call("PATCH", path, { json: { credentials: credentials(of) } });
    await call("POST", "/connections", {
      json: { provider_config_key: integration, credentials: credentials(of) },
    });
  }
  await call("POST", "/connections", {
    json: { ...named, credentials: { ...credentials(wrong), x: wrong.password } },
  });
  await call("POST", "/connection", { json: { ...named, username: wrong.token } });
  for (const at of ["/proxy/api/v9/me", `/proxy/nowhere/${wrong.token}`]) {
    await call("GET", at, { headers: { "connection-id": id, "provider-config-key": integration } });
  }
  await call("GET", `/connections/${wrong.token}?provider_config_key=${wrong.token}`);
  await call("GET", `/connections?search=${wrong.token}&colour=${wrong.token}`);

  // Secret settings.
  const client = secret("client secret", `client-${crypto.randomUUID()}`);
  const passphrase = secret("passphrase", `sesame-${crypto.randomUUID()}`);
  const apiKey = secret("API key", `key-${crypto.randomUUID()}`);
  const vault = await openLinkScene(house, provider, {
    provider: "vaulted",
    config: { client },
    path: "/me",
  });
  vault.answers({ body: '{"id":"v"}' });
  const query = `&params[region]=eu&params[passphrase]=${passphrase}`;
  const way = "api-auth/api-key";
  note(
    await vault.submit(secret("session", await vault.session()), {
      way,
      json: { apiKey },
      query: `${query}x&params[${apiKey}]=${passphrase}`,
    }),
  );
  const connected = note(
    await vault.submit(secret("session", await vault.session()), { way, json: { apiKey }, query }),
  );
  expect(connected.status).toBe(200);
  note(await vault.app.get(`/integrations/${vault.integration}?include=credentials`));
  note(
    await vault.app.patch(`/integrations/${vault.integration}`, { integration_config: { client: [client] } }),
  );

  // Keys of apps, and what is no key.
  const key = secret("environment key", await environmentKey(house, scene.environment));
  const narrow = secret(
    "narrow key",
    await environmentKey(house, scene.environment, ["environment:connections:list"]),
  );
  for (const token of [key, narrow, `${key}0`, first, other]) {
    for (const where of [
      "/connections",
      "/connect/session",
      path,
      `/connections/${key}`,
      `/integrations/${key}`,
    ]) {
      note(await connectClient(house, token).get(where));
    }
  }
  note(await house.send("GET", "/connections", { headers: { authorization: `Basic ${key}` } }));
  note(await house.send("GET", `/connections?key=${key}`, { headers: { authorization: `${key} ${key}` } }));
  note(await connectClient(house, other).delete("/connect/session"));
  await call("DELETE", path);
  expect((await scene.told()).length).toBeGreaterThan(5);
  await vault.told();
  await house.inside.connect.flush();
};

test("A29 no line of the log has a secret of Connect, at the level that tells most", () => {
  expect(house.logs.filter((line) => line.includes('"level":"debug"')).length).toBeGreaterThan(30);
  expect(house.logs.join("")).toContain("/api-auth/basic/:integration_key");
  expect(findSecrets(secrets, house.logs.join(""))).toEqual([]);
});

test("A29 no refusal gives one back, in its head or its body", () => {
  expect(refusals.length).toBeGreaterThan(50);
  // What was asked for by a name that nobody knows is refused by that name, to whoever sent it.
  const said = refusals.filter((text) => !/does not exist|is not asked for here|Unrecognized key/.test(text));
  expect(said.length).toBeGreaterThan(refusals.length - 10);
  expect(findSecrets(secrets, said.join("\n"))).toEqual([]);
});

test("A29 no audit event and no table has one, in clear or in another spelling", async () => {
  const { rows } = await sql`select * from audit_events`.execute(house.inside.store.query);
  expect(rows.length).toBeGreaterThan(20);
  expect(findSecrets(secrets, JSON.stringify(rows))).toEqual([]);
  expect(findSecrets(secrets, await dumpStore(house.config))).toEqual([]);
});

test("A29 no webhook tells one", () => {
  const told = provider.asked.filter(({ method, headers }) => method === "POST" && headers["webhook-id"]);
  expect(told.length).toBeGreaterThan(5);
  const texts = told.map(({ path, rawHeaders, body }) =>
    [path, ...rawHeaders, body.toString("utf8")].join("\n"),
  );
  expect(texts.join("\n")).toContain("connection.attempt_failed");
  expect(findSecrets(secrets, texts.join("\n"))).toEqual([]);
});

test("A29 a store that breaks under a call tells nothing of what the call had in its hands", async () => {
  const mine = await startHouse({ LATCHKEY_LOG_LEVEL: "debug", LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  const here = await openLinkScene(mine, provider);
  const holder = newHolder();
  here.answers(toggl(holder));
  const id = await here.link(holder);
  const [session, again, key] = [await here.session(), await here.sessionFor(id), await environmentKey(mine)];
  const held = new Map([
    ["token", holder.token],
    ["password", holder.password],
    ["session", session],
    ["session anew", again],
    ["key", key],
  ]);
  const cascade = mine.inside.store.kind === "postgres" ? sql` cascade` : sql``;
  const answers: string[] = [];
  let failed = 0;
  const logged = mine.logs.length;
  for (const table of [
    "webhook_deliveries",
    "audit_events",
    "connection_tags",
    "tries",
    "connections",
    "integrations",
    "connect_sessions",
    "environment_keys",
  ]) {
    await sql`drop table ${sql.table(table)}${cascade}`.execute(mine.inside.store.query);
    await mine.inside.store.transaction(async (tx) => tx.changed("all"));
    const credentials = { type: "BASIC", username: holder.token, password: "api_token" };
    const path = `/connections/${id}?provider_config_key=${here.integration}`;
    for (const reply of [
      await here.submit(session, byToken(holder)),
      await here.submit(session, byPassword(holder)),
      await here.submit(again, byToken(holder)),
      await here.app.get(path),
      await here.app.patch(path, { credentials }),
      await here.app.post("/connections", { provider_config_key: here.integration, credentials }),
      await here.app.post("/connections/verify", {
        connection_id: id,
        provider_config_key: here.integration,
      }),
      await here.app.post("/connect/sessions", { tags: {} }),
      await here.app.send("GET", "/proxy/api/v9/me", {
        headers: { "connection-id": id, "provider-config-key": here.integration },
      }),
      await connectClient(mine, key).get("/connections"),
      await connectClient(mine, session).get("/connect/session"),
    ]) {
      if (reply.status < 400) continue;
      answers.push(JSON.stringify([reply.status, reply.headers, reply.text]));
      if (reply.status < 500) continue;
      failed += 1;
      expect(fieldsOf(fieldsOf(reply.json())["error"])["code"]).toMatch(/^(server_error|store_unavailable)$/);
      expect(reply.text).not.toMatch(/table|relation|select|insert|SQLITE|\bat \//i);
    }
  }

  expect(failed).toBeGreaterThan(20);
  expect(
    mine.logs.slice(logged).filter((line) => line.includes("request_failed")).length,
  ).toBeGreaterThanOrEqual(failed);
  expect(findSecrets(held, mine.logs.join(""))).toEqual([]);
  expect(findSecrets(held, answers.join("\n"))).toEqual([]);
});
