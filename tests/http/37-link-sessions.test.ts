import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { codeOf, connectClient, done, refusalOf } from "../support/connect.ts";
import { startHouse, type TestHouse } from "../support/house.ts";
import {
  byToken,
  linkingSuite,
  openLinkScene,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { fieldsOf } from "../support/shapes.ts";
import type { Script, Upstream } from "../support/upstream.ts";

/** A connect session: one person's turn at the form, with ten guesses and one success. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ provider, house, scene, holder } = linking);
});

beforeEach(() => {
  // So that the wrong tries of one test are not the next one's.
  house.clock.advance(11 * minute);
});

const wrong = { json: { username: "0".repeat(32), password: "api_token" } };

const finished = [401, "connect_session_finished"];

/** What the form reads of its session. */
const sessionData = async (session: string, at: TestHouse = house) =>
  fieldsOf((await done(connectClient(at, session).get("/connect/session")))["data"]);

describe("a success", () => {
  test("finishes the session: nothing more is linked by it, and it can still be read and ended", async () => {
    const session = await scene.session();
    const form = connectClient(house, session);
    expect(await sessionData(session)).toMatchObject({ finished: false });
    expect((await scene.submit(session, byToken(holder))).status).toBe(200);

    for (const sent of [byToken(holder), wrong]) {
      expect(refusalOf(await scene.submit(session, sent))).toEqual([
        ...finished,
        "This connect session is finished: it has linked an account. Ask the app for a new link.",
      ]);
    }
    expect(scene.asked()).toHaveLength(1);
    expect(await scene.connections()).toHaveLength(1);
    expect(await sessionData(session)).toMatchObject({ finished: true });
    expect(await scene.told()).toHaveLength(1);
    expect((await form.delete("/connect/session")).status).toBe(204);
    for (const reply of [await form.get("/connect/session"), await scene.submit(session, byToken(holder))]) {
      expect(codeOf(reply)).toEqual([401, "unknown_connect_session_token"]);
    }
    expect(await scene.connections()).toHaveLength(1);
  });

  test("of two at once makes one connection", async () => {
    const session = await scene.session();
    const { promise: after, resolve: release } = Promise.withResolvers<void>();
    const answer = toggl(holder);
    scene.answers((asked) => ({ ...answer(asked), after }));
    const submitted = Array.from({ length: 4 }, () => scene.submit(session, byToken(holder)));
    await expect.poll(() => scene.asked().length, { timeout: 10_000 }).toBe(4);
    release();
    const replies = await Promise.all(submitted);

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401]);
    for (const reply of replies.filter(({ status }) => status === 401))
      expect(codeOf(reply)).toEqual(finished);
    expect(await scene.connections()).toHaveLength(1);
    expect(await scene.told()).toHaveLength(1);
    expect((await scene.audit()).map(([event]) => event)).toEqual(["connection_linked"]);
  });

  test("of a session that was ended meanwhile links nothing", async () => {
    const session = await scene.session();
    const answer = toggl(holder);
    scene.answers((asked) => ({
      ...answer(asked),
      after: connectClient(house, session).delete("/connect/session"),
    }));

    expect((await scene.submit(session, byToken(holder))).status).toBe(401);
    expect(await scene.connections()).toEqual([]);
    expect(await scene.told()).toEqual([]);
  });

  test("of an integration that was deleted meanwhile links nothing", async () => {
    const session = await scene.session();
    const answer = toggl(holder);
    scene.answers((asked) => ({
      ...answer(asked),
      after: done(scene.app.delete(`/integrations/${scene.integration}`)),
    }));

    expect(codeOf(await scene.submit(session, byToken(holder)))).toEqual([404, "unknown_provider_config"]);
    expect(await scene.connections()).toEqual([]);
    expect(await sessionData(session)).toMatchObject({ finished: false });
  });

  test("of a session that ran out while the provider was asked links, whoever cleans up meanwhile", async () => {
    const session = await scene.session();
    const answer = toggl(holder);
    house.clock.advance(30 * minute - 1);
    const cleanUp = async (): Promise<void> => {
      house.clock.advance(10_000);
      await house.inside.timetable.runDue();
    };
    scene.answers((asked) => ({ ...answer(asked), after: cleanUp() }));

    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
    expect(await scene.connections()).toHaveLength(1);
    expect(codeOf(await scene.submit(session, byToken(holder)))).toEqual([
      401,
      "unknown_connect_session_token",
    ]);
  });

  test("finishes nothing where the operator wants it as in the original", async () => {
    const reusable = await startHouse({
      LATCHKEY_OUTBOUND_ALLOW: provider.origin,
      LATCHKEY_CONNECT_REUSABLE: "true",
    });
    const old = await openLinkScene(reusable, provider);
    old.answers(toggl(holder));
    const session = await old.session();
    const ids: unknown[] = [];
    for (let times = 0; times < 12; times += 1) {
      ids.push((await done(old.submit(session, byToken(holder))))["connectionId"]);
    }

    expect(new Set(ids).size).toBe(12);
    expect(await old.connections()).toHaveLength(12);
    expect(await sessionData(session, reusable)).toMatchObject({ finished: false });
    expect((await connectClient(reusable, session).delete("/connect/session")).status).toBe(204);
    expect((await old.submit(session, byToken(holder))).status).toBe(401);
  });
});

describe("time", () => {
  test("ends a session after thirty minutes, and the row is gone soon after", async () => {
    const session = await scene.session();
    house.clock.advance(30 * minute - 1);
    expect(await sessionData(session)).toMatchObject({ finished: false });
    expect(codeOf(await scene.submit(session, wrong))).toEqual([400, "connection_test_failed"]);
    house.clock.advance(1);

    const form = connectClient(house, session);
    for (const reply of [
      await scene.submit(session, byToken(holder)),
      await form.get("/connect/session"),
      await form.get("/integrations"),
      await form.delete("/connect/session"),
    ]) {
      expect(codeOf(reply)).toEqual([401, "unknown_connect_session_token"]);
    }
    expect(scene.asked()).toHaveLength(1);
    expect(await scene.connections()).toEqual([]);
  });

  test("is as long as the operator says", async () => {
    const brief = await startHouse({
      LATCHKEY_OUTBOUND_ALLOW: provider.origin,
      LATCHKEY_CONNECT_SESSION_MINUTES: "5",
    });
    const mine = await openLinkScene(brief, provider);
    mine.answers(toggl(holder));
    const session = await mine.session();
    brief.clock.advance(5 * minute);

    expect((await mine.submit(session, byToken(holder))).status).toBe(401);
    expect((await mine.submit(await mine.session(), byToken(holder))).status).toBe(200);
  });
});

describe("wrong guesses", () => {
  const tooMany = [
    429,
    "too_many_request",
    "Too many wrong tries with this link. Ask the app for a new one.",
  ];

  test("are ten at most, and then the right one is too late", async () => {
    const session = await scene.session();
    for (let times = 0; times < 10; times += 1) {
      expect(codeOf(await scene.submit(session, wrong))).toEqual([400, "connection_test_failed"]);
    }
    for (const sent of [wrong, byToken(holder)]) {
      expect(refusalOf(await scene.submit(session, sent))).toEqual(tooMany);
    }

    expect(scene.asked()).toHaveLength(10);
    expect(await scene.connections()).toEqual([]);
    // Once a minute: a53 counts them.
    expect(await scene.told()).toHaveLength(1);
    expect(await sessionData(session)).toMatchObject({ finished: false });
    // Another link is another turn.
    expect((await scene.submit(await scene.session(), byToken(holder))).status).toBe(200);
  });

  test("are nine, and then the right one is in time", async () => {
    const session = await scene.session();
    for (let times = 0; times < 9; times += 1) await scene.submit(session, wrong);

    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
  });

  test.each<readonly [string, Script]>([
    ["out of quota", { status: 402 }],
    ["busy", { status: 429 }],
    ["down", { status: 503 }],
    ["cut off", { instead: "reset" }],
    ["somebody else", { body: "<h1>Hello</h1>" }],
    ["elsewhere", { status: 302, headers: { location: "http://127.0.0.2/" } }],
  ])("are none while the provider is %s", async (_name, script) => {
    const session = await scene.session();
    scene.answers(script);
    for (let times = 0; times < 12; times += 1) {
      expect(codeOf(await scene.submit(session, byToken(holder)))).not.toContain("too_many_request");
    }
    scene.answers(toggl(holder));

    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
  });

  test("are none where the form's own rules refuse", async () => {
    const session = await scene.session();
    for (let times = 0; times < 12; times += 1) {
      await scene.submit(session, { json: { username: "short", password: "api_token" } });
    }

    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
  });
});

describe("one network's wrong guesses over many links", () => {
  const guess = async (times: number): Promise<readonly number[]> => {
    const statuses: number[] = [];
    while (statuses.length < times) {
      const session = await scene.session();
      for (let tries = 0; tries < 10 && statuses.length < times; tries += 1) {
        statuses.push((await scene.submit(session, wrong)).status);
      }
    }
    return statuses;
  };

  test("are a hundred in ten minutes, and then it waits, while others don't", async () => {
    expect(new Set(await guess(98))).toEqual(new Set([400]));
    // Neither what succeeds is a guess, nor what the provider did not answer.
    for (let times = 0; times < 2; times += 1) {
      expect((await scene.submit(await scene.session(), byToken(holder))).status).toBe(200);
      scene.answers({ status: 500 });
      expect((await scene.submit(await scene.session(), byToken(holder))).status).toBe(502);
      scene.answers(toggl(holder));
    }
    expect(await guess(2)).toEqual([400, 400]);
    const session = await scene.session();
    const reply = await scene.submit(session, byToken(holder));

    expect(codeOf(reply)).toEqual([429, "too_many_request"]);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    expect(Number(reply.headers["retry-after"])).toBeLessThanOrEqual(600);
    expect(scene.asked()).toHaveLength(104);
    // The app's own calls are not guesses.
    expect((await scene.app.get("/connections")).status).toBe(200);
    house.clock.advance(10 * minute);
    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
  });

  test("are not used up by somebody who goes on with a link that had its ten", async () => {
    const session = await scene.session();
    for (let times = 0; times < 10; times += 1) await scene.submit(session, wrong);
    for (let times = 0; times < 120; times += 1) {
      expect((await scene.submit(session, wrong)).status).toBe(429);
    }

    expect((await scene.submit(await scene.session(), byToken(holder))).status).toBe(200);
  });
});

test("what is over is taken out of the store", async () => {
  const session = await scene.session();
  await scene.submit(session, byToken(holder));
  house.clock.advance(32 * minute);
  await house.inside.timetable.runDue();

  const { rows } =
    await sql`select 1 from connect_sessions where expires_at <= ${house.clock.now() - minute}`.execute(
      house.inside.store.query,
    );
  expect(rows).toEqual([]);
});

test("two tokens in one address are one too many", async () => {
  const session = await scene.session();
  const twice = `connect_session_token=${session}&connect_session_token=${session}`;
  const reply = await house.send("POST", `/api-auth/basic/${scene.integration}?${twice}`, byToken(holder));

  expect(codeOf(reply)).toEqual([400, "invalid_query_params"]);
  expect(scene.asked()).toEqual([]);
});

test("what the original's form counts about people is dropped unread", async () => {
  for (const [type, body] of [
    ["application/json", '{"event":"open"}'],
    ["application/json", "{"],
    ["text/plain", "x=1"],
  ] as const) {
    const reply = await house.send("POST", "/connect/telemetry", { headers: { "content-type": type }, body });
    expect([reply.status, reply.text]).toEqual([204, ""]);
  }
});
