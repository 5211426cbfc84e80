import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { sha256Hex } from "#kernel/crypto/digest.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { codeOf, connectClient, done } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import {
  byToken,
  newHolder,
  openLinkScene,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * A50, the links: one is good for ten guesses and one success within thirty minutes, whoever else has it, and what is
 * typed behind it leads to no address of the inside.
 */

let provider: Upstream;
/** On this machine, and not listed. */
let hidden: Upstream;
let house: TestHouse;
let twin: TestHouse;
let scene: LinkScene;
let holder: Holder;
beforeAll(async () => {
  [provider, hidden] = await Promise.all([startUpstream(), startUpstream()]);
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  twin = await house.twin();
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([provider.stop(), hidden.stop()]);
});
beforeEach(async () => {
  scene = await openLinkScene(house, provider);
  holder = newHolder();
  scene.answers(toggl(holder));
  // So that the wrong tries of one test are not the next one's.
  house.clock.advance(11 * minute);
});

const guess = (index: number) => ({
  json: { username: index.toString(16).padStart(32, "0"), password: "api_token" },
});

/** From two processes in turn, all at once. */
const submitAll = (session: string, sent: readonly object[]) => {
  const path = `/api-auth/basic/${scene.integration}?connect_session_token=${session}`;
  return Promise.all(sent.map((one, index) => (index % 2 === 0 ? house : twin).send("POST", path, one)));
};

const counted = (codes: readonly unknown[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(codes, String)].map(([code, all]) => [code, all.length]));

describe("A50 guesses", () => {
  test("of fifty at once ten reach the provider", async () => {
    causesAnyNumber();
    const session = await scene.session();
    const replies = await submitAll(
      session,
      Array.from({ length: 50 }, (_, index) => guess(index)),
    );

    expect(counted(replies.map((reply) => codeOf(reply)[1]))).toEqual({
      connection_test_failed: 10,
      too_many_request: 40,
    });
    expect(scene.asked()).toHaveLength(10);
    expect(
      (await submitAll(session, [byToken(holder), byToken(holder)])).map(({ status }) => status),
    ).toEqual([429, 429]);
    expect(await scene.connections()).toEqual([]);
    // Once a minute by each process: a53 counts them.
    expect([1, 2]).toContain((await scene.told()).length);
  });

  test("with the right one among them link one account at most, and find out no more", async () => {
    causesAnyNumber();
    causesAnyNumber();
    const session = await scene.session();
    const sent = Array.from({ length: 50 }, (_, index) =>
      index % 10 === 7 ? byToken(holder) : guess(index),
    );
    const replies = await submitAll(session, sent);

    const [right, wrong] = [200, 400].map((status) => replies.filter((one) => one.status === status));
    expect(right?.length).toBeLessThanOrEqual(1);
    expect(await scene.connections()).toHaveLength(right?.length ?? 0);
    expect(wrong?.length).toBeLessThanOrEqual(10);
    const guessed = scene
      .asked()
      .filter(({ headers }) => headers.authorization !== basicHeader(holder.token, "api_token"));
    expect(guessed.length).toBeLessThanOrEqual(10);
  });

  test("are not given back by a success of somebody else's link", async () => {
    causesAnyNumber();
    const [mine, theirs] = [await scene.session(), await scene.session()];
    await submitAll(
      mine,
      Array.from({ length: 10 }, (_, index) => guess(index)),
    );
    expect((await submitAll(theirs, [byToken(holder)])).map(({ status }) => status)).toEqual([200]);

    expect((await submitAll(mine, [guess(11)])).map(({ status }) => status)).toEqual([429]);
  });
});

describe("A50 a stolen link", () => {
  test("is dead for everybody once it was used, in every process and after a restart", async () => {
    const mine = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: provider.origin });
    const here = await openLinkScene(mine, provider);
    here.answers(toggl(holder));
    const session = await here.session();
    expect((await here.submit(session, byToken(holder))).status).toBe(200);
    const asked = here.asked().length;
    const path = `/api-auth/basic/${here.integration}?connect_session_token=${session}`;

    expect(codeOf(await (await mine.twin()).send("POST", path, byToken(holder)))).toEqual([
      401,
      "connect_session_finished",
    ]);
    const again = await mine.restart();
    for (const reply of [
      await again.send("POST", path, byToken(holder)),
      await again.send("POST", path, { ...guess(1) }),
    ]) {
      expect(codeOf(reply)).toEqual([401, "connect_session_finished"]);
    }
    expect(here.asked()).toHaveLength(asked);
  });

  test("shows nobody what was linked by it, and reads nothing else", async () => {
    const session = await scene.session();
    const { connectionId } = await done(scene.submit(session, byToken(holder)));
    const thief = connectClient(house, session);

    const seen = await thief.get("/connect/session");
    expect(seen.text).not.toContain(String(connectionId));
    expect(seen.text).not.toContain(holder.token);
    for (const [method, path] of [
      ["GET", "/connections"],
      ["GET", `/connections/${String(connectionId)}?provider_config_key=${scene.integration}`],
      ["PATCH", `/connections/${String(connectionId)}?provider_config_key=${scene.integration}`],
      ["DELETE", `/connections/${String(connectionId)}?provider_config_key=${scene.integration}`],
      ["POST", "/connections"],
      ["POST", "/connections/verify"],
      ["POST", "/connections/metadata"],
      ["POST", "/connect/sessions"],
      ["POST", "/connect/sessions/reconnect"],
      ["GET", "/proxy/api/v9/me"],
      ["POST", "/integrations"],
      ["GET", "/environment/webhooks"],
    ] as const) {
      const reply = await thief.send(method, path, method === "GET" ? {} : { json: {} });
      expect([method, path, reply.status]).toEqual([method, path, 401]);
    }
    expect(await scene.connections()).toHaveLength(1);
  });

  test("is in the store by its digest alone, and the next one can't be told from it", async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => scene.session()));
    const random = sessions.map((session) => session.replace("nango_connect_session_", ""));
    expect(new Set(random).size).toBe(20);
    for (const text of random) expect(text).toMatch(/^[0-9a-f]{64}$/);
    const { rows } = await sql<{ digest: string }>`select * from connect_sessions`.execute(
      house.inside.store.query,
    );

    expect(rows.map(({ digest }) => digest)).toEqual(expect.arrayContaining(sessions.map(sha256Hex)));
    for (const text of random) expect(JSON.stringify(rows)).not.toContain(text);
  });

  test("opens in the address bar behind the “#” only, which no server sees", async () => {
    const { data } = await done(scene.app.post("/connect/sessions", { tags: {} }));
    const { token, connect_link: link } = fieldsOf(data);
    const url = new URL(String(link));

    expect([url.origin, url.pathname, url.search]).toEqual([house.config.origin.origin, "/connect/", ""]);
    expect(url.hash).toBe(`#session_token=${String(token)}`);
  });
});

describe("A50 what is typed leads to no address of the inside:", () => {
  const submit = async (of: string, param: string, value: string) => {
    const key = `${of}-${crypto.randomUUID()}`;
    await done(scene.app.post("/integrations", { provider: of, unique_key: key }));
    const mode = fieldsOf(fieldsOf((await scene.app.get(`/providers/${of}`)).json())["data"])["auth_mode"];
    const json =
      mode === "BASIC"
        ? { username: "ada@example.com", password: "0123456789abcdefghijklmn" }
        : { apiKey: "glpat-0123456789abcdefghij" };
    return scene.submit(await scene.session(), {
      way: mode === "BASIC" ? "api-auth/basic" : "api-auth/api-key",
      integration: key,
      json,
      query: `&params[${param}]=${encodeURIComponent(value)}`,
    });
  };

  test.each([
    "evil.example/",
    "evil.example#",
    "evil.example?",
    "evil.example\\",
    "evil.example:443",
    "user@evil.example",
    "acme.evil",
    "acme.",
    "-acme",
    "",
    ".",
    "..",
    "127.0.0.1",
    "localhost/",
    "%61cme%2f",
    "acme\n.evil",
    "acme\u0000",
    "ａｃｍｅ",
    "аcme",
    "a".repeat(64),
  ])("“%s” as a part of a host", async (value) => {
    for (const of of ["jira-basic", "zendesk-api-key", "freshdesk"]) {
      expect(codeOf(await submit(of, "subdomain", value))).toEqual([400, "invalid_body"]);
    }
    expect(await scene.connections()).toEqual([]);
  });

  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "[::1]",
    "::1",
    "[::ffff:127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "foo.localhost",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "0.0.0.0",
    "0",
    "224.0.0.1",
    "255.255.255.255",
  ])("“%s” as a whole host", async (value) => {
    const [status, code] = codeOf(await submit("gitlab-token", "hostname", value));

    expect(status).toBe(400);
    expect(["invalid_body", "address_refused"]).toContain(code);
    expect(await scene.connections()).toEqual([]);
    expect(hidden.asked).toEqual([]);
  });

  test("this server's own address as a whole host", async () => {
    const [status] = codeOf(await submit("gitlab-token", "hostname", house.config.origin.host));
    expect(status).toBe(400);
  });
});
