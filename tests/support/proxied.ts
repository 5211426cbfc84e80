// A linked account behind the proxy: a house, an app with a key, and the provider on this machine.

import { afterAll, beforeAll, beforeEach } from "vitest";
import { connectClient, done, environmentKey, linkAccount } from "./connect.ts";
import { basicHeader, type Reply, type Sent } from "./http.ts";
import { startHouse, stopHouses, type TestHouse } from "./house.ts";
import { fieldsOf } from "./shapes.ts";
import { startUpstream, type Asked, type Upstream } from "./upstream.ts";

const token = "1971800d4d82861d8f2c1651fea4d212";
/** What the provider gets in place of the caller's key. */
export const injected = basicHeader(token, "api_token");

const identity = {
  id: 4242,
  api_token: token,
  email: "demo@example.com",
  fullname: "Demo",
  default_workspace_id: 7,
};

/** A Toggl that knows one token. */
export const answerAsToggl = (upstream: Upstream): void => {
  upstream.answers("/api/v9/me", (asked) =>
    asked.headers.authorization === injected
      ? {
          headers: { "content-type": "application/json; charset=utf-8", "x-toggl-quota-remaining": "29" },
          body: JSON.stringify(identity),
        }
      : { status: 403 },
  );
};

let integrations = 0;

/** @param config of the integration. @returns its key */
export const addIntegration = async (
  house: TestHouse,
  key: string,
  { provider = "toggl", config = {} }: { readonly provider?: string; readonly config?: object },
): Promise<string> => {
  const integration = `${provider}-${++integrations}`;
  const body = { unique_key: integration, provider, integration_config: config };
  await done(connectClient(house, key).post("/integrations", body));
  return integration;
};

export type Linked = {
  readonly integration: string;
  readonly connection: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Through the proxy, to a path of the provider. */
  call(method: string, path: string, sent?: Sent): Promise<Reply>;
};

/** @param username and password that the person typed */
export const linkTo = async (
  house: TestHouse,
  key: string,
  {
    integration,
    username = token,
    password = "api_token",
  }: { readonly integration: string; readonly username?: string; readonly password?: string },
): Promise<Linked> => {
  const connection = await linkAccount(house, connectClient(house, key), { integration, username, password });
  return through(house, key, { integration, connection });
};

/** The app brings these along; nobody asks the provider. */
export const bring = async (
  house: TestHouse,
  key: string,
  { integration, credentials }: { readonly integration: string; readonly credentials: object },
): Promise<Linked> => {
  const body = { provider_config_key: integration, credentials, verify: false };
  const { connection_id: connection } = await done(connectClient(house, key).post("/connections", body));
  return through(house, key, { integration, connection: String(connection) });
};

const through = (
  house: TestHouse,
  key: string,
  { integration, connection }: Pick<Linked, "integration" | "connection">,
): Linked => {
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

/** An account at this provider, linked by an integration of its own. */
export const linkedTo = async (
  house: TestHouse,
  upstream: Pick<Upstream, "origin">,
  key: string,
): Promise<Linked> =>
  linkTo(house, key, {
    integration: await addIntegration(house, key, { config: { base_url: upstream.origin } }),
  });

export const errorOf = (reply: Reply): Readonly<Record<string, unknown>> =>
  fieldsOf(fieldsOf(reply.json())["error"]);

/** What the provider was asked at a path, oldest first. */
export const askedAt = (upstream: Upstream, path: string): readonly Asked[] =>
  upstream.asked.filter((asked) => asked.path.split("?", 1)[0] === path);

export type Proxied = {
  readonly upstream: Upstream;
  readonly house: TestHouse;
  /** Of the environment `dev`. */
  readonly key: string;
  readonly linked: Linked;
};

/**
 * What a file of tests about the proxy begins with: one provider and one house for all of them, and for each test an
 * account that is linked by an integration of its own.
 * @param begin before each test
 */
export const proxySuite = (begin: (proxied: Proxied) => void): void => {
  let shared: Omit<Proxied, "linked">;

  beforeAll(async () => {
    const upstream = await startUpstream();
    const house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
    shared = { upstream, house, key: await environmentKey(house) };
  });
  afterAll(async () => {
    await stopHouses();
    await shared.upstream.stop();
  });

  beforeEach(async () => {
    const { upstream, house, key } = shared;
    answerAsToggl(upstream);
    begin({ ...shared, linked: await linkedTo(house, upstream, key) });
  });
};
