// An app that is told: where its webhooks arrive, what it is told of, and how it checks that it is true.

import { createHmac, webcrypto } from "node:crypto";
import type { Connect } from "#connect";
import type { Store, Tx } from "#kernel/db/store.ts";
import type { Reply, Sent } from "./http.ts";
import type { TestHouse } from "./house.ts";
import { fieldsOf, listOf } from "./shapes.ts";
import type { Asked, Script, Upstream } from "./upstream.ts";

type Tell = Connect["webhooks"]["tell"];
export type Told = Extract<Parameters<Tell>[1], { readonly connection: unknown }>;
type Success = Extract<Told, { readonly success: true }>;

/** Who can write down what is to be told: a house, or another hand on its store. */
export type Teller = { readonly connect: Connect; readonly store: Store };

/** Of `dev`. */
const firstEnvironment = 1;

/** As the original's recordings have it. */
export const connection = (changes: Partial<Told["connection"]> = {}): Told["connection"] => ({
  environmentId: firstEnvironment,
  connectionId: "connection-1",
  integrationKey: "toggl",
  provider: "toggl",
  endUser: {
    id: "user-1",
    email: "user@example.com",
    displayName: "User One",
    tags: { plan: "free" },
    organization: { id: "org-1", displayName: "Org One" },
  },
  tags: {
    project: "alpha",
    plan: "free",
    end_user_id: "user-1",
    end_user_email: "user@example.com",
    end_user_display_name: "User One",
    organization_id: "org-1",
    organization_display_name: "Org One",
  },
  webhookUrlOverride: null,
  account: { id: "42", name: "Ada King", email: "ada@example.com", workspace: null },
  state: "live",
  stateReason: null,
  ...changes,
});

export const creation = (changes: Partial<Told["connection"]> = {}): Success => ({
  connection: connection(changes),
  operation: "creation",
  success: true,
});

/** In a transaction of its own, as a use case would. */
export const tell = ({ connect, store }: Teller, ...told: readonly Told[]): Promise<void> =>
  store.transaction(async (tx: Tx) => {
    for (const one of told) await connect.webhooks.tell(tx, one);
  });

type Scopes = Parameters<Connect["use"]["createEnvironmentKey"]>[0]["scopes"];

export type App = {
  readonly key: string;
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  /** Fails when the answer is not 200. */
  ask(method: string, path: string, json?: unknown): Promise<Readonly<Record<string, unknown>>>;
};

/** Somebody with a key of the environment. */
export const appOf = async (
  house: Pick<TestHouse, "send"> & { readonly inside: Teller },
  environment = "dev",
  scopes?: Scopes,
): Promise<App> => {
  const made = await house.inside.connect.use.createEnvironmentKey({ environment, scopes });
  const key = made.key.reveal();
  const send: App["send"] = (method, path, sent = {}) =>
    house.send(method, path, { ...sent, headers: { authorization: `Bearer ${key}`, ...sent.headers } });
  return {
    key,
    send,
    ask: async (method, path, json) => {
      const reply = await send(method, path, json === undefined ? {} : { json });
      if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
      return fieldsOf(reply.json());
    },
  };
};

/** Says where webhooks go. @returns the secret that signs, when it was made by this */
export const setUpWebhooks = async (app: App, settings: object): Promise<string> => {
  const { data } = await app.ask("PATCH", "/environment/webhooks", settings);
  return String(fieldsOf(data)["signing_secret"]);
};

export type Arrived = {
  readonly id: string;
  readonly body: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly asked: Asked;
};

const arrivedOf = (asked: Asked): Arrived => {
  const body = asked.body.toString("utf8");
  return { id: String(asked.headers["webhook-id"]), body, fields: fieldsOf(JSON.parse(body)), asked };
};

/** What came to a path as a whole, oldest first. */
export const arrivedAt = (receiver: Upstream, path: string): readonly Arrived[] =>
  receiver.asked.filter((asked) => asked.path === path && asked.isWhole).map(arrivedOf);

/** An environment of its own, and a place where its webhooks arrive: tests that share a server meet nowhere else. */
export type Scene = {
  readonly app: App;
  readonly environment: string;
  readonly environmentId: number;
  /** Takes everything, unless it is told to answer otherwise. */
  readonly hook: string;
  answers(script: Script | ((asked: Asked) => Script)): void;
  arrived(): readonly Arrived[];
  creation(changes?: Partial<Told["connection"]>): Success;
  tell(...told: readonly Told[]): Promise<void>;
  /** Everything that is due, also what other scenes have left. */
  deliver(): Promise<void>;
  deliveries(query?: string): Promise<ReturnType<typeof listOf>>;
};

let scenes = 0;

export const openScene = async (house: TestHouse, receiver: Upstream): Promise<Scene> => {
  const { inside } = house;
  const name = `scene-${++scenes}`;
  const { id: environmentId } = await inside.connect.use.createEnvironment({ name, connectOrigins: [] });
  const app = await appOf(house, name);
  const path = `/${name}`;
  receiver.answers(path, { status: 204 });
  return {
    app,
    environment: name,
    environmentId,
    hook: `${receiver.origin}${path}`,
    answers: (script) => receiver.answers(path, script),
    arrived: () => arrivedAt(receiver, path),
    creation: (changes) => creation({ environmentId, ...changes }),
    tell: (...told) => tell(inside, ...told),
    deliver: () => inside.connect.webhooks.courier.deliverDue(),
    deliveries: async (query = "") =>
      listOf((await app.ask("GET", `/environment/webhooks/deliveries${query}`))["data"]),
  };
};

/** As the specification of Standard Webhooks tells receivers to check, by another implementation of HMAC than the server's. */
export const isStandardSignature = async (asked: Asked, secret: string): Promise<boolean> => {
  const { headers } = asked;
  const key = await webcrypto.subtle.importKey(
    "raw",
    Buffer.from(secret.replace(/^whsec_/, ""), "base64"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const signed = Buffer.concat([
    Buffer.from(`${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.`),
    asked.body,
  ]);
  const signatures = String(headers["webhook-signature"]).split(" ");
  for (const one of signatures) {
    const [version, signature = ""] = one.split(",");
    if (version !== "v1") continue;
    if (await webcrypto.subtle.verify("HMAC", key, Buffer.from(signature, "base64"), signed)) return true;
  }
  return false;
};

/** As the original's receivers check. */
export const isOriginalSignature = ({ headers, body }: Asked, secret: string): boolean =>
  headers["x-nango-hmac-sha256"] === createHmac("sha256", secret).update(body).digest("hex");
