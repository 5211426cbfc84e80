// A linked account behind the proxy: a house, an app with a key, and the provider on this machine.

import { sql } from "kysely";
import type { Connect } from "#connect";
import { basicHeader, type Reply, type Sent } from "./http.ts";
import type { TestHouse } from "./house.ts";
import { fieldsOf } from "./shapes.ts";
import type { Asked, Upstream } from "./upstream.ts";

type Scopes = Parameters<Connect["use"]["createEnvironmentKey"]>[0]["scopes"];

export const token = "1971800d4d82861d8f2c1651fea4d212";
/** What the provider gets in place of the caller's key. */
export const injected = basicHeader(token, "api_token");

const identity = { id: 4242, api_token: token, email: "demo@example.com", fullname: "Demo", default_workspace_id: 7 };

/** A Toggl that knows one token, at the paths of these tests. */
export const answerAsToggl = (upstream: Upstream): void => {
  upstream.answers("/api/v9/me", (asked) =>
    asked.headers.authorization === injected
      ? {
          headers: { "content-type": "application/json; charset=utf-8", "x-toggl-quota-remaining": "29" },
          body: JSON.stringify(identity),
        }
      : { status: 403, body: "" },
  );
};

export const keyOf = async (house: TestHouse, environment = "dev", scopes?: Scopes): Promise<string> =>
  (await house.inside.connect.use.createEnvironmentKey({ environment, scopes })).key.reveal();

let integrations = 0;

/** @param config of the integration. @returns its key */
export const addIntegration = async (
  house: TestHouse,
  config: Readonly<Record<string, string>>,
  { provider = "toggl", environment = 1 } = {},
): Promise<string> => {
  const key = `${provider}-${++integrations}`;
  await sql`insert into integrations (environment_id, unique_key, provider, display_name, forward_webhooks, config, sealed_config, config_version, created_at, updated_at)
    values (${environment}, ${key}, ${provider}, null, 0, ${JSON.stringify(config)}, null, 1, ${house.clock.now()}, ${house.clock.now()})`.execute(
    house.inside.store.query,
  );
  return key;
};

/** Links an account as a person would. @returns the connection's id */
export const link = async (
  house: TestHouse,
  key: string,
  integration: string,
  credentials: object = { username: token, password: "api_token" },
): Promise<string> => {
  const headers = { authorization: `Bearer ${key}` };
  const session = await house.send("POST", "/connect/sessions", {
    headers,
    json: { end_user: { id: "user-1" }, allowed_integrations: [integration] },
  });
  const made = fieldsOf(fieldsOf(session.json())["data"])["token"];
  const kind = "apiKey" in credentials ? "api-key" : "basic";
  const reply = await house.send(
    "POST",
    `/api-auth/${kind}/${integration}?connect_session_token=${String(made)}`,
    { json: credentials },
  );
  if (reply.status !== 200) throw new Error(`Linking failed: ${reply.status} ${reply.text}`);
  return String(fieldsOf(reply.json())["connectionId"]);
};

export type Linked = {
  readonly integration: string;
  readonly connection: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Through the proxy, to a path of the provider. */
  call(method: string, path: string, sent?: Sent): Promise<Reply>;
};

export const linkedTo = async (
  house: TestHouse,
  upstream: Pick<Upstream, "origin">,
  { key, config }: { readonly key: string; readonly config?: Readonly<Record<string, string>> },
): Promise<Linked> => {
  const integration = await addIntegration(house, { base_url: upstream.origin, ...config });
  const connection = await link(house, key, integration);
  const headers = {
    authorization: `Bearer ${key}`,
    "provider-config-key": integration,
    "connection-id": connection,
  };
  return {
    integration,
    connection,
    headers,
    call: (method, path, sent = {}) =>
      house.send(method, `/proxy${path}`, { ...sent, headers: { ...headers, ...sent.headers } }),
  };
};

export const codeOf = (reply: Reply): unknown => fieldsOf(fieldsOf(reply.json())["error"])["code"];
export const sentenceOf = (reply: Reply): string => String(fieldsOf(fieldsOf(reply.json())["error"])["message"]);

/** What the provider was asked at a path, oldest first. */
export const askedAt = (upstream: Upstream, path: string): readonly Asked[] =>
  upstream.asked.filter((asked) => asked.path.split("?", 1)[0] === path);
