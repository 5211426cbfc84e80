// A linked account behind the proxy: a house, an app with a key, and the provider on this machine.

import type { Connect } from "#connect";
import { basicHeader, type Reply, type Sent } from "./http.ts";
import type { TestHouse } from "./house.ts";
import { fieldsOf } from "./shapes.ts";
import type { Asked, Upstream } from "./upstream.ts";

type Scopes = Parameters<Connect["use"]["createEnvironmentKey"]>[0]["scopes"];

export const token = "1971800d4d82861d8f2c1651fea4d212";
/** What the provider gets in place of the caller's key. */
export const injected = basicHeader(token, "api_token");

const identity = {
  id: 4242,
  api_token: token,
  email: "demo@example.com",
  fullname: "Demo",
  default_workspace_id: 7,
};

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

/** @returns the integration's key */
export const addIntegration = async (
  house: TestHouse,
  key: string,
  { provider = "toggl", config }: { readonly provider?: string; readonly config?: object },
): Promise<string> => {
  const integration = `${provider}-${++integrations}`;
  const reply = await house.send("POST", "/integrations", {
    headers: { authorization: `Bearer ${key}` },
    json: { unique_key: integration, provider, integration_config: config },
  });
  if (reply.status !== 200) throw new Error(`No integration: ${reply.status} ${reply.text}`);
  return integration;
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
  key: string,
): Promise<Linked> => {
  const integration = await addIntegration(house, key, { config: { base_url: upstream.origin } });
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
export const sentenceOf = (reply: Reply): string =>
  String(fieldsOf(fieldsOf(reply.json())["error"])["message"]);

/** What the provider was asked at a path, oldest first. */
export const askedAt = (upstream: Upstream, path: string): readonly Asked[] =>
  upstream.asked.filter((asked) => asked.path.split("?", 1)[0] === path);
