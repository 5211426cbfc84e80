import { afterAll, describe, expect, test } from "vitest";
import { startHouse, stopHouses } from "../support/house.ts";
import { type Reply } from "../support/http.ts";

afterAll(stopHouses);

const quotaOf = ({ headers }: Reply): readonly unknown[] => [
  headers["x-toggl-quota-remaining"],
  headers["x-toggl-quota-resets-in"],
];

describe("the hourly quota", () => {
  test("is told with every answer to a caller who is known, good or bad", async () => {
    const house = await startHouse();
    const { session } = await house.person();
    const send = (method: string, path: string, json?: unknown) =>
      house.send(method, path, { session, json });

    const replies = [
      await send("GET", "/api/v9/me"),
      await send("GET", "/api/v9/me/logged"),
      await send("PUT", "/api/v9/me", { timezone: "Mars" }),
      await send("GET", "/api/v9/workspaces/1000000"),
      await send("POST", "/api/v9/me/reset_token"),
    ];

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 404, 200]);
    // Node joins repeated headers with a comma, so that each of these was there once.
    expect(replies.map(quotaOf)).toEqual(
      ["35999", "35998", "35997", "35996", "35995"].map((left) => [left, "3600"]),
    );
  });

  test("used up is 402 with both headers once, remaining 0, on every channel of the account", async () => {
    const house = await startHouse({ LATCHKEY_QUOTA: "3" });
    const person = await house.person();
    const token = await house.tokenOf(person);
    house.clock.advance(600_000);
    await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] });
    await house.send("GET", "/api/v9/me", { basic: [person.email, person.password] });

    for (const sent of [{ session: person.session }, { basic: [token, "api_token"] as const }]) {
      for (const path of ["/api/v9/me", "/api/v9/me/logged", "/api/v9/me/quota"]) {
        const reply = await house.send("GET", path, sent);
        expect(reply.status).toBe(402);
        expect(quotaOf(reply)).toEqual(["0", "3000"]);
        expect(reply.headers["retry-after"]).toBe("3000");
        expect(reply.json()).toBe("The hourly limit of 3 calls is used up. It resets in 3000 seconds.");
      }
    }
  });

  test("is over an hour after the first call", async () => {
    const house = await startHouse({ LATCHKEY_QUOTA: "2" });
    const { session } = await house.person();
    const me = async () => (await house.send("GET", "/api/v9/me", { session })).status;

    expect([await me(), await me(), await me()]).toEqual([200, 200, 402]);
    house.clock.advance(3_599_000);
    expect(await me()).toBe(402);
    house.clock.advance(1000);
    expect([await me(), await me(), await me()]).toEqual([200, 200, 402]);
  });

  test("lets sign-in, sign-out and closing go on", async () => {
    const house = await startHouse({ LATCHKEY_QUOTA: "1" });
    const person = await house.person();
    const token = await house.tokenOf(person);
    expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(402);

    expect((await house.send("GET", "/api/sessions", { basic: [token, "api_token"] })).status).toBe(200);
    const { email, password } = person;
    expect((await house.send("POST", "/api/sessions", { json: { email, password } })).status).toBe(200);
    house.clock.advance(3_600_000);
    expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(200);
    expect(
      (await house.send("POST", "/api/me/close_account/track", { session: person.session })).status,
    ).toBe(200);
  });

  test("is one account's own", async () => {
    const house = await startHouse({ LATCHKEY_QUOTA: "1" });
    const [one, two] = [await house.person(), await house.person()];
    const me = async (session: string) => (await house.send("GET", "/api/v9/me", { session })).status;

    expect([await me(one.session), await me(one.session), await me(two.session)]).toEqual([200, 402, 200]);
  });
});

describe("a thief who used up the quota with a stolen token", () => {
  test("can't keep the owner from replacing it, changing the password, and closing", async () => {
    const house = await startHouse({ LATCHKEY_QUOTA: "3" });
    const owner = await house.person();
    const token = await house.tokenOf(owner);
    const asThief = () => house.send("GET", "/api/v9/me/id", { basic: [token, "api_token"] });
    for (let call = 0; call < 4; call++) await asThief();
    expect((await asThief()).status).toBe(402);

    const { session, password } = owner;
    expect((await house.send("POST", "/api/v9/me/reset_token", { session })).status).toBe(200);
    expect((await asThief()).status).toBe(403);
    const json = { current_password: password, password: "another river at dusk" };
    expect((await house.send("PUT", "/api/v9/me", { session, json })).status).toBe(200);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(402);
    expect((await house.send("POST", "/api/v9/me/close_account", { session })).status).toBe(200);
  });
});

describe("the quota headers", () => {
  test.each([
    ["without credentials", {}, "/api/v9/me", 401],
    ["with wrong ones", { basic: ["x", "y"] }, "/api/v9/me", 403],
    ["of an open call", {}, "/api/v9/status", 200],
    ["of an unknown path", {}, "/api/v9/nothing", 404],
  ] as const)("stand on an answer %s too", async (_, credentials, path, status) => {
    const reply = await (await startHouse()).send("GET", path, credentials);

    expect(reply.status).toBe(status);
    expect(quotaOf(reply)).toEqual(["36000", "3600"]);
  });
});

describe("GET /api/v9/me/quota", () => {
  test("tells what is left, in the recorded form", async () => {
    const house = await startHouse();
    const { session } = await house.person();
    await house.send("GET", "/api/v9/me", { session });
    house.clock.advance(60_000);

    const reply = await house.send("GET", "/api/v9/me/quota", { session });

    expect(reply.json()).toEqual([
      { organization_id: null, remaining: 35_998, resets_in_secs: 3540, total: 36_000 },
    ]);
    expect(quotaOf(reply)).toEqual(["35998", "3540"]);
  });
});

describe("the leaky bucket", () => {
  test("refuses with 429 and Retry-After what comes too fast, and lets on what leaks out", async () => {
    const house = await startHouse({ LATCHKEY_RATE: "2", LATCHKEY_BURST: "3" });
    const { session } = await house.person();
    const me = () => house.send("GET", "/api/v9/me", { session });
    const drain = async () => [
      (await me()).status,
      (await me()).status,
      (await me()).status,
      (await me()).status,
    ];

    expect(await drain()).toEqual([200, 200, 200, 429]);
    const refused = await me();
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.json()).toBe("Too many requests. Slow down.");
    // What was refused did not use the quota, and the headers are there all the same.
    expect(quotaOf(refused)).toEqual(["35997", "3600"]);

    house.clock.advance(500);
    expect([(await me()).status, (await me()).status]).toEqual([200, 429]);
    house.clock.advance(60_000);
    expect(await drain()).toEqual([200, 200, 200, 429]);
  });

  test("is each credential's own", async () => {
    const house = await startHouse({ LATCHKEY_RATE: "1", LATCHKEY_BURST: "1" });
    const person = await house.person();
    const token = await house.tokenOf(person);
    const status = async (path: string, sent: Parameters<typeof house.send>[2]) =>
      (await house.send("GET", path, sent)).status;

    expect(await status("/api/v9/me", { session: person.session })).toBe(429);
    expect(await status("/api/v9/me", { basic: [token, "api_token"] })).toBe(200);
    expect(await status("/api/v9/me/logged", { basic: [token, "api_token"] })).toBe(429);
    expect(await status("/api/v9/me", { basic: [person.email, person.password] })).toBe(200);
    expect(await status("/api/v9/me", { session: (await house.person()).session })).toBe(200);
  });

  test("lets 100 calls at once through unless it is set", async () => {
    const house = await startHouse();
    const { session } = await house.person();

    const replies = await Promise.all(
      Array.from({ length: 110 }, () => house.send("GET", "/api/v9/me/logged", { session })),
    );

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(10);
  });
});
