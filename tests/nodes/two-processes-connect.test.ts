import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOperatorHouse, type OperatorHouse } from "#app/operator.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { connectClient, connectSession, done, linkAccount, type ConnectClient } from "../support/connect.ts";
import { sessionOf, type Reply } from "../support/http.ts";
import { besides, clearSites, newSite, startProcess, type Running } from "../support/process.ts";
import { withinSecond } from "../support/refused-soon.ts";
import { fieldsOf } from "../support/shapes.ts";

// Two real processes on one store. What an app does at the one, the other goes by within a second.

let one: Running;
let other: Running;
/** The operator's, in a process that is no server. */
let hand: OperatorHouse;
const worlds = new Map<string, Linked[]>();
beforeAll(async () => {
  const site = await newSite({ LATCHKEY_SIGN_UPS: "1000", LATCHKEY_MAILS: "1000" });
  one = await startProcess(site.settings);
  other = await startProcess(await besides(site));
  hand = await openOperatorHouse(site.config, createLog({ level: "silent", clock: site.clock }));
  for (const [first, second] of bothWays) {
    const made: Linked[] = [];
    for (let count = 0; count < worldsEach; count += 1)
      made.push(await settle(nodeOf(first), nodeOf(second)));
    worlds.set(first, made);
  }
  // So long a process may take to hear of what made them, and until then it forgets what it has read.
  await wait(1000);
  for (const world of [...worlds.values()].flat()) await use(world);
});
afterAll(async () => {
  await hand.close();
  await clearSites();
});

const bothWays = [
  ["the first", "the second"],
  ["the second", "the first"],
] as const;
/** A test uses one up. */
const worldsEach = 7;
const nodeOf = (name: (typeof bothWays)[number][0]): Running => (name === "the first" ? one : other);

let people = 0;

const newPerson = async () => {
  const email = `linked${++people}@example.com`;
  const json = { email, password: "a quiet river at noon", tos_accepted_for: "track" };
  const session = sessionOf(await one.send("POST", "/api/signup", { json }));
  const me = fieldsOf((await one.send("GET", "/api/v9/me", { session })).json());
  return { email, token: String(me["api_token"]) };
};

type Linked = {
  readonly here: ConnectClient;
  readonly there: ConnectClient;
  readonly environment: string;
  readonly key: string;
  readonly connection: string;
  readonly token: string;
  readonly email: string;
  readonly path: string;
  /** Through the proxy, to whatever account it is. */
  readonly whose: (by: ConnectClient) => Promise<Reply>;
};

/** At both processes, which keep what they have read. */
const use = async ({ here, there, path, token, email, whose }: Linked): Promise<void> => {
  for (const by of [here, there]) {
    expect((await by.get(path)).json()).toMatchObject({ credentials: { username: token } });
    expect((await whose(by)).json()).toMatchObject({ email });
  }
};

/** An account, linked in an environment of its own. */
const settle = async (here: Running, there: Running): Promise<Linked> => {
  const environment = `two-${++people}`;
  await hand.connect.use.createEnvironment({ name: environment, connectOrigins: [] });
  const key = (await hand.connect.use.createEnvironmentKey({ environment })).key.reveal();
  const [mine, theirs] = [connectClient(here, key), connectClient(there, key)];
  await done(mine.post("/integrations", { provider: "latchkey", unique_key: "here" }));
  const { token, email } = await newPerson();
  const connection = await linkAccount(here, mine, {
    integration: "here",
    username: token,
    password: "api_token",
  });
  const path = `/connections/${connection}?provider_config_key=here`;
  const headers = { "connection-id": connection, "provider-config-key": "here" };
  const whose = (by: ConnectClient): Promise<Reply> => by.send("GET", "/proxy/api/v9/me", { headers });
  return { here: mine, there: theirs, environment, key, connection, token, email, path, whose };
};

const statusThere = async (ask: () => Promise<Reply>, status: number): Promise<number> =>
  (await withinSecond(ask, (reply) => reply.status === status)).status;

describe.each(bothWays)("on %s, seen from %s", (first, second) => {
  const settled = (): Linked => worlds.get(first)?.pop() ?? expect.unreachable();

  test("a key of an environment that is revoked is refused", async () => {
    const { there, environment, path, whose } = settled();
    const spare = (await hand.connect.use.createEnvironmentKey({ environment })).key.reveal();
    expect(await hand.connect.use.revokeEnvironmentKey({ environment, name: "key" })).toBe(true);

    expect(await statusThere(() => there.get(path), 401)).toBe(401);
    expect(await statusThere(() => whose(there), 401)).toBe(401);
    for (const node of [one, other]) expect((await connectClient(node, spare).get(path)).status).toBe(200);
  });

  test("credentials that are changed are used", async () => {
    const { here, there, path, whose } = settled();
    const next = await newPerson();
    const credentials = { type: "BASIC", username: next.token, password: "api_token" };
    await done(here.patch(path, { credentials }));

    const isNext = (reply: Reply): boolean => reply.status === 200 && reply.text.includes(next.email);
    expect(isNext(await whose(here))).toBe(true);
    expect(isNext(await withinSecond(() => whose(there), isNext))).toBe(true);
    const read = await withinSecond(
      () => there.get(path),
      (reply) => reply.text.includes(next.token),
    );
    expect(read.json()).toMatchObject({ credentials });
  });

  test("an account that is linked anew is used", async () => {
    const { here, there, connection, whose } = settled();
    const next = await newPerson();
    const { data } = await done(
      here.post("/connect/sessions/reconnect", { connection_id: connection, integration_id: "here" }),
    );
    const reply = await nodeOf(first).send(
      "POST",
      `/api-auth/basic/here?connect_session_token=${String(fieldsOf(data)["token"])}&confirm_account_change=true`,
      { json: { username: next.token, password: "api_token" } },
    );
    expect(reply.status).toBe(200);

    const isNext = (answer: Reply): boolean => answer.text.includes(next.email);
    expect(isNext(await withinSecond(() => whose(there), isNext))).toBe(true);
  });

  test("a connection that is deleted is gone", async () => {
    const { here, there, path, whose } = settled();
    await done(here.delete(path));

    expect(await statusThere(() => there.get(path), 404)).toBe(404);
    expect(await statusThere(() => whose(there), 400)).toBe(400);
  });

  test("an integration that is deleted takes its connections along", async () => {
    const { here, there, path, whose } = settled();
    await done(here.delete("/integrations/here"));

    expect(await statusThere(() => there.get(path), 400)).toBe(400);
    expect(await statusThere(() => whose(there), 404)).toBe(404);
  });

  test("a connection that stopped working is told as that", async () => {
    const { here, there, connection, path, token } = settled();
    const named = { connection_id: connection, provider_config_key: "here" };
    const basic = [token, "api_token"] as const;
    expect((await nodeOf(first).send("POST", "/api/v9/me/reset_token", { basic })).status).toBe(200);
    expect(await done(here.post("/connections/verify", named))).toMatchObject({ state: "failing" });

    const read = await withinSecond(
      () => there.get(path),
      (reply) => reply.text.includes('"failing"'),
    );
    expect(read.json()).toMatchObject({ state: "failing", state_reason: "credentials_refused" });
  });

  test("a session that linked an account, or was ended, links nothing", async () => {
    const { here, key } = settled();
    const [used, ended] = [await connectSession(here), await connectSession(here)];
    const submit = async (at: Running, session: string): Promise<number> => {
      const { token } = await newPerson();
      const json = { username: token, password: "api_token" };
      return (await at.send("POST", `/api-auth/basic/here?connect_session_token=${session}`, { json }))
        .status;
    };
    expect(await submit(nodeOf(first), used)).toBe(200);
    expect((await connectClient(nodeOf(first), ended).delete("/connect/session")).status).toBe(204);

    for (const session of [used, ended]) expect(await submit(nodeOf(second), session)).toBe(401);
    expect(
      (await connectClient(nodeOf(second), key).get("/connections")).text.match(/"connection_id"/g),
    ).toHaveLength(2);
  });
});
