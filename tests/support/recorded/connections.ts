// The recordings, §5, §7 and the imports of §9: connections, and linking anew.

import { expect } from "vitest";
import { done } from "../connect.ts";
import { zulu } from "./first-calls.ts";
import type { Exchange } from "./exchange.ts";
import { demo, token, tokenIn, wrong, type RecordedScene } from "./scene.ts";

const withOffset = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);

const facts = {
  id: expect.any(Number),
  connection_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  provider_config_key: "toggl",
  provider: "toggl",
  errors: [],
  end_user: {
    id: "user-1",
    display_name: "User One",
    email: "user@example.com",
    tags: { plan: "free" },
    organization: { id: "org-1", display_name: "Org One" },
  },
  tags: {
    plan: "free",
    project: "alpha",
    end_user_id: "user-1",
    end_user_email: "user@example.com",
    organization_id: "org-1",
    end_user_display_name: "User One",
    organization_display_name: "Org One",
  },
  metadata: {},
};

const listed = { ...facts, created: withOffset };

const whole = {
  ...facts,
  connection_config: {},
  webhook_url_override: null,
  created_at: withOffset,
  updated_at: withOffset,
  last_fetched_at: withOffset,
  credentials: { type: "BASIC", ...demo },
};

/** What was typed was swapped for the token. */
const swapped = (body: object) =>
  ({
    why: "swapped",
    body: { ...body, credentials: { type: "BASIC", username: token, password: "api_token" } },
  }) as const;

const read =
  (of: (id: string) => string): Exchange["ask"] =>
  async ({ app, link }) =>
    app.get(of(await link()));

const bring = ({ app }: RecordedScene, id: string, credentials: object) =>
  app.post("/connections", {
    connection_id: id,
    provider_config_key: "toggl",
    credentials: { type: "BASIC", ...credentials },
    end_user: { id: "user-9" },
  });

const imported = {
  ...whole,
  connection_id: "imported-1",
  end_user: { id: "user-9", display_name: null, email: null, tags: null, organization: null },
  tags: { end_user_id: "user-9" },
  created_at: zulu,
  updated_at: zulu,
  last_fetched_at: zulu,
};

const getOne = (title: string, of: (id: string) => string): Exchange => ({
  title,
  ask: read(of),
  recorded: { status: 200, body: whole },
  repaired: swapped(whole),
});

const metadata = (
  method: "post" | "patch",
  kept: object,
  status: number,
): Pick<Exchange, "ask" | "recorded"> => ({
  ask: async ({ app, link }) =>
    app[method]("/connections/metadata", {
      connection_id: await link(),
      provider_config_key: "toggl",
      metadata: kept,
    }),
  recorded: {
    status,
    body: { connection_id: facts.connection_id, provider_config_key: "toggl", metadata: kept },
  },
});

export const connections: readonly Exchange[] = [
  {
    title: "List",
    ask: async ({ app, link }) => {
      await link();
      await link();
      return app.get("/connections");
    },
    recorded: { status: 200, body: { connections: [listed, listed] } },
  },
  {
    title: "List, filtered",
    ask: read((id) => `/connections?connectionId=${id}`),
    recorded: { status: 200, body: { connections: [listed] } },
  },
  {
    title: "List by end user",
    ask: async ({ app, link }) => {
      await link();
      await link();
      return app.get("/connections?endUserId=user-1&limit=1");
    },
    recorded: { status: 200, body: { connections: [listed] } },
  },
  getOne("Get one with credentials", (id) => `/connections/${id}?provider_config_key=toggl`),
  getOne("Get one, older singular path", (id) => `/connection/${id}?provider_config_key=toggl`),
  getOne(
    "force_refresh on a Basic connection",
    (id) => `/connections/${id}?provider_config_key=toggl&force_refresh=true`,
  ),
  {
    title: "provider_config_key missing",
    ask: read((id) => `/connections/${id}`),
    recorded: {
      status: 400,
      error: { code: "invalid_query_params", issues: [["provider_config_key", "invalid_type"]] },
    },
  },
  {
    title: "Unknown connection",
    ask: ({ app }) => app.get("/connections/nope?provider_config_key=toggl"),
    recorded: { status: 404, error: { code: "not_found" } },
  },
  {
    title: "Unknown integration",
    ask: read((id) => `/connections/${id}?provider_config_key=nope`),
    recorded: { status: 400, error: { code: "unknown_provider_config" } },
  },
  { title: "Set metadata", ...metadata("post", { a: 1 }, 201) },
  { title: "Merge metadata", ...metadata("patch", { b: 2 }, 200) },
  {
    title: "Import a connection from the back end",
    ask: (at) => bring(at, "imported-1", demo),
    recorded: { status: 201, body: imported },
    repaired: swapped(imported),
  },
  {
    title: "Import with a wrong password",
    ask: (at) => bring(at, "bad-import", wrong),
    recorded: { status: 400, error: { code: "connection_test_failed" } },
  },
  {
    title: "... the refused import left no connection behind",
    ask: async (at) => {
      await bring(at, "bad-import", wrong);
      return at.proxied("bad-import", "/api/v9/me");
    },
    recorded: { status: 400, error: { code: "server_error" } },
    repaired: { why: "unknownConnection", error: { code: "unknown_connection" }, status: 400 },
  },
  {
    title: "Import while the upstream drops the connection",
    ask: (at) => bring(at, "drop-import", { username: "drop@example.com", password: "x" }),
    recorded: { status: 400, error: { code: "connection_test_failed" } },
    repaired: { why: "outcomes", status: 502, error: { code: "provider_unavailable" } },
  },
  {
    title: "Delete a connection",
    ask: async ({ app, link }) => app.delete(`/connections/${await link()}?provider_config_key=toggl`),
    recorded: { status: 200, body: { success: true } },
  },
  {
    title: "Delete it twice",
    ask: async ({ app, link }) => {
      const path = `/connections/${await link()}?provider_config_key=toggl`;
      await app.delete(path);
      return app.delete(path);
    },
    recorded: { status: 400, error: { code: "unknown_connection" } },
  },
];

const linkedAnew = async (at: RecordedScene): Promise<string> => {
  const connection = await at.link();
  const given = { connection_id: connection, provider_config_key: "toggl", metadata: { a: 1 } };
  await done(at.app.post("/connections/metadata", given));
  await done(at.submit(tokenIn(await at.reconnectSession(connection)), demo));
  return connection;
};

export const reconnects: readonly Exchange[] = [
  {
    title: "Reconnect session",
    ask: async ({ link, reconnectSession }) => reconnectSession(await link()),
    recorded: {
      status: 201,
      body: {
        data: { token: expect.any(String), connect_link: expect.any(String), expires_at: zulu },
      },
    },
  },
  {
    title: "Submit again with the reconnect token",
    ask: async ({ link, reconnectSession, submit }) =>
      submit(tokenIn(await reconnectSession(await link())), demo),
    recorded: { status: 200, body: { connectionId: facts.connection_id, providerConfigKey: "toggl" } },
  },
  {
    title: "What linking anew leaves of the connection",
    ask: async (at) => at.app.get(`/connections?connectionId=${await linkedAnew(at)}`),
    recorded: {
      status: 200,
      body: {
        connections: [
          {
            ...listed,
            end_user: { id: "user-1", display_name: null, email: null, tags: null, organization: null },
            tags: { end_user_id: "user-1" },
            metadata: {},
          },
        ],
      },
    },
    repaired: {
      why: "kept",
      body: {
        connections: [
          {
            ...listed,
            end_user: { id: "user-1", display_name: null, email: null, tags: null, organization: null },
            metadata: { a: 1 },
          },
        ],
      },
    },
  },
];
