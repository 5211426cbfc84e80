// The Connect wire as an app sees it: a key of an environment, integrations, and accounts that people linked.

import { sql } from "kysely";
import type { Connect } from "#connect";
import type { TestHouse } from "./house.ts";
import type { Reply, Sent } from "./http.ts";
import { fieldsOf, listOf } from "./shapes.ts";

type Scopes = Parameters<Connect["use"]["createEnvironmentKey"]>[0]["scopes"];

/** A new key; without scopes it may do everything. */
export const environmentKey = async (
  house: Pick<TestHouse, "inside">,
  environment = "dev",
  scopes?: Scopes,
): Promise<string> =>
  (await house.inside.connect.use.createEnvironmentKey({ environment, scopes })).key.reveal();

export type ConnectClient = {
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, json: unknown): Promise<Reply>;
  patch(path: string, json: unknown): Promise<Reply>;
  delete(path: string): Promise<Reply>;
};

/** Calls with a key of an environment, or with a token of a connect session. */
export const connectClient = (house: Pick<TestHouse, "send">, key: string): ConnectClient => {
  const send: ConnectClient["send"] = (method, path, sent = {}) =>
    house.send(method, path, { ...sent, headers: { authorization: `Bearer ${key}`, ...sent.headers } });
  return {
    send,
    get: (path) => send("GET", path),
    post: (path, json) => send("POST", path, { json }),
    patch: (path, json) => send("PATCH", path, { json }),
    delete: (path) => send("DELETE", path),
  };
};

/** Fails unless the call succeeded. @returns the fields of its answer */
export const done = async (call: Promise<Reply>): Promise<Readonly<Record<string, unknown>>> => {
  const reply = await call;
  if (reply.status >= 300) throw new Error(`${reply.status} ${reply.text}`);
  return fieldsOf(reply.json());
};

/** What the wire says of a refusal: its status, its code, its sentence, and each issue by path and code. */
export const refusalOf = (reply: Reply): readonly unknown[] => {
  const { code, message, errors } = fieldsOf(fieldsOf(reply.json())["error"]);
  const issues = errors === undefined ? [] : listOf(errors).map((issue) => [issue["path"], issue["code"]]);
  return [reply.status, code, message, ...issues];
};

/** Only status and code. */
export const codeOf = (reply: Reply): readonly unknown[] => refusalOf(reply).slice(0, 2);

type SessionTerms = Readonly<Record<string, unknown>>;

/** The token of a new connect session. */
export const connectSession = async (
  app: ConnectClient,
  terms: SessionTerms = { tags: {} },
): Promise<string> => String(fieldsOf((await done(app.post("/connect/sessions", terms)))["data"])["token"]);

/**
 * Links an account as a person does, with the form's session and credentials. @returns the connection's id
 */
export const linkAccount = async (
  house: Pick<TestHouse, "send">,
  app: ConnectClient,
  wanted: {
    readonly integration: string;
    readonly username: string;
    readonly password: string;
    readonly terms?: SessionTerms;
  },
): Promise<string> => {
  const { integration, username, password, terms } = wanted;
  const token = await connectSession(app, terms);
  const reply = await done(
    house.send("POST", `/api-auth/basic/${integration}?connect_session_token=${token}`, {
      json: { username, password },
    }),
  );
  return String(reply["connectionId"]);
};

export type AuditLine = {
  readonly event: string;
  readonly channel: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly details: Readonly<Record<string, unknown>>;
};

/** What the audit tells of Connect, in the order in which it was written, reads of credentials too. */
export const auditLines = async (house: Pick<TestHouse, "inside">): Promise<readonly AuditLine[]> => {
  await house.inside.connect.flush();
  const { rows } = await sql<{ event: string; channel: string; at: number; details: string | null }>`
    select event, channel, at, details from audit_events order by id`.execute(house.inside.store.query);
  return rows.map((row) => ({ ...row, details: fieldsOf(JSON.parse(row.details ?? "{}")) }));
};
