// The set-up of the recordings: the integration `toggl`, and a small upstream in the place of Toggl.

import { connectClient, connectSession, done, environmentKey, type ConnectClient } from "../connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../house.ts";
import type { Reply, Sent } from "../http.ts";
import { fieldsOf } from "../shapes.ts";
import { startUpstream, type Asked, type Script, type Upstream } from "../upstream.ts";

export const demo = { username: "demo@example.com", password: "a right password" } as const;
export const wrong = { ...demo, password: "a wrong password" } as const;
/** What the upstream gives for the password. */
export const token = "1971800d4d82861d8f2c1651fea4d212";

/** The end user of the recordings, as a session is made for them. */
export const forUserOne = {
  end_user: { id: "user-1", email: "user@example.com", display_name: "User One", tags: { plan: "free" } },
  organization: { id: "org-1", display_name: "Org One" },
  allowed_integrations: ["toggl"],
  tags: { project: "alpha" },
};

export const identity = {
  id: 4242,
  api_token: token,
  email: demo.username,
  fullname: "Demo User",
  timezone: "Etc/UTC",
  default_workspace_id: 777,
  beginning_of_week: 1,
  at: "2026-01-01T00:00:00Z",
};

const whose: Script = {
  headers: {
    "content-type": "application/json; charset=utf-8",
    "x-request-id": "fake-1",
    "x-toggl-quota-remaining": "29",
  },
  body: JSON.stringify(identity),
};

/** By the user name that is sent. */
const moods: Readonly<Record<string, Script>> = {
  "rate@example.com": { status: 429 },
  "boom@example.com": { status: 500 },
  "html@example.com": { headers: { "content-type": "text/html" }, body: "<h1>Log in</h1>" },
  "redir@example.com": { status: 302, headers: { location: "/page" } },
  "drop@example.com": { instead: "reset" },
};

const fakeToggl = ({ headers }: Asked): Script => {
  const sent = Buffer.from((headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
  if ([`${demo.username}:${demo.password}`, `${token}:api_token`].includes(sent)) return whose;
  return moods[sent.split(":", 1)[0] ?? ""] ?? { status: 403 };
};

export type RecordedScene = {
  readonly house: TestHouse;
  readonly app: ConnectClient;
  /** The token of a session for the end user of the recordings. */
  session(terms?: Readonly<Record<string, unknown>>): Promise<string>;
  /** With the session's token in the query. */
  submit(session: string, json: unknown, integration?: string): Promise<Reply>;
  /** By such a session. @returns the connection's id */
  link(terms?: Readonly<Record<string, unknown>>): Promise<string>;
  reconnectSession(connection: string): Promise<Reply>;
  proxied(connection: string, path: string, sent?: Sent & { readonly method?: string }): Promise<Reply>;
};

export type RecordedHouse = { open(): Promise<RecordedScene>; stop(): Promise<void> };

let scenes = 0;

const openScene = async (house: TestHouse, upstream: Upstream): Promise<RecordedScene> => {
  const environment = `recorded-${++scenes}`;
  await house.inside.connect.use.createEnvironment({ name: environment, connectOrigins: [] });
  const app = connectClient(house, await environmentKey(house, environment));
  await done(
    app.post("/integrations", {
      unique_key: "toggl",
      provider: "toggl",
      integration_config: { base_url: upstream.origin },
    }),
  );
  const session: RecordedScene["session"] = (terms = forUserOne) => connectSession(app, terms);
  const submit: RecordedScene["submit"] = (by, json, integration = "toggl") =>
    house.send("POST", `/api-auth/basic/${integration}?connect_session_token=${by}`, { json });
  return {
    house,
    app,
    session,
    submit,
    link: async (terms) => String((await done(submit(await session(terms), demo)))["connectionId"]),
    reconnectSession: (connection) =>
      app.post("/connect/sessions/reconnect", {
        connection_id: connection,
        integration_id: "toggl",
        end_user: { id: "user-1" },
      }),
    proxied: (connection, path, { method = "GET", headers = {}, ...sent } = {}) =>
      app.send(method, `/proxy${path}`, {
        ...sent,
        headers: { "provider-config-key": "toggl", "connection-id": connection, ...headers },
      }),
  };
};

/** The token of a session that was made. */
export const tokenIn = (reply: Reply): string => String(fieldsOf(fieldsOf(reply.json())["data"])["token"]);

export const startRecordedHouse = async (): Promise<RecordedHouse> => {
  const upstream = await startUpstream();
  upstream.answers("/api/v9/me", fakeToggl);
  upstream.answers("/api/v9/echo", fakeToggl);
  upstream.answers("/api/v9/none", {
    status: 404,
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  upstream.answers("/page", { status: 403 });
  const house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  return {
    open: () => openScene(house, upstream),
    stop: async () => {
      await stopHouses();
      await upstream.stop();
    },
  };
};
