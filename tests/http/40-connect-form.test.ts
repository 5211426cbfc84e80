import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectClient, done } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { byToken, newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** What the form is, and the one call by which it knows everything that it shows. */

let house: TestHouse;
let upstream: Upstream;
let scene: LinkScene;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
});
afterAll(async () => {
  await stopHouses();
  await upstream.stop();
});

type Fields = Readonly<Record<string, unknown>>;

const ask = (session: string): Promise<Reply> => connectClient(house, session).get("/connect/form");

const formOf = async (session: string): Promise<Fields> => fieldsOf((await done(ask(session)))["data"]);

const integrationsIn = async (session: string): Promise<readonly Fields[]> =>
  listOf((await formOf(session))["integrations"]);

const keysIn = async (session: string): Promise<readonly unknown[]> =>
  (await integrationsIn(session)).map(({ key }) => key);

describe("GET /connect/form", () => {
  test("tells of the app, the link and each integration, and keeps every secret to itself", async () => {
    const form = await formOf(await scene.session());

    expect(form).toEqual({
      app_name: null,
      theme: "system",
      light_colour: "#2f5bea",
      dark_colour: "#93b1ff",
      person: null,
      finished: false,
      expires_at: "2026-03-04T05:36:07.000Z",
      redirect_url: null,
      reconnects: null,
      integrations: [
        {
          key: "toggl-here",
          name: "Toggl Track",
          auth_mode: "BASIC",
          mark: { initials: "TT", colour: expect.stringMatching(/^#[0-9a-f]{6}$/) },
          docs: `${house.config.origin.origin}/docs/providers/toggl`,
          has_anchors: true,
          linked: false,
          shapes: expect.any(Array),
          config: {},
        },
      ],
    });
    const [integration] = listOf(form["integrations"]);
    expect(
      listOf(integration?.["shapes"]).map(({ name, recommended, swapped }) => [name, recommended, swapped]),
    ).toEqual([
      ["token", true, false],
      ["email_password", false, true],
    ]);
    expect(JSON.stringify(form)).not.toContain(upstream.origin);
  });

  test("is for whoever has the link, and for nobody else", async () => {
    const session = await scene.session();
    const { session: cookie } = await house.person();
    expect(codeOf(await house.send("GET", "/connect/form"))).toEqual([401, "missing_auth_header"]);
    expect(codeOf(await house.send("GET", "/connect/form", { session: cookie }))).toEqual([
      401,
      "missing_auth_header",
    ]);
    expect(codeOf(await house.send("GET", `/connect/form?connect_session_token=${session}`))[0]).toBe(401);
    expect(codeOf(await scene.app.get("/connect/form"))).toEqual([
      401,
      "invalid_connect_session_token_format",
    ]);
    expect(codeOf(await ask(`nango_connect_session_${"0".repeat(64)}`))).toEqual([
      401,
      "unknown_connect_session_token",
    ]);
    const reply = await ask(session);
    expect([reply.status, reply.cookies, reply.headers["cache-control"]]).toEqual([200, [], "no-store"]);
  });

  test("shows what the session allows, of its own environment", async () => {
    const own = await openLinkScene(house, upstream);
    await done(own.app.post("/integrations", { provider: "ashby", unique_key: "ashby" }));
    await done(own.app.post("/integrations", { provider: "posthog", unique_key: "elsewhere" }));

    expect(await keysIn(await own.session())).toEqual(["toggl-here", "ashby", "elsewhere"]);
    const some = { tags: {}, allowed_integrations: ["elsewhere", "ashby"] };
    expect(await keysIn(await own.session(some))).toEqual(["ashby", "elsewhere"]);
    expect(await keysIn(await scene.session())).toEqual(["toggl-here"]);

    const session = await own.session({ tags: {}, allowed_integrations: ["ashby"] });
    await done(own.app.delete("/integrations/ashby"));
    expect(await keysIn(session)).toEqual([]);
  });

  test("asks for nothing that the app has laid down, and shows none of it", async () => {
    const own = await openLinkScene(house, upstream, { provider: "freshdesk" });
    const asked = (await integrationsIn(await own.session()))[0];
    expect(Object.keys(fieldsOf(asked?.["config"]))).toEqual(["subdomain"]);

    const connection_config = { subdomain: "acme-of-the-app" };
    const laid = await own.session({
      tags: {},
      integrations_config_defaults: { "freshdesk-here": { connection_config } },
    });
    expect((await integrationsIn(laid))[0]).toMatchObject({ config: {} });
    expect((await ask(laid)).text).not.toContain("acme-of-the-app");
  });

  test("leads to the app's own help where it has some, which has no sections of ours", async () => {
    const docs_connect = "https://app.example.com/help";
    const session = await scene.session({ tags: {}, overrides: { "toggl-here": { docs_connect } } });

    expect((await integrationsIn(session))[0]).toMatchObject({ docs: docs_connect, has_anchors: false });
  });

  test.for(["javascript:alert(1)", "data:text/html,<h1>Help</h1>", "/help"])(
    "leads nowhere but to the web: %s",
    async (docs_connect) => {
      const overrides = { "toggl-here": { docs_connect } };
      const reply = await scene.app.post("/connect/sessions", { tags: {}, overrides });

      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("docs_connect")]);
    },
  );

  test("promises to use a password once only where that is kept", async () => {
    const own = await openLinkScene(house, upstream, { config: { keep_password: true } });
    const [integration] = await integrationsIn(await own.session());
    const [, password] = listOf(integration?.["shapes"]);

    expect(password).toMatchObject({ name: "email_password", swapped: false });
    expect(password).not.toHaveProperty("description");
  });

  test("marks what this person has linked, by the end user's id or its tag", async () => {
    const own = await openLinkScene(house, upstream);
    const holder = newHolder();
    own.answers(toggl(holder));
    await own.link(holder, { end_user: { id: "user-1" } });

    const marked = async (terms: Fields): Promise<unknown> =>
      (await integrationsIn(await own.session(terms)))[0]?.["linked"];
    expect(await marked({ end_user: { id: "user-1" } })).toBe(true);
    expect(await marked({ tags: { end_user_id: "user-1" } })).toBe(true);
    expect(await marked({ end_user: { id: "user-2" } })).toBe(false);
    expect(await marked({ tags: {} })).toBe(false);
  });

  test("says for whom, as the app calls them: a link that was meant for somebody else shows it", async () => {
    const personOf = async (terms: Fields): Promise<unknown> =>
      (await formOf(await scene.session(terms)))["person"];

    expect(await personOf({ end_user: { id: "user-1", display_name: "Ada King" } })).toBe("Ada King");
    expect(await personOf({ tags: { end_user_display_name: "Ada King" } })).toBe("Ada King");
    expect(await personOf({ end_user: { id: "user-1", email: "ada@example.com" } })).toBeNull();
  });

  test("names who was linked before by name only", async () => {
    const holder = newHolder();
    scene.answers(toggl(holder));
    const connection = await scene.link(holder);
    const session = await scene.sessionFor(connection);
    const form = await formOf(session);

    expect(form["reconnects"]).toEqual({ account: { name: holder.name, workspace: "7" } });
    for (const secret of [holder.email, holder.token, connection]) {
      expect(JSON.stringify(form)).not.toContain(secret);
    }
  });

  test("says of a finished session that it is, and nothing else", async () => {
    const holder = newHolder();
    scene.answers(toggl(holder));
    const session = await scene.session();
    await done(scene.submit(session, byToken(holder)));

    const form = await formOf(session);
    expect(form).toMatchObject({ finished: true, reconnects: null, integrations: [] });
    expect(JSON.stringify(form)).not.toContain(holder.name);
  });

  test("ends with the session", async () => {
    const passing = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
    const own = await openLinkScene(passing, upstream);
    const session = await own.session();
    const form = connectClient(passing, session);

    passing.clock.advance(30 * 60_000 - 1);
    expect((await form.get("/connect/form")).status).toBe(200);
    passing.clock.advance(2);
    expect(codeOf(await form.get("/connect/form"))).toEqual([401, "unknown_connect_session_token"]);
  });
});

describe("GET /connect/", () => {
  test("is a page without anybody's data, which others may frame", async () => {
    const reply = await house.send("GET", "/connect/");

    expect([reply.status, reply.headers["content-type"], reply.cookies]).toEqual([
      200,
      "text/html; charset=utf-8",
      [],
    ]);
    expect(reply.headers).not.toHaveProperty("x-frame-options");
    expect(reply.headers["referrer-policy"]).toBe("no-referrer");
    const policy = String(reply.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
  });

  test("is the only one that may be: no other page, and no call", async () => {
    for (const path of ["/login", "/", "/account", "/connect/nothing", "/connect/form", "/connect//"]) {
      const { headers } = await house.send("GET", path);
      expect([path, headers["x-frame-options"]]).toEqual([path, "DENY"]);
    }
  });

  test("leaves a token in its address out of the log", async () => {
    const session = await scene.session();
    const reply = await house.send("GET", `/connect/?session_token=${session}&theme=dark`);

    expect([reply.status, reply.text.includes(session)]).toEqual([200, false]);
    expect(house.logs.join("")).not.toContain(session);
  });

  test("answers to the host of this server only", async () => {
    const reply = await house.send("GET", "/connect/", { headers: { host: "evil.example" } });
    expect(reply.status).toBe(421);
  });
});
