// The recordings, §1 and §2: who may call, and integrations.

import { expect } from "vitest";
import { connectClient } from "../connect.ts";
import type { Exchange } from "./exchange.ts";

/** As the original prints what was just made. */
export const zulu = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

export const togglIntegration = {
  unique_key: "toggl",
  provider: "toggl",
  display_name: "Toggl Track",
  logo: expect.stringMatching(/\/images\/template-logos\/toggl\.svg$/),
  forward_webhooks: true,
  created_at: zulu,
  updated_at: zulu,
};

const text = expect.stringMatching(/\w/);

export const togglProvider = {
  display_name: "Toggl Track",
  categories: ["productivity"],
  auth_mode: "BASIC",
  proxy: {
    base_url: "https://api.track.toggl.com",
    verification: { method: "GET", endpoints: ["/api/v9/me"] },
    retry: { after: ["x-toggl-quota-resets-in"] },
  },
  docs: text,
  docs_connect: text,
  credentials: {
    username: { type: "string", title: text, description: text, doc_section: expect.stringMatching(/^#/) },
    password: {
      type: "string",
      title: text,
      description: text,
      secret: true,
      doc_section: expect.stringMatching(/^#/),
    },
  },
  name: "toggl",
  logo_url: togglIntegration.logo,
};

const unknownKey = "11111111-1111-4111-8111-111111111111";

export const whoMayCall: readonly Exchange[] = [
  {
    title: "Health",
    ask: ({ house }) => house.send("GET", "/health"),
    recorded: { status: 200, body: { result: "ok" } },
    repaired: { why: "health", status: 501, error: { code: "not_supported" } },
  },
  {
    title: "No Authorization header",
    ask: ({ house }) => house.send("GET", "/integrations"),
    recorded: { status: 401, error: { code: "missing_auth_header" } },
  },
  {
    title: "Authorization not a v4 UUID",
    ask: ({ house }) => connectClient(house, "nope").get("/integrations"),
    recorded: { status: 401, error: { code: "invalid_secret_key_format" } },
    repaired: { why: "anyKey", error: { code: "unknown_account" } },
  },
  {
    title: "Well-formed but unknown key",
    ask: ({ house }) => connectClient(house, unknownKey).get("/integrations"),
    recorded: { status: 401, error: { code: "unknown_account" } },
  },
  {
    title: "Unknown route",
    ask: ({ app }) => app.get("/connect/no-such-route"),
    recorded: { status: 500, error: { code: "generic_error_support" } },
    repaired: { why: "unknownPath", status: 404, error: { code: "not_found" } },
  },
  {
    title: "Create an environment",
    ask: ({ app }) => app.post("/environments", { name: "staging" }),
    recorded: { status: 403, error: { code: "forbidden" } },
    repaired: { why: "environments", status: 501, error: { code: "not_supported" } },
  },
];

export const integrations: readonly Exchange[] = [
  {
    title: "Create the toggl integration",
    ask: ({ app }) =>
      app.post("/integrations", { unique_key: "toggl-2", provider: "toggl", display_name: "Toggl Track" }),
    recorded: { status: 200, body: { data: { ...togglIntegration, unique_key: "toggl-2" } } },
  },
  {
    title: "Create it twice",
    ask: ({ app }) => app.post("/integrations", { unique_key: "toggl", provider: "toggl" }),
    recorded: { status: 400, error: { code: "invalid_body", issues: [["uniqueKey", "invalid_string"]] } },
  },
  {
    title: "Unknown provider",
    ask: ({ app }) => app.post("/integrations", { unique_key: "x", provider: "no-such-provider" }),
    recorded: { status: 400, error: { code: "invalid_body", issues: [["provider", "invalid_string"]] } },
  },
  {
    title: "List",
    ask: ({ app }) => app.get("/integrations"),
    recorded: { status: 200, body: { data: [togglIntegration] } },
  },
  {
    title: "Get one",
    ask: ({ app }) => app.get("/integrations/toggl"),
    recorded: { status: 200, body: { data: togglIntegration } },
  },
  {
    title: "Get one, with webhook and credentials",
    ask: ({ app }) => app.get("/integrations/toggl?include=webhook&include=credentials"),
    recorded: {
      status: 200,
      body: { data: { ...togglIntegration, webhook_url: null, credentials: null } },
    },
  },
  {
    title: "Get unknown",
    ask: ({ app }) => app.get("/integrations/nope"),
    recorded: { status: 404, error: { code: "not_found" } },
  },
  {
    title: "Provider template",
    ask: ({ app }) => app.get("/providers/toggl"),
    recorded: { status: 200, body: { data: togglProvider } },
  },
];
