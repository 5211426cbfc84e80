import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_TRUSTED_PROXIES: "127.0.0.1", LATCHKEY_BURST: "1000" });
});
afterAll(stopHouses);

const page = async ({ session }: Person, query = "") => {
  const reply = await house.send("GET", `/api/me/audit${query}`, { session });
  expect(reply.status).toBe(200);
  const { success, events, next, ...rest } = fieldsOf(reply.json());
  expect([success, rest]).toEqual([true, {}]);
  return { events: listOf(events), next };
};

const times = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let index = 0; index < count; index += 1) await work();
};

describe("GET /api/me/audit", () => {
  test("tells what happened lately, the newest first: when, by what, from where, on which device", async () => {
    const person = await house.person();
    const { email, password, session } = person;
    const since = house.clock.now();
    house.clock.advance(minute);
    await house.send("POST", "/api/sessions", {
      json: { email, password: "not the password" },
      headers: { "x-forwarded-for": "203.0.113.7", "user-agent": "curl/8.5.0" },
    });
    house.clock.advance(minute);
    await house.send("DELETE", "/api/me/sessions", { basic: [email, password] });
    await house.send("POST", "/api/sessions", { json: { email, password } });

    const { events, next } = await page({ ...person, session: await fresh(person) });

    expect(next).toBeNull();
    expect(events.slice(-5)).toEqual([
      expect.objectContaining({ event: "sign_in", outcome: "done", channel: "password", details: null }),
      expect.objectContaining({ event: "sessions_ended", channel: "password", details: { ended: 1 } }),
      expect.objectContaining({ event: "basic_password", channel: "password" }),
      {
        id: expect.any(Number),
        at: new Date(since + minute).toISOString(),
        event: "password_refused",
        outcome: "refused",
        channel: "password",
        address: "203.0.113.7",
        device: "curl",
        details: null,
      },
      {
        id: expect.any(Number),
        at: new Date(since).toISOString(),
        event: "sign_up",
        outcome: "done",
        channel: "password",
        address: "127.0.0.1",
        device: "Unknown device",
        details: null,
      },
    ]);
    const ids = events.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((one, other) => other - one));
    // The session of the sign-up was ended.
    expect((await house.send("GET", "/api/me/audit", { session })).status).toBe(403);
  });

  test("tells 50 at a time, and where the next page begins", async () => {
    const person = await house.person();
    // With the sign-up 101: the last page begins with the last event.
    await times(100, () => house.send("DELETE", "/api/me/sessions", { session: person.session }));

    const first = await page(person);
    const second = await page(person, `?before=${String(first.next)}`);
    const third = await page(person, `?before=${String(second.next)}`);

    expect([first, second, third].map(({ events }) => events.length)).toEqual([50, 50, 1]);
    expect(first.next).toBe(first.events.at(-1)?.["id"]);
    expect(third.next).toBeNull();
    const all = [first, second, third].flatMap(({ events }) => events.map(({ id }) => id));
    expect(new Set(all).size).toBe(101);
    expect(third.events).toEqual([expect.objectContaining({ event: "sign_up" })]);
    // What came meanwhile moves no page.
    await house.send("DELETE", "/api/me/sessions", { session: person.session });
    expect(await page(person, `?before=${String(first.next)}`)).toEqual(second);
  });

  test("of exactly 50 events has no next page", async () => {
    const person = await house.person();
    await times(49, () => house.send("DELETE", "/api/me/sessions", { session: person.session }));

    const { events, next } = await page(person);

    expect([events.length, next]).toEqual([50, null]);
  });

  test.each([
    ["0", 0],
    ["1", 0],
    ["999999999999999", 1],
  ])("with before=%s has %i events", async (before, count) => {
    const person = await house.person();

    const { events, next } = await page(person, `?before=${before}`);

    expect([events.length, next]).toEqual([count, null]);
  });

  test.each([
    "",
    "x",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "%201",
    "9".repeat(16),
    "9".repeat(400),
    "NaN",
    "null",
    "%00",
  ])("refuses before=%s by name", async (before) => {
    const { session } = await house.person();

    const reply = await house.send("GET", `/api/me/audit?before=${before}`, {
      session,
      headers: { accept: "application/problem+json" },
    });

    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({
      code: "input_invalid",
      errors: [{ field: "before", rule: "type", message: "before must be a whole number" }],
    });
  });

  test("reads no names or texts out of what strangers sent", async () => {
    const person = await house.person();
    await house.send("POST", "/api/sessions", {
      json: { email: person.email, password: "not the password" },
      headers: { "user-agent": "<img src=x onerror=alert(1)>" },
    });

    const { events } = await page(person);

    expect(events[0]).toMatchObject({ event: "password_refused", device: "Unknown device" });
    expect(JSON.stringify(events)).not.toMatch(/[<>]|not the password/);
  });

  test("is left as it was by being read", async () => {
    const person = await house.person();
    const before = await page(person);

    await times(3, () => page(person));

    expect(await page(person)).toEqual(before);
  });
});

const fresh = async ({ email, password }: Person): Promise<string> => {
  const reply = await house.send("POST", "/api/sessions", { json: { email, password } });
  return reply.cookies[0]?.split(/[=;]/, 2)[1] ?? "";
};
