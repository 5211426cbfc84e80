// Somebody in front of the form: an app's environment, an integration, and the provider on this machine.

import { afterAll, beforeAll, beforeEach } from "vitest";
import { connectClient, connectSession, done, auditLines, type ConnectClient } from "./connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "./house.ts";
import { basicHeader, type Reply, type Sent } from "./http.ts";
import { fieldsOf, listOf } from "./shapes.ts";
import { writeProviders } from "./provider-files.ts";
import { startUpstream, type Asked, type Script, type Upstream } from "./upstream.ts";
import { openScene, setUpWebhooks } from "./webhooks.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Who has an account at the provider. */
export type Holder = {
  readonly id: number;
  readonly token: string;
  readonly email: string;
  readonly password: string;
  readonly name: string;
};

let holders = 0;

const hexOf = (): string => crypto.randomUUID().replaceAll("-", "");

export const newHolder = (): Holder => {
  const id = 4000 + ++holders;
  return {
    id,
    token: hexOf(),
    email: `ada.${id}@example.com`,
    password: `correct horse ${hexOf()}`,
    name: `Ada King ${id}`,
  };
};

/** How the house says whose account it is. */
export const shownAccount = ({ id, name, email }: Holder): Fields => ({
  id: String(id),
  name,
  email,
  workspace: "7",
});

export const identityOf = ({ id, token, email, name }: Holder): Fields => ({
  id,
  api_token: token,
  email,
  fullname: name,
  default_workspace_id: 7,
});

const json = (body: unknown): Script => ({
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(body),
});

/** A Toggl that knows these people, by token and by password. */
export const toggl =
  (...known: readonly Holder[]) =>
  (asked: Asked): Script => {
    const found = known.find(({ token, email, password }) =>
      [basicHeader(token, "api_token"), basicHeader(email, password)].includes(
        asked.headers.authorization ?? "",
      ),
    );
    return found ? json(identityOf(found)) : { status: 403 };
  };

type Submitted = Sent & {
  readonly integration?: string;
  /** Behind the session's token. */
  readonly query?: string;
  readonly way?: "api-auth/basic" | "api-auth/api-key" | "auth/unauthenticated";
};

export type LinkScene = {
  readonly environment: string;
  readonly app: ConnectClient;
  /** The key of the integration; its provider answers at a place of its own. */
  readonly integration: string;
  /** What comes at the place where the provider tells whose credentials these are. */
  answers(script: Script | ((asked: Asked) => Script)): void;
  /** What was asked there, oldest first. */
  asked(): readonly Asked[];
  /** The token of a new connect session. */
  session(terms?: Fields): Promise<string>;
  /** The token of a new session to link a connection anew. */
  sessionFor(connection: string, terms?: Fields): Promise<string>;
  submit(session: string, sent: Submitted): Promise<Reply>;
  /** Links an account by its token. @returns the connection's id */
  link(holder: Holder, terms?: Fields): Promise<string>;
  /** Of a connection, with its credentials. */
  read(connection: string): Promise<Fields>;
  connections(): Promise<readonly Fields[]>;
  /** What the app was told since the last time. */
  told(): Promise<readonly Fields[]>;
  /** What happened to links in the environment, with the details that are not its name and the key's. */
  audit(): Promise<readonly (readonly [event: string, details: Fields])[]>;
};

type Wanted = {
  readonly provider?: string;
  readonly config?: Fields;
  /** Where the provider tells whose credentials these are. */
  readonly path?: string;
};

/** In an environment of its own: tests that share a house meet nowhere. */
export const openLinkScene = async (
  house: TestHouse,
  upstream: Upstream,
  { provider = "toggl", config = {}, path = "/api/v9/me" }: Wanted = {},
): Promise<LinkScene> => {
  const scene = await openScene(house, upstream);
  const { environment } = scene;
  const app = connectClient(house, scene.app.key);
  const integration = `${provider}-here`;
  const place = `/at-${environment}`;
  const integrationConfig = { base_url: `${upstream.origin}${place}`, ...config };
  const body = { provider, unique_key: integration, integration_config: integrationConfig };
  await done(app.post("/integrations", body));
  await setUpWebhooks(scene.app, { primary_url: scene.hook });
  let heard = 0;

  const session = (terms?: Fields): Promise<string> => connectSession(app, terms);

  const submit: LinkScene["submit"] = (token, sent) => {
    const { way = "api-auth/basic", query = "", ...rest } = sent;
    const to = `/${way}/${sent.integration ?? integration}?connect_session_token=${token}${query}`;
    return house.send("POST", to, rest);
  };

  return {
    environment,
    app,
    integration,
    answers: (script) => upstream.answers(`${place}${path}`, script),
    asked: () => upstream.asked.filter((asked) => asked.path.split("?", 1)[0] === `${place}${path}`),
    session,
    sessionFor: async (connection, terms = {}) => {
      const given = { connection_id: connection, integration_id: integration, ...terms };
      const { data } = await done(app.post("/connect/sessions/reconnect", given));
      return String(fieldsOf(data)["token"]);
    },
    submit,
    link: async ({ token }, terms) => {
      const sent = { json: { username: token, password: "api_token" } };
      return String((await done(submit(await session(terms), sent)))["connectionId"]);
    },
    read: (connection) => done(app.get(`/connections/${connection}?provider_config_key=${integration}`)),
    connections: async () => listOf((await done(app.get("/connections")))["connections"]),
    told: async () => {
      await scene.deliver();
      const fields = scene.arrived().map((one) => one.fields);
      const news = fields.slice(heard);
      heard = fields.length;
      return news;
    },
    audit: async () =>
      (await auditLines(house)).flatMap(({ event, details }) => {
        const { environment: where, key: _key, integration: _integration, ...rest } = details;
        const isOfUse = /link|connection/.test(event);
        return where === environment && isOfUse ? [[event, rest] as const] : [];
      }),
  };
};

/** The submitted form of an API token. */
export const byToken = ({ token }: Pick<Holder, "token">): Sent => ({
  json: { username: token, password: "api_token" },
});

export const byPassword = ({ email, password }: Pick<Holder, "email" | "password">): Sent => ({
  json: { username: email, password },
});

export type Linking = {
  readonly provider: Upstream;
  readonly house: TestHouse;
  readonly scene: LinkScene;
  /** Somebody whom the provider knows. */
  readonly holder: Holder;
};

/**
 * What a file of tests about linking begins with: one provider and one house for all of them, and for each test a scene
 * and a holder of its own.
 * @param begin before each test
 * @param files of providers beside those that are shipped
 */
export const linkingSuite = (
  begin: (linking: Linking) => void,
  files: Readonly<Record<string, string>> = {},
): void => {
  let shared: Pick<Linking, "provider" | "house">;
  let clear: () => Promise<void>;

  beforeAll(async () => {
    const provider = await startUpstream();
    const providers = await writeProviders(files);
    const settings = { ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin };
    const house = await startHouse(settings, { providers: providers.folder });
    shared = { provider, house };
    clear = async () => {
      await stopHouses();
      await provider.stop();
      await providers.clear();
    };
  });
  afterAll(() => clear());

  beforeEach(async () => {
    const scene = await openLinkScene(shared.house, shared.provider);
    const holder = newHolder();
    scene.answers(toggl(holder));
    begin({ ...shared, scene, holder });
  });
};
