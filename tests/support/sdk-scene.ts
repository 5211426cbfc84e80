// What the original's published SDKs work against: a house whose catalogue has one provider for each way to sign in, all
// of them on this machine.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Nango } from "@nangohq/node";
import { connectClient, connectSession, done, environmentKey, type ConnectClient } from "./connect.ts";
import { startHouse, stopHouses, type TestHouse } from "./house.ts";
import { answerAsToggl } from "./proxied.ts";
import { fieldsOf } from "./shapes.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** What the providers accept. */
export const basic = { username: "1971800d4d82861d8f2c1651fea4d212", password: "api_token" } as const;
export const apiKey = "glpat-0123456789abcdefghij";

/** By the auth mode: the keys of the integrations that every scene has. */
export const integrations = { BASIC: "toggl", API_KEY: "gitlab-token", NONE: "weather" } as const;

const withoutCredentials = `display_name: Weather
auth_mode: NONE
base_url: https://weather.example.com
docs: https://weather.example.com/docs
shapes:
  - { name: open, title: Open, fields: {} }
connection_config:
  town: { title: Town, optional: true }
verification: { path: /place, account: { id: id, name: [name] } }
`;

const shipped = fileURLToPath(new URL("../../providers", import.meta.url));

const makeCatalogue = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-providers-"));
  for (const name of [integrations.BASIC, integrations.API_KEY]) {
    await cp(join(shipped, `${name}.yaml`), join(folder, `${name}.yaml`));
  }
  await writeFile(join(folder, `${integrations.NONE}.yaml`), withoutCredentials);
  return folder;
};

const json = (body: unknown) => ({
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(body),
});

export type SdkHouse = {
  readonly house: TestHouse;
  readonly upstream: Upstream;
  /** An environment of its own with all three integrations: tests that share a house meet nowhere. */
  scene(): Promise<SdkScene>;
  stop(): Promise<void>;
};

export type SdkScene = {
  readonly environment: string;
  /** May do everything. */
  readonly key: string;
  readonly app: ConnectClient;
  /** The token of a new connect session. */
  session(terms?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Links the Basic account as a form would. @returns the connection's id */
  link(terms?: Readonly<Record<string, unknown>>): Promise<string>;
};

let scenes = 0;

const openScene = async (house: TestHouse, upstream: Upstream): Promise<SdkScene> => {
  const environment = `sdk-${++scenes}`;
  await house.inside.connect.use.createEnvironment({ name: environment, connectOrigins: [] });
  const key = await environmentKey(house, environment);
  const app = connectClient(house, key);
  for (const name of Object.values(integrations)) {
    const integration_config = { base_url: upstream.origin };
    await done(app.post("/integrations", { provider: name, unique_key: name, integration_config }));
  }
  const session: SdkScene["session"] = (terms) => connectSession(app, terms);
  return {
    environment,
    key,
    app,
    session,
    link: async (terms) => {
      const path = `/api-auth/basic/toggl?connect_session_token=${await session(terms)}`;
      return String((await done(house.send("POST", path, { json: basic })))["connectionId"]);
    },
  };
};

export const startSdkHouse = async (): Promise<SdkHouse> => {
  const upstream = await startUpstream();
  answerAsToggl(upstream);
  upstream.answers("/user", (asked) =>
    asked.headers["private-token"] === apiKey ? json({ id: 7, name: "Ada", email: null }) : { status: 401 },
  );
  upstream.answers("/place", json({ id: "ber", name: "Berlin" }));
  const providers = await makeCatalogue();
  const house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin }, { providers });
  return {
    house,
    upstream,
    scene: () => openScene(house, upstream),
    stop: async () => {
      await stopHouses();
      await upstream.stop();
      await rm(providers, { recursive: true, force: true });
    },
  };
};

/** The SDK for back ends. */
export const backEnd = ({ house }: Pick<SdkHouse, "house">, { key }: Pick<SdkScene, "key">): Nango =>
  new Nango({ host: house.config.origin.origin, apiKey: key });

/** What of a refusal gets through it: status, code and sentence. */
export const refused = async (call: Promise<unknown>): Promise<readonly unknown[]> => {
  const thrown: unknown = await call.then(
    () => new Error("It was done."),
    (error: unknown) => error,
  );
  const response =
    typeof thrown === "object" && thrown !== null && "response" in thrown ? thrown.response : undefined;
  if (typeof response !== "object" || response === null || !("status" in response && "data" in response)) {
    throw thrown;
  }
  const { code, message } = fieldsOf(fieldsOf(response.data)["error"]);
  return [response.status, code, message];
};
