// The recordings, §3: connect sessions, and what a form reads with one.

import { expect } from "vitest";
import { connectClient } from "../connect.ts";
import { togglIntegration, togglProvider, zulu } from "./first-calls.ts";
import type { Exchange } from "./exchange.ts";
import { forUserOne, type RecordedScene } from "./scene.ts";

export const unknownToken = `nango_connect_session_${"0".repeat(64)}`;

const made = {
  status: 201,
  body: {
    data: {
      token: expect.stringMatching(/^nango_connect_session_[0-9a-f]{64}$/),
      connect_link: expect.stringMatching(/\/\?session_token=nango_connect_session_[0-9a-f]{64}$/),
      expires_at: zulu,
    },
  },
};

const linkBehindHash = {
  why: "linkBehindHash",
  body: {
    data: {
      ...made.body.data,
      connect_link: expect.stringMatching(/\/connect\/#session_token=nango_connect_session_[0-9a-f]{64}$/),
    },
  },
} as const;

/** With the token in the header, as forms read. */
const asForm = async ({ house, session }: RecordedScene, method: string, path: string) =>
  connectClient(house, await session()).send(method, path);

const primary = { primary: expect.stringMatching(/^#[0-9a-fA-F]{6}$/) };

const whatFormsRead = {
  endUser: {
    id: "user-1",
    display_name: "User One",
    email: "user@example.com",
    tags: { plan: "free" },
    organization: { id: "org-1", display_name: "Org One" },
  },
  connectUISettings: {
    showWatermark: expect.any(Boolean),
    defaultTheme: "system",
    theme: { light: primary, dark: primary },
  },
  allowed_integrations: ["toggl"],
};

export const connectSessions: readonly Exchange[] = [
  {
    title: "Empty body",
    ask: ({ app }) => app.post("/connect/sessions", {}),
    recorded: { status: 400, error: { code: "invalid_body", issues: [["end_user", "invalid_type"]] } },
  },
  {
    title: "Broken JSON",
    ask: ({ app }) =>
      app.send("POST", "/connect/sessions", {
        headers: { "content-type": "application/json" },
        body: '{"end_user":',
      }),
    recorded: { status: 400, error: { code: "invalid_json" } },
  },
  {
    title: "Wrong content type",
    ask: ({ app }) =>
      app.send("POST", "/connect/sessions", { headers: { "content-type": "text/plain" }, body: "hello" }),
    recorded: { status: 415, error: { code: "invalid_content_type" } },
  },
  {
    title: "Unknown integration in allowed_integrations",
    ask: ({ app }) =>
      app.post("/connect/sessions", { end_user: { id: "user-1" }, allowed_integrations: ["nope"] }),
    recorded: {
      status: 400,
      error: { code: "invalid_body", issues: [["allowed_integrations.0", "custom"]] },
    },
  },
  {
    title: "Create a session",
    ask: ({ app }) => app.post("/connect/sessions", forUserOne),
    recorded: made,
    repaired: linkBehindHash,
  },
  {
    title: "Create a session with tags and no end_user",
    ask: ({ app }) => app.post("/connect/sessions", { tags: { end_user_id: "user-2" } }),
    recorded: made,
    repaired: linkBehindHash,
  },
  {
    title: "Read the session (front end)",
    ask: (at) => asForm(at, "GET", "/connect/session"),
    recorded: { status: 200, body: { data: { ...whatFormsRead, websocketsPath: "/" } } },
    repaired: { why: "noSockets", body: { data: whatFormsRead } },
  },
  {
    title: "Read with an unknown token",
    ask: ({ house }) => connectClient(house, unknownToken).get("/connect/session"),
    recorded: { status: 401, error: { code: "unknown_connect_session_token" } },
  },
  {
    title: "Read with a malformed token",
    ask: ({ house }) => connectClient(house, "nope").get("/connect/session"),
    recorded: { status: 401, error: { code: "invalid_connect_session_token_format" } },
  },
  {
    title: "Integrations as the front end sees them",
    ask: (at) => asForm(at, "GET", "/integrations"),
    recorded: { status: 200, body: { data: [togglIntegration] } },
  },
  {
    title: "Provider as the front end sees it",
    ask: (at) => asForm(at, "GET", "/providers/toggl"),
    recorded: { status: 200, body: { data: togglProvider } },
  },
  {
    title: "Delete the session (front end, when done)",
    ask: (at) => asForm(at, "DELETE", "/connect/session"),
    recorded: { status: 204 },
  },
];
