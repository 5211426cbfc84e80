// The calls that change something, and what a browser says of where a call comes from: for the tests of the CSRF rule.

import type { Person, TestHouse } from "./house.ts";
import { sessionIdOf } from "./forge.ts";
import type { Reply, Sent } from "./http.ts";
import { fieldsOf, listOf } from "./shapes.ts";

/**
 * What lets a call through, for every route that changes something. A new route fails the first test until somebody
 * has thought about it.
 */
export const authority: Readonly<
  Record<string, "cookie" | "cookie of its owner" | "begins a session" | "mailed code" | "nothing">
> = {
  "POST /api/signup": "begins a session",
  "POST /api/sessions": "begins a session",
  "POST /api/me/password_reset/confirm/{code}": "begins a session",
  "DELETE /api/sessions": "cookie",
  "POST /api/me/close_account/track": "cookie",
  "DELETE /api/me/sessions": "cookie",
  "DELETE /api/me/sessions/{session_id}": "cookie",
  "POST /api/me/email_change/request": "cookie",
  "DELETE /api/me/email_change": "cookie",
  "PUT /api/v9/me": "cookie",
  "POST /api/v9/me/reset_token": "cookie",
  "POST /api/v9/me/close_account": "cookie",
  "POST /connect/demo/session": "cookie",
  "DELETE /connect/demo/connection": "cookie",
  "POST /api/v9/workspaces/{workspace_id}/time_entries": "cookie of its owner",
  "POST /api/v9/time_entries": "cookie of its owner",
  "PUT /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}": "cookie of its owner",
  "PUT /api/v9/time_entries/{time_entry_id}": "cookie of its owner",
  "PATCH /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}/stop": "cookie of its owner",
  "DELETE /api/v9/workspaces/{workspace_id}/time_entries/{time_entry_id}": "cookie of its owner",
  "DELETE /api/v9/time_entries/{time_entry_id}": "cookie of its owner",
  "POST /api/me/close_account/undo/{code}": "mailed code",
  "POST /api/me/email_verification/confirm/{code}": "mailed code",
  // Whoever knows an address may have a code mailed to it, as often as the limits allow.
  "POST /api/me/password_reset/request": "nothing",
  "POST /api/me/email_verification/request": "nothing",
};

export const withAuthority = (which: string): readonly string[] =>
  Object.keys(authority).filter((route) => authority[route] === which);

/** What browsers and attackers say of where a request comes from, when it does not come from our own pages. */
export const elsewhere = ({ origin: ours, port }: URL): Readonly<Record<string, Sent["headers"]>> => ({
  "a foreign origin": { origin: "https://evil.example" },
  "the origin null": { origin: "null" },
  "a sibling host": { origin: `http://evil.localhost:${port}` },
  "a host that begins like ours": { origin: `http://localhost.evil.example:${port}` },
  "a host that ends like ours": { origin: `http://evillocalhost:${port}` },
  "another name of this machine": { origin: `http://127.0.0.1:${port}` },
  "another port": { origin: `http://localhost:${port === "65535" ? 1 : Number(port) + 1}` },
  "no port": { origin: "http://localhost" },
  "the other scheme": { origin: ours.replace("http:", "https:") },
  "our origin with a path": { origin: `${ours}/` },
  "our origin in capitals": { origin: ours.toUpperCase() },
  "our origin with a user": { origin: `http://localhost:${port}@evil.example` },
  "an empty origin": { origin: "" },
  "two origins": { origin: [ours, "https://evil.example"] },
  "our origin twice": { origin: [ours, ours] },
  "a list": { origin: `${ours}, https://evil.example` },
  "a foreign origin that calls itself ours": {
    origin: "https://evil.example",
    "sec-fetch-site": "same-origin",
  },
  "a cross-site fetch": { "sec-fetch-site": "cross-site" },
  "a fetch from a sibling": { "sec-fetch-site": "same-site" },
  "a fetch of the address bar": { "sec-fetch-site": "none" },
  "a word that no browser says": { "sec-fetch-site": "Same-Origin" },
  "an empty word": { "sec-fetch-site": "" },
  "two words": { "sec-fetch-site": ["same-origin", "cross-site"] },
  "a form's navigation": {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  },
});

export const here = ({ origin: ours }: URL): Readonly<Record<string, Sent["headers"]>> => ({
  "no browser": {},
  "our origin": { origin: ours },
  "our origin, said twice over": { origin: ours, "sec-fetch-site": "same-origin" },
  "a browser that says no origin": { "sec-fetch-site": "same-origin" },
});

/** A call that would do its work, had it the right to. @param of whose code, or whose session */
export const callOf = (
  route: string,
  of: { readonly code?: string; readonly session?: string; readonly password?: string } = {},
) => {
  const [method = "", path = ""] = route.split(" ");
  const { code = "0".repeat(26), session, password } = of;
  const bodies: Readonly<Record<string, unknown>> = {
    "PUT /api/v9/me": { fullname: "Somebody Else" },
    "POST /api/me/password_reset/confirm/{code}": { password: "another river at dusk" },
    "POST /api/me/email_change/request": {
      email: `moved-${crypto.randomUUID()}@example.com`,
      current_password: password,
    },
  };
  const sessionId = session === undefined ? "0".repeat(32) : sessionIdOf(session);
  return {
    method,
    path: path.replace("{code}", code).replace("{session_id}", sessionId),
    json: bodies[route],
  };
};

export const problem = { accept: "application/problem+json" };

export const codeOf = (reply: Reply): unknown => {
  const body: unknown = reply.json();
  return typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
};

/** Everything of a person that the calls of the table could change. */
export const stateOf = async (house: TestHouse, { email, password, session }: Person): Promise<unknown> => {
  const me = (await house.send("GET", "/api/v9/me", { session })).json();
  const { status } = await house.send("GET", "/api/sessions", { basic: [email, password] });
  const mails = (await house.mails()).filter(({ to }) => to === email).length;
  const account = (await house.send("GET", "/api/me", { session })).json();
  const { sessions } = fieldsOf((await house.send("GET", "/api/me/sessions", { session })).json());
  return { me, account, status, mails, sessions: listOf(sessions).map(({ id }) => id) };
};
