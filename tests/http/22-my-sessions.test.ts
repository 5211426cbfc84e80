import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { day, minute } from "#kernel/clock.ts";
import { sessionIdOf } from "../support/forge.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const cleared = "__Secure-accounts-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

const signIn = async (
  { email, password }: Person,
  { agent, remember = false, at = house }: { agent?: string; remember?: boolean; at?: TestHouse } = {},
): Promise<string> => {
  const reply = await at.send("POST", "/api/sessions", {
    json: { email, password, remember_me: remember },
    headers: agent === undefined ? {} : { "user-agent": agent },
  });
  const session = sessionOf(reply);
  if (session === undefined) throw new Error(`No session: ${reply.status} ${reply.text}`);
  return session;
};

const list = async (sent: Sent, at = house) =>
  listOf(fieldsOf((await at.send("GET", "/api/me/sessions", sent)).json())["sessions"]);
const ids = async (sent: Sent, at = house) => (await list(sent, at)).map(({ id }) => id);
const end = (session: string, id: string, at = house) =>
  at.send("DELETE", `/api/me/sessions/${id}`, { session });
const lives = async (session: string, at = house) =>
  (await at.send("GET", "/api/v9/me/logged", { session })).status === 200;
const instant = (at: number) => new Date(at).toISOString();

describe("GET /api/me/sessions", () => {
  test("lists where somebody is signed in: the device, the address, since when, until when", async () => {
    const person = await house.person();
    const since = house.clock.now();
    const session = await signIn(person, { agent: firefox, remember: true });

    const reply = await house.send("GET", "/api/me/sessions", { session });

    expect(reply.status).toBe(200);
    const common = {
      address: "127.0.0.1",
      created_at: instant(since),
      last_seen_at: instant(since),
      expires_at: instant(Math.floor(since / 1000) * 1000 + 28 * day),
    };
    const { success, sessions } = fieldsOf(reply.json());
    expect(success).toBe(true);
    expect(listOf(sessions)).toHaveLength(2);
    expect(listOf(sessions)).toEqual(
      expect.arrayContaining([
        {
          id: sessionIdOf(session),
          current: true,
          device: "Firefox on Linux",
          remembered: true,
          ...common,
        },
        {
          id: sessionIdOf(person.session),
          current: false,
          device: "Unknown device",
          remembered: false,
          ...common,
        },
      ]),
    );
  });

  test("by password shows them all, and none of them is the current one", async () => {
    const person = await house.person();

    const sessions = await list({ basic: [person.email, person.password] });

    expect(sessions.map(({ id, current }) => [id, current])).toEqual([[sessionIdOf(person.session), false]]);
  });

  test("has the one that was seen last first, by what only this process knows yet too", async () => {
    const person = await house.person();
    const first = person.session;
    house.clock.advance(minute);
    const second = await signIn(person);
    house.clock.advance(minute);
    const third = await signIn(person);
    expect(await ids({ session: third })).toEqual([third, second, first].map(sessionIdOf));

    house.clock.advance(5 * minute);
    expect(await lives(first)).toBe(true);
    const seen = house.clock.now();
    house.clock.advance(minute);

    const sessions = await list({ session: third });
    expect(sessions.map(({ id }) => id)).toEqual([third, first, second].map(sessionIdOf));
    expect(sessions.map(({ last_seen_at }) => last_seen_at)).toEqual([
      instant(house.clock.now()),
      instant(seen),
      instant(seen - 6 * minute),
    ]);

    // When it is written down, it is no other.
    await house.inside.accounts.flush();
    expect((await list({ session: third }))[1]).toMatchObject({ last_seen_at: instant(seen) });
  });

  test("leaves out what has ended, by sign-out and by time", async () => {
    const person = await house.person();
    const gone = await signIn(person);
    await house.send("DELETE", "/api/sessions", { session: gone });
    expect(await ids({ session: person.session })).toEqual([sessionIdOf(person.session)]);

    house.clock.advance(28 * day);
    expect(await ids({ basic: [person.email, person.password] })).toEqual([]);
  });

  test("leaves out what has lain idle too long", async () => {
    const idle = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "1" });
    const person = await idle.person();
    const used = await signIn(person, { at: idle });
    idle.clock.advance(day - minute);
    expect(await lives(used, idle)).toBe(true);
    idle.clock.advance(minute);

    expect(await ids({ basic: [person.email, person.password] }, idle)).toEqual([sessionIdOf(used)]);
    expect((await end(used, sessionIdOf(person.session), idle)).status).toBe(404);
  });

  const agents: readonly (readonly [agent: string, device: string])[] = [
    [firefox, "Firefox on Linux"],
    [
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
      "Chrome on Android",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      "Safari on iOS",
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
      "Microsoft Edge on Windows",
    ],
    ["curl/8.5.0", "curl"],
    ["python-requests/2.31.0", "python-requests"],
    ["Go-http-client/2.0", "Go-http-client"],
    ["node", "node"],
    ["Mozilla/5.0", "Unknown device"],
    ["", "Unknown device"],
    ["<script>alert(1)</script>/1.0 x", "Unknown device"],
    [`"><img src=x onerror=alert(1)>`, "Unknown device"],
    [`${"x".repeat(4000)}/1.0`, "Unknown device"],
    [`curl/8.5.0 ${"(".repeat(4000)}`, "curl"],
    [`Mozilla/5.0 ${"Chrome/".repeat(500)}`, "Chrome"],
    ["__proto__", "Unknown device"],
    ["caf\u00e9/1.0", "Unknown device"],
  ];

  test.each(agents)("calls %j a device that people know", async (agent, device) => {
    const person = await house.person();
    const session = await signIn(person, { agent });

    const shown = (await list({ session })).find(({ current }) => current === true);

    expect(shown).toMatchObject({ device });
  });
});

describe("DELETE /api/me/sessions/{session_id}", () => {
  test("ends that session at once, and no other", async () => {
    const person = await house.person();
    const [other, third] = [await signIn(person), await signIn(person)];
    expect(await lives(other)).toBe(true);

    const reply = await end(person.session, sessionIdOf(other));

    expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true }, []]);
    expect([await lives(other), await lives(third), await lives(person.session)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(new Set(await ids({ session: third }))).toEqual(new Set([third, person.session].map(sessionIdOf)));
  });

  test("ends the call's own too, and clears its cookie", async () => {
    const person = await house.person();
    const other = await signIn(person);

    const reply = await end(person.session, sessionIdOf(person.session));

    expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true }, [cleared]]);
    expect([await lives(person.session), await lives(other)]).toEqual([false, true]);
  });

  test("by password ends any, and there is no cookie to clear", async () => {
    const { email, password, session } = await house.person();

    const reply = await house.send("DELETE", `/api/me/sessions/${sessionIdOf(session)}`, {
      basic: [email, password],
    });

    expect([reply.status, reply.cookies, await lives(session)]).toEqual([200, [], false]);
  });

  test("knows no session that has ended, never was, or is somebody else's: one answer, and nothing written", async () => {
    const person = await house.person();
    const stranger = await house.person();
    const ended = await signIn(person);
    await end(person.session, sessionIdOf(ended));
    const before = await eventsOf(person);

    const replies = await Promise.all(
      [sessionIdOf(ended), sessionIdOf(stranger.session), "0".repeat(32), "x", "%00"].map((id) =>
        end(person.session, id),
      ),
    );

    for (const { status, text, cookies } of replies) {
      expect([status, text, cookies]).toEqual([404, '"Not found"', []]);
    }
    expect(await lives(stranger.session)).toBe(true);
    expect(await eventsOf(person)).toEqual(before);
  });

  test("ends it once, when it is asked for many times at once", async () => {
    const person = await house.person();
    const other = await signIn(person);

    const replies = await Promise.all(
      Array.from({ length: 12 }, () => end(person.session, sessionIdOf(other))),
    );

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 11 }, () => 404),
    ]);
    expect(await eventsOf(person)).toEqual(["session_ended", "sign_in", "sign_up"]);
  });
});

const eventsOf = async ({ session }: Person) =>
  listOf(fieldsOf((await house.send("GET", "/api/me/audit", { session })).json())["events"]).map(
    ({ event }) => event,
  );

describe("DELETE /api/me/sessions", () => {
  test("ends all others, and says how many", async () => {
    const person = await house.person();
    const others = [await signIn(person), await signIn(person), await signIn(person)];
    const token = await house.tokenOf(person);

    const reply = await house.send("DELETE", "/api/me/sessions", { session: person.session });

    expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true, ended: 3 }, []]);
    for (const other of others) expect(await lives(other)).toBe(false);
    expect(await lives(person.session)).toBe(true);
    expect((await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(200);
    expect((await eventsOf(person))[0]).toBe("sessions_ended");

    const again = await house.send("DELETE", "/api/me/sessions", { session: person.session });
    expect(again.json()).toEqual({ success: true, ended: 0 });
  });

  test("by password ends every one, and counts none that had run out", async () => {
    const own = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "1" });
    const person = await own.person();
    own.clock.advance(2 * day);
    const live = await signIn(person, { at: own });

    const reply = await own.send("DELETE", "/api/me/sessions", { basic: [person.email, person.password] });

    expect(reply.json()).toEqual({ success: true, ended: 1 });
    expect(await lives(live, own)).toBe(false);
  });

  test("leaves everybody else's alone", async () => {
    const [person, neighbour] = [await house.person(), await house.person()];

    await house.send("DELETE", "/api/me/sessions", { session: person.session });

    expect(await lives(neighbour.session)).toBe(true);
  });
});
