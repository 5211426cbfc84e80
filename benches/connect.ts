// What Connect costs: a call through the proxy beside a bare pass-through to the same provider, a read of credentials and
// a submit beside the check of a token.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { basic, signUp } from "./checks.ts";
import {
  compare,
  connections,
  origin,
  port,
  rounds,
  say,
  sliceMs,
  startLoad,
  startOther,
  startOurs,
  type Costs,
} from "./measure.ts";

const accounts = 50;
const integration = "toggl";
const token = "1971800d4d82861d8f2c1651fea4d212";

/** As long as the answer of the real one. */
const identity = JSON.stringify({
  id: 4242,
  api_token: token,
  email: "ada@example.com",
  fullname: "Ada King",
  timezone: "Europe/London",
  toggl_accounts_id: "a8Zkh2HvbPuk4xMpWQXpgr",
  default_workspace_id: 777,
  beginning_of_week: 1,
  image_url: "https://assets.example.com/images/profile.png",
  created_at: "2024-01-01T00:00:00.000000Z",
  updated_at: "2026-01-01T00:00:00.000000Z",
  openid_email: null,
  openid_enabled: false,
  country_id: null,
  has_password: true,
  at: "2026-01-01T00:00:00.000000Z",
  intercom_hash: "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f",
  oauth_providers: null,
  authorization_updated_at: "2026-01-01T00:00:00.000000Z",
});
const head = {
  "content-type": "application/json; charset=utf-8",
  "content-length": String(identity.length),
  "x-toggl-quota-remaining": "29",
  "x-toggl-quota-resets-in": "3600",
  "x-request-id": "0123456789abcdef",
};

type Answered = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Answered => {
  if (typeof value !== "object" || value === null) throw new Error("Not an object");
  return { ...value };
};

const ask = async (
  method: string,
  path: string,
  key: string | undefined,
  body: object,
): Promise<Answered> => {
  const reply = await fetch(origin + path, {
    method,
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${method} ${path.split("?")[0]}: ${reply.status} ${await reply.text()}`);
  return fieldsOf(await reply.json());
};

const newKey = async (folder: string): Promise<string> => {
  const program = fileURLToPath(import.meta.resolve("../src/cli/index.ts"));
  const { stdout } = await promisify(execFile)(process.execPath, [program, "environment", "key", "dev"], {
    env: { LATCHKEY_DATA: folder, LATCHKEY_PORT: String(port) },
  });
  return stdout.trim();
};

const sessionFor = async (key: string): Promise<string> => {
  const { data } = await ask("POST", "/connect/sessions", key, {
    end_user: { id: "user" },
    allowed_integrations: [integration],
  });
  return String(fieldsOf(data)["token"]);
};

const submitPath = (session: string): string =>
  `/api-auth/basic/${integration}?connect_session_token=${session}`;
const credentials = { username: token, password: "api_token" };

const lines = (method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): string =>
  [
    `${method} ${path} HTTP/1.1`,
    `Host: localhost:${port}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === "" ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`]),
    "",
    body,
  ].join("\r\n");

const row = (name: string, beside: string, { ratio, range, ours, other }: Costs): void =>
  say(`| ${name} | ${beside} | ${ratio.toFixed(2)} | ${range} | ${ours.toFixed(1)} | ${other.toFixed(1)} |`);

export const benchConnect = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const provider = await startOther("./bare-server.ts", { headers: head, body: identity });
  const upstream = `http://127.0.0.1:${provider.port}`;
  const ours = await startOurs(folder, {
    LATCHKEY_OUTBOUND_ALLOW: upstream,
    LATCHKEY_CONNECT_REUSABLE: "true",
  });
  const bare = await startOther("./pass-through.ts", { upstream, authorization: basic(token, "api_token") });
  const load = startLoad();
  try {
    const key = await newKey(folder);
    await ask("POST", "/integrations", key, {
      unique_key: integration,
      provider: "toggl",
      integration_config: { base_url: upstream },
    });
    // One session takes ten tries at once.
    const submits: string[] = [];
    const linked: string[] = [];
    for (let index = 0; index < accounts; index++) {
      const session = await sessionFor(key);
      submits.push(lines("POST", submitPath(session), {}, JSON.stringify(credentials)));
      const { connectionId } = await ask("POST", submitPath(session), undefined, credentials);
      linked.push(String(connectionId));
    }
    const authorization = `Bearer ${key}`;
    const proxied = linked.map((id) =>
      lines("GET", "/proxy/api/v9/me", {
        Authorization: authorization,
        "Provider-Config-Key": integration,
        "Connection-Id": id,
      }),
    );
    const reads = linked.map((id) =>
      lines("GET", `/connections/${id}?provider_config_key=${integration}`, { Authorization: authorization }),
    );
    const person = await signUp(0);
    const checks = [lines("GET", "/api/v9/me", { Authorization: basic(person.token, "api_token") })];
    say(
      `\n${connections} connections, ${accounts} linked accounts in turn, ${rounds} rounds of ${sliceMs} ms each; Node ${process.version}\n`,
    );
    say("| call | beside | CPU ratio (median) | range | CPU µs a request | the other |");
    say("| --- | --- | --- | --- | --- | --- |");
    row(
      "through the proxy",
      "bare undici pass-through",
      await compare(load, { server: ours, requests: proxied }, { server: bare, requests: proxied }),
    );
    row(
      "credentials of a connection",
      "`/api/v9/me` by token, ours",
      await compare(load, { server: ours, requests: reads }, { server: ours, requests: checks }),
    );
    row(
      "submit of credentials",
      "`/api/v9/me` by token, ours",
      await compare(load, { server: ours, requests: submits }, { server: ours, requests: checks }),
    );
  } finally {
    await load.stop();
    await bare.stop();
    await ours.stop();
    await provider.stop();
    await rm(folder, { recursive: true, force: true });
  }
};
