import Nango from "@nangohq/frontend";
import { afterAll, beforeAll, expect, test } from "vitest";
import { done } from "../support/connect.ts";
import type { Reply, Sent } from "../support/http.ts";
import { askedAt, injected } from "../support/proxied.ts";
import { apiKey, backEnd, basic, startSdkHouse, type SdkHouse, type SdkScene } from "../support/sdk-scene.ts";
import { fieldsOf } from "../support/shapes.ts";

/**
 * What breaks the original's SDKs when it is otherwise, point by point. The sixth, the messages between a page and the
 * form in its frame, is the form's.
 */

let all: SdkHouse;
beforeAll(async () => {
  all = await startSdkHouse();
});
afterAll(() => all.stop());

const send = (method: string, path: string, sent?: Sent): Promise<Reply> =>
  all.house.send(method, path, sent);

const expectEnvelope = (reply: Reply): void => {
  expect(reply.headers["content-type"], reply.text).toContain("application/json");
  expect(fieldsOf(fieldsOf(reply.json())["error"])).toMatchObject({
    code: expect.stringMatching(/^[a-z_]+$/),
    message: expect.stringMatching(/\w+ \w+/),
  });
};

const frontEnd = async ({ session }: SdkScene): Promise<Nango> =>
  new Nango({ host: all.house.config.origin.origin, connectSessionToken: await session() });

test("must match 1: keys and tokens as Bearer, and every refusal has a code and a message", async () => {
  const { app, key } = await all.scene();

  for (const authorization of [`Bearer ${key}`, key]) {
    expect((await send("GET", "/integrations", { headers: { authorization } })).status).toBe(200);
  }
  for (const authorization of [[], "", "Bearer", "Bearer nope", "Basic YTpi"]) {
    const reply = await send("GET", "/connections", { headers: { authorization } });
    expect(reply.status).toBe(401);
    expectEnvelope(reply);
  }
  for (const refusal of [
    app.get("/connections/nope?provider_config_key=toggl"),
    app.get("/connections/nope"),
    app.delete("/connections/nope?provider_config_key=toggl"),
    app.get("/integrations/nope"),
    app.get("/providers/nope"),
    app.post("/connect/sessions", {}),
    app.post("/connections/metadata", { connection_id: "x", provider_config_key: "x", metadata: {} }),
    app.get("/proxy/x"),
    send("POST", "/api-auth/basic/toggl", { json: basic }),
  ]) {
    const reply = await refusal;
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expectEnvelope(reply);
  }
});

test("must match 2: token and parameters in the query, both halves in the body, and one may be empty", async () => {
  const scene = await all.scene();
  const nango = await frontEnd(scene);

  const { connectionId } = await nango.auth("toggl", {
    credentials: { username: basic.username, password: "" },
  });
  const read = await done(scene.app.get(`/connections/${connectionId}?provider_config_key=toggl`));
  expect(read["credentials"]).toEqual({ type: "BASIC", ...basic });

  const path = `/api-auth/api-key/gitlab-token?connect_session_token=${await scene.session()}`;
  const query = "&params[hostname]=gitlab.example.com";
  const linked = await done(send("POST", path + query, { json: { apiKey } }));
  const config = await done(
    scene.app.get(`/connections/${String(linked["connectionId"])}?provider_config_key=gitlab-token`),
  );
  expect(config["connection_config"]).toEqual({ hostname: "gitlab.example.com" });
});

test("must match 3: booleans come as words, and what is empty was not asked for", async () => {
  const { app, link } = await all.scene();
  const id = await link();
  const flags = "&force_refresh=false&refresh_token=true&refresh_github_app_jwt_token=false";

  expect((await app.get(`/connections/${id}?provider_config_key=toggl${flags}`)).status).toBe(200);
  const headers = {
    "provider-config-key": "toggl",
    "connection-id": id,
    "base-url-override": "",
    "nango-activity-log-id": "",
    retries: "",
    "retry-on": "",
    decompress: "",
    "forward-headers-on-redirect": "",
  };
  expect((await app.send("GET", "/proxy/api/v9/me", { headers })).status).toBe(200);
  expect((await app.get(`/connections?connectionId=&search=&endUserId=`)).status).toBe(200);
});

test("must match 4: integrations are listed as `data`, which the SDK renames", async () => {
  const scene = await all.scene();
  const { data } = await done(scene.app.get("/integrations"));

  expect(data).toHaveLength(3);
  expect((await backEnd(all, scene).listIntegrations()).configs).toEqual(data);
});

test("must match 5: the deprecated end_user and organization beside the tags", async () => {
  const { app, link } = await all.scene();
  const id = await link({
    end_user: { id: "u-1", email: "a@example.com", display_name: "Ada", tags: { plan: "free" } },
    organization: { id: "o-1", display_name: "Org" },
    tags: { project: "alpha", end_user_display_name: "Ada King" },
  });

  expect(await done(app.get(`/connections/${id}?provider_config_key=toggl`))).toMatchObject({
    end_user: { id: "u-1", organization: { id: "o-1" } },
    tags: {
      project: "alpha",
      plan: "free",
      end_user_id: "u-1",
      end_user_email: "a@example.com",
      // What stands in the tags wins.
      end_user_display_name: "Ada King",
      organization_id: "o-1",
    },
  });
});

test("must match 7: the proxy passes method, headers, query, bytes and status on, and tries again when asked", async () => {
  const { app, link } = await all.scene();
  let times = 0;
  all.upstream.answers("/must-7", () => {
    times += 1;
    return times === 1
      ? { status: 503, headers: { "retry-after": "0" } }
      : { status: 299, headers: { "x-own": "back" }, body: Buffer.from([0, 255, 128]) };
  });
  const body = Buffer.from([1, 0, 254, 127]);
  const reply = await app.send("PATCH", "/proxy/must-7?a=1&a=2&b=%2F", {
    body,
    headers: {
      "provider-config-key": "toggl",
      "connection-id": await link(),
      "content-type": "application/octet-stream",
      "nango-proxy-x-own": "there",
      retries: "1",
    },
  });

  expect([reply.status, reply.headers["x-own"], reply.headers["content-length"]]).toEqual([299, "back", "3"]);
  const asked = askedAt(all.upstream, "/must-7");
  expect(asked).toHaveLength(2);
  for (const one of asked) {
    expect(one).toMatchObject({ method: "PATCH", path: "/must-7?a=1&a=2&b=%2F" });
    expect(one.headers).toMatchObject({
      authorization: injected,
      "x-own": "there",
      "content-type": "application/octet-stream",
    });
    expect(one.body.equals(body)).toBe(true);
  }
});

test("must match 8: auth gives the connection's id, and waitForConnection finds it by the tag alone", async () => {
  const scene = await all.scene();
  const nango = new Nango({
    host: all.house.config.origin.origin,
    connectSessionToken: await scene.session({ tags: { end_user_id: "u-1" } }),
  });
  const linked = await nango.auth("toggl", { credentials: basic });

  expect(linked).toMatchObject({ connectionId: expect.any(String), providerConfigKey: "toggl" });
  expect(await backEnd(all, scene).waitForConnection("toggl", "u-1")).toMatchObject({
    connection_id: linked.connectionId,
  });
});

test("must match 9: everything is JSON, also what is not there or can't be understood", async () => {
  const { app, link } = await all.scene();
  all.upstream.answers("/cut", { instead: "reset" });
  const headers = { "provider-config-key": "toggl", "connection-id": await link() };

  for (const [status, answer] of [
    [404, app.get("/connect/nothing")],
    [404, app.send("GET", "/api-auth/nothing/toggl", { headers: { accept: "text/html" } })],
    [404, app.post("/auth/nothing", {})],
    [405, app.send("PUT", "/connections")],
    [405, app.send("DELETE", "/api-auth/basic/toggl")],
    [400, app.send("GET", "/connections/%E0%A4%A?provider_config_key=toggl")],
    [
      400,
      app.send("POST", "/connect/sessions", { headers: { "content-type": "application/json" }, body: "{" }),
    ],
    [415, app.send("POST", "/connect/sessions", { headers: { "content-type": "text/html" }, body: "<p>" })],
    [413, app.post("/connect/sessions", { tags: { a: "x".repeat(1024 * 1024) } })],
    [502, app.send("GET", "/proxy/cut", { headers })],
    [501, send("GET", "/oauth/connect/toggl", { headers: { accept: "text/html" } })],
  ] as const) {
    const reply = await answer;
    expect(reply.status, reply.text).toBe(status);
    expectEnvelope(reply);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  }
});

test("must match 10: a session's token, link and end, and the older paths beside the newer", async () => {
  const scene = await all.scene();
  const { data } = await backEnd(all, scene).createConnectSession({ tags: { end_user_id: "u-1" } });

  expect(data).toEqual({
    token: expect.stringMatching(/^nango_connect_session_/),
    connect_link: expect.stringContaining(data.token),
    expires_at: expect.any(String),
  });
  const id = await scene.link();
  const query = "?provider_config_key=toggl";
  for (const path of ["", `/${id}${query}`, "?connectionId=nope"]) {
    const newer = await done(scene.app.get(`/connections${path}`));
    expect(await done(scene.app.get(`/connection${path}`))).toEqual(newer);
  }
  expect(await done(scene.app.delete(`/connection/${id}${query}`))).toEqual({ success: true });
});
