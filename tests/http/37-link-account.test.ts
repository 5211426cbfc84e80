import { describe, expect, onTestFinished, test } from "vitest";
import { connectClient, done, environmentKey, refusalOf } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import type { TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import {
  byPassword,
  byToken,
  linkingSuite,
  openLinkScene,
  shownAccount,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { findSecrets } from "../support/secrets.ts";
import { fieldsOf } from "../support/shapes.ts";
import type { Upstream } from "../support/upstream.ts";

/** Somebody links an account: what they type is understood, checked, and kept sealed. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ provider, house, scene, holder } = linking);
});

const anyUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("an API token", () => {
  test("is checked, and linked: the person sees whose account it is", async () => {
    const reply = await scene.submit(await scene.session({ end_user: { id: "user-1" } }), byToken(holder));

    expect([reply.status, reply.json()]).toEqual([
      200,
      {
        connectionId: expect.stringMatching(anyUuid),
        providerConfigKey: scene.integration,
        account: shownAccount(holder),
      },
    ]);
    const { connectionId } = fieldsOf(reply.json());
    expect(await scene.connections()).toHaveLength(1);
    expect(await scene.read(String(connectionId))).toMatchObject({
      connection_id: connectionId,
      provider: "toggl",
      provider_config_key: scene.integration,
      credentials: { type: "BASIC", username: holder.token, password: "api_token" },
      connection_config: {},
      metadata: {},
      end_user: { id: "user-1" },
      tags: { end_user_id: "user-1" },
      account: shownAccount(holder),
      state: "live",
      state_reason: null,
      last_verified_at: new Date(house.clock.now()).toISOString().replace("Z", "+00:00"),
      errors: [],
    });
    expect(await scene.told()).toMatchObject([
      {
        event: "connection.created",
        operation: "creation",
        success: true,
        connectionId,
        account: shownAccount(holder),
        state: "live",
      },
    ]);
    expect(await scene.audit()).toEqual([["connection_linked", { connection: connectionId }]]);
  });

  test("is sent once, as the provider documents it, and nothing of the person's request goes along", async () => {
    const session = await scene.session();
    await scene.submit(session, {
      ...byToken(holder),
      headers: { cookie: "a=b", "x-forwarded-for": "203.0.113.9", origin: "https://app.example.com" },
    });
    const [asked, ...others] = scene.asked();

    expect(others).toEqual([]);
    expect(asked).toMatchObject({ method: "GET", received: 0 });
    expect(asked?.headers).toEqual({
      host: new URL(provider.origin).host,
      connection: "keep-alive",
      accept: "application/json",
      "accept-encoding": "gzip, deflate, br",
      "user-agent": "Latchkey",
      authorization: basicHeader(holder.token, "api_token"),
    });
  });

  test.each<readonly [string, (token: string) => object]>([
    ["blanks around it", (token) => ({ username: ` \t${token}\n`, password: "api_token" })],
    ["no word in the other field", (token) => ({ username: token, password: "" })],
    ["blanks around the word", (token) => ({ username: token, password: " api_token " })],
    ["the word behind it", (token) => ({ username: `${token}:api_token`, password: "" })],
    [
      "the word behind it, and in its field",
      (token) => ({ username: `${token}:api_token`, password: "api_token" }),
    ],
    [
      "a line of a manual around it",
      (token) => ({
        username: `curl -u ${token}:api_token https://api.track.toggl.com/api/v9/me`,
        password: "",
      }),
    ],
    [
      "a header around it",
      (token) => ({ username: `Authorization: ${basicHeader(token, "api_token")}`, password: "" }),
    ],
    ["half a header around it", (token) => ({ username: basicHeader(token, "api_token"), password: "" })],
  ])("is understood with %s", async (_name, typed) => {
    const reply = await scene.submit(await scene.session(), { json: typed(holder.token) });

    expect(reply.json()).toMatchObject({ account: shownAccount(holder) });
    expect(scene.asked().map(({ headers }) => headers.authorization)).toEqual([
      basicHeader(holder.token, "api_token"),
    ]);
    const { connectionId } = fieldsOf(reply.json());
    expect(await scene.read(String(connectionId))).toMatchObject({
      credentials: { username: holder.token, password: "api_token" },
    });
  });

  test.each([
    ["too short", "abc"],
    ["of another alphabet", "z".repeat(32)],
    ["in capitals", "A".repeat(32)],
    ["with a colon in it", `${"a".repeat(32)}:x`],
  ])("that is %s is refused by the form's rule, and the provider is not asked", async (_name, username) => {
    const reply = await scene.submit(await scene.session(), { json: { username, password: "api_token" } });

    expect(refusalOf(reply).slice(0, 2)).toEqual([400, "invalid_body"]);
    expect(refusalOf(reply)[3]).toEqual([["username"], expect.any(String)]);
    expect(scene.asked()).toEqual([]);
    expect(await scene.audit()).toEqual([]);
  });
});

const secretsOf = ({ password, email }: Holder): ReadonlyMap<string, string> =>
  new Map([
    ["the password", password],
    ["the header", basicHeader(email, password).replace("Basic ", "")],
  ]);

describe("an e-mail address and a password", () => {
  test("are used once, for the token: that is kept, and they are nowhere", async () => {
    const reply = await scene.submit(await scene.session(), byPassword(holder));
    const { connectionId } = await done(Promise.resolve(reply));

    expect(reply.json()).toMatchObject({ account: shownAccount(holder) });
    expect(await scene.read(String(connectionId))).toMatchObject({
      credentials: { type: "BASIC", username: holder.token, password: "api_token" },
      account: shownAccount(holder),
    });
    expect(scene.asked()).toHaveLength(1);
    await scene.told();
    expect(findSecrets(secretsOf(holder), await dumpStore(house.config))).toEqual([]);
    expect(findSecrets(secretsOf(holder), house.logs.join(""))).toEqual([]);
    expect(findSecrets(secretsOf(holder), reply.text)).toEqual([]);
  });

  test("keep their blanks where a password has some, and lose them where an address has", async () => {
    const odd = { ...holder, password: "  two blanks at each end  " };
    scene.answers(toggl(odd));
    const reply = await scene.submit(await scene.session(), {
      json: { username: ` ${odd.email} `, password: odd.password },
    });

    expect(reply.status).toBe(200);
  });

  test("are kept where the integration says so, sealed as well", async () => {
    const keeping = await openLinkScene(house, provider, { config: { keep_password: true } });
    keeping.answers(toggl(holder));
    const { connectionId } = await done(keeping.submit(await keeping.session(), byPassword(holder)));

    expect(await keeping.read(String(connectionId))).toMatchObject({
      credentials: { type: "BASIC", username: holder.email, password: holder.password },
    });
    expect(findSecrets(secretsOf(holder), await dumpStore(house.config))).toEqual([]);
    const named = { connection_id: connectionId, provider_config_key: keeping.integration };
    expect(await done(keeping.app.post("/connections/verify", named))).toMatchObject({ state: "live" });
  });
});

test.each([
  ["an address with signs in it", "r&d+o'neil@example.com", "a quiet river at noon"],
  ["the longest password", "emoji@example.com", "\u{1f600}".repeat(1024)],
  ["an address with what can't be seen around it", "\u200bunseen@example.com\ufeff", "a quiet river at noon"],
  ["an address of a domain with dots in a row", "a..b.@docomo.ne.jp", "a quiet river at noon"],
  ["an international domain", "ada@ex\u00e4mple.com", "a quiet river at noon"],
])("what sign-up takes, links here: %s", async (_, email, password) => {
  const app = connectClient(house, await environmentKey(house));
  await app.post("/integrations", { provider: "latchkey", unique_key: "ours" });
  onTestFinished(async () => void (await app.delete("/integrations/ours")));
  const { data } = await done(app.post("/connect/sessions", { tags: { end_user_email: "r&d@example.com" } }));
  const signedUp = await house.send("POST", "/api/signup", {
    json: { email, password, tos_accepted_for: "track" },
  });
  expect(signedUp.status).toBe(200);

  const linked = await house.send(
    "POST",
    `/api-auth/basic/ours?connect_session_token=${String(fieldsOf(data)["token"])}`,
    { json: { username: email, password } },
  );

  expect([linked.status, linked.json()]).toEqual([
    200,
    expect.objectContaining({ account: expect.anything() }),
  ]);
});

test.each(["api_token", " API_TOKEN".toLowerCase()])(
  "%j for a name and the token for a password link",
  async (name) => {
    const reply = await scene.submit(await scene.session(), {
      json: { username: name, password: holder.token },
    });
    expect([reply.status, reply.json()]).toEqual([
      200,
      expect.objectContaining({ account: shownAccount(holder) }),
    ]);
  },
);

test("a key or a token that was pasted with what can't be seen works, and one inside is named", async () => {
  const key = await environmentKey(house);
  const { token } = holder;
  const spaced = Buffer.from(`Bearer \u200b${key}\u2060`).toString("latin1");
  expect((await house.send("GET", "/environment", { headers: { authorization: spaced } })).status).toBe(200);
  const person = await house.person();
  const own = `\ufeff${await house.tokenOf(person)}\u00a0`;
  expect((await house.send("GET", "/api/v9/me", { basic: [own, "api_token"] })).status).toBe(200);

  const broken = await scene.submit(await scene.session(), {
    json: { username: `${token.slice(0, 9)}\u200b${token.slice(9)}`, password: "api_token" },
  });
  expect([broken.status, broken.text]).toEqual([400, expect.stringContaining("(U+200B)")]);
});

test("an account of this server is linked by address and password, and used through the proxy", async () => {
  const app = connectClient(house, await environmentKey(house));
  await done(app.post("/integrations", { provider: "latchkey", unique_key: "here" }));
  const person = await house.person();
  const token = await house.tokenOf(person);
  const { data } = await done(app.post("/connect/sessions", { end_user: { id: "user-1" } }));
  const session = String(fieldsOf(data)["token"]);
  const submit = (password: string) =>
    house.send("POST", `/api-auth/basic/here?connect_session_token=${session}`, {
      json: { username: person.email, password },
    });

  expect(refusalOf(await submit("another river at dusk")).slice(0, 2)).toEqual([
    400,
    "connection_test_failed",
  ]);
  const linked = await done(submit(person.password));
  expect(linked).toMatchObject({ account: { email: person.email } });
  const path = `/connections/${String(linked["connectionId"])}?provider_config_key=here`;
  expect(await done(app.get(path))).toMatchObject({
    credentials: { type: "BASIC", username: token, password: "api_token" },
  });
  const proxied = await app.send("GET", "/proxy/api/v9/me", {
    headers: { "connection-id": String(linked["connectionId"]), "provider-config-key": "here" },
  });
  expect(proxied.json()).toMatchObject({ email: person.email });

  // A new password is nothing to the link; a new token ends it.
  const { session: cookie } = person;
  const named = { connection_id: linked["connectionId"], provider_config_key: "here" };
  await done(
    house.send("PUT", "/api/v9/me", {
      session: cookie,
      json: { current_password: person.password, password: "another river at dusk" },
    }),
  );
  expect(await done(app.post("/connections/verify", named))).toMatchObject({ state: "live" });
  expect((await house.send("POST", "/api/v9/me/reset_token", { session: cookie })).status).toBe(200);
  expect(await done(app.post("/connections/verify", named))).toMatchObject({
    state: "failing",
    state_reason: "credentials_refused",
  });
});
