import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import { sql } from "kysely";
import { confirmReset, series, signIn, signUp, tally, type SentHeaders } from "../support/attacks.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

afterAll(stopHouses);

const password = "a quiet river at noon";

/** Three wrong passwords, three sign-ups from one network; the number of codes is fixed at 100. */
const narrow = { LATCHKEY_NETWORK_TRIES: "3", LATCHKEY_SIGN_UPS: "3" };
const proxied = { ...narrow, LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" };

let guesses = 0;
/** A wrong password for an address that nobody tried before: only the network's count can refuse it. */
const guess = (house: TestHouse, headers: SentHeaders): Promise<Reply> => {
  guesses += 1;
  return signIn(house, `somebody${guesses}@example.com`, "not the password", headers);
};

/** What a stranger's address is said to be by headers that anybody can send, each time another one. */
const forgeries: readonly (readonly [name: string, headers: (index: number) => SentHeaders])[] = [
  ["X-Forwarded-For", (index) => ({ "x-forwarded-for": `203.0.113.${index}` })],
  ["X-Forwarded-For of many", (index) => ({ "x-forwarded-for": `203.0.113.${index}, 198.51.100.${index}` })],
  [
    "X-Forwarded-For, twice",
    (index) => ({ "x-forwarded-for": [`203.0.113.${index}`, `198.51.100.${index}`] }),
  ],
  ["X-Forwarded-For of loopback", (index) => ({ "x-forwarded-for": `127.0.0.${index + 2}` })],
  ["X-Forwarded-For of 10 kB", (index) => ({ "x-forwarded-for": `203.0.113.${index}, `.repeat(700) })],
  ["Forwarded", (index) => ({ forwarded: `for=203.0.113.${index};proto=https;by=127.0.0.1` })],
  ["X-Real-IP", (index) => ({ "x-real-ip": `203.0.113.${index}` })],
  ["X-Real-IP of 10 kB", (index) => ({ "x-real-ip": `203.0.113.${index}`.padEnd(10_000, "0") })],
  ["True-Client-IP", (index) => ({ "true-client-ip": `203.0.113.${index}` })],
  ["CF-Connecting-IP", (index) => ({ "cf-connecting-ip": `203.0.113.${index}` })],
  ["X-Client-IP", (index) => ({ "x-client-ip": `203.0.113.${index}` })],
  ["X-Cluster-Client-IP", (index) => ({ "x-cluster-client-ip": `203.0.113.${index}` })],
  ["Fastly-Client-IP", (index) => ({ "fastly-client-ip": `203.0.113.${index}` })],
  ["X-Originating-IP", (index) => ({ "x-originating-ip": `203.0.113.${index}` })],
  ["X-Remote-Addr", (index) => ({ "x-remote-addr": `203.0.113.${index}` })],
  ["Via", (index) => ({ via: `1.1 203.0.113.${index}` })],
];
const isForwardedFor = ([name]: (typeof forgeries)[number]): boolean => name.startsWith("X-Forwarded-For");

/** A house that counts anew. */
const rested = (house: TestHouse): TestHouse => {
  house.clock.advance(hour);
  return house;
};

describe("without a trusted proxy", () => {
  let bare: TestHouse;
  beforeAll(async () => {
    bare = await startHouse(narrow);
  });

  test.each(forgeries)("A09: %s is nothing", async (_, headers) => {
    const house = rested(bare);
    const tried = await series(6, (index) => guess(house, headers(index + 1)));
    expect(tally(tried)).toEqual({ 403: 3, 429: 3 });
    const seen = await sql<{ address: string }>`select distinct address from audit_events`.execute(
      house.inside.store.query,
    );
    expect(seen.rows).toEqual([{ address: "127.0.0.1" }]);
  });
});

describe("behind a trusted proxy", () => {
  let behind: TestHouse;
  beforeAll(async () => {
    behind = await startHouse(proxied);
  });

  test.each(forgeries.filter((one) => !isForwardedFor(one)))(
    "A09: %s is nothing, neither alone nor beside the true hop",
    async (_, headers) => {
      const house = rested(behind);
      const alone = await series(5, (index) => guess(house, headers(index + 1)));
      expect(tally(alone)).toEqual({ 403: 3, 429: 2 });
      const beside = await series(5, (index) =>
        guess(house, { ...headers(index + 1), "x-forwarded-for": "198.51.100.7" }),
      );
      expect(tally(beside)).toEqual({ 403: 3, 429: 2 });
    },
  );

  test("A09: only the right-most hop that is not a proxy of ours counts, whatever stands before it", async () => {
    const house = await startHouse({
      ...proxied,
      LATCHKEY_TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8,fd00::/8",
    });
    const spellings = [
      "203.0.113.7",
      "198.51.100.1, 203.0.113.7",
      "10.9.9.9, 203.0.113.7",
      "unknown, 203.0.113.7",
      "'; drop table tries; --, 203.0.113.7",
      "203.0.113.7, 10.1.2.3",
      "198.51.100.2, 203.0.113.7, fd00::12, 10.1.2.3",
      ",,,203.0.113.7",
      "203.0.113.7:61234",
    ];
    const tried = [];
    for (const hops of spellings) tried.push(await guess(house, { "x-forwarded-for": hops }));
    expect(tried.map(({ status }) => status)).toEqual([
      403,
      403,
      403,
      ...Array.from({ length: 6 }, () => 429),
    ]);
    // Two lines are one list.
    expect((await guess(house, { "x-forwarded-for": ["198.51.100.3", "203.0.113.7"] })).status).toBe(429);
    // Nobody of those who only stood in front was counted, and neither was the proxy.
    for (const free of ["198.51.100.1", "10.9.9.9", "198.51.100.2", "198.51.100.3"]) {
      expect((await guess(house, { "x-forwarded-for": free })).status, free).toBe(403);
    }
    expect((await guess(house, {})).status).toBe(403);
  });

  test("A09: what can't be read counts as the proxy itself: never as nobody, never as an error", async () => {
    const house = rested(behind);
    const unreadable = [
      "unknown",
      "203.0.113.7, unknown",
      "203.0.113.7, _hidden",
      "999.1.2.3",
      "203.0.113.7.8",
      "0x7f.1",
      "203.0.113.7/32",
      "2001:db8::1::2",
      "[2001:db8::1",
      "203.0.113.7:port",
      "203.0.113.7,",
      " ",
      "\u00e9\u00e8",
      "for=203.0.113.7",
      `203.0.113.7, ${"9".repeat(10_000)}`,
      `${"9".repeat(10_000)}, 203.0.113.7`,
      "203.0.113.7,".repeat(33),
      `${"127.0.0.1, ".repeat(900)}127.0.0.1`,
      `203.0.113.7${", 127.0.0.1".repeat(33)}`,
    ];
    const tried = [];
    for (const value of unreadable) tried.push((await guess(house, { "x-forwarded-for": value })).status);
    expect(tried).toEqual([403, 403, 403, ...unreadable.slice(3).map(() => 429)]);
    expect((await guess(house, {})).status).toBe(429);
    expect((await guess(house, { "x-forwarded-for": "203.0.113.7" })).status).toBe(403);
    expect(house.logs.filter((line) => line.includes('"request_failed"'))).toEqual([]);
  });

  test("A09: a peer that is no proxy of ours is taken by its socket, whatever it forwards", async () => {
    const house = await startHouse({ ...narrow, LATCHKEY_TRUSTED_PROXIES: "10.0.0.0/8,127.0.0.2" });
    const tried = await series(6, (index) => guess(house, { "x-forwarded-for": `203.0.113.${index}` }));
    expect(tally(tried)).toEqual({ 403: 3, 429: 3 });
  });

  test("A09: sign-ups and codes are counted by the same network as passwords", async () => {
    const house = rested(behind);
    const forwarded = (index: number) => ({ "x-forwarded-for": `198.51.100.${index % 200}, 203.0.113.7` });
    const elsewhere = { "x-forwarded-for": "203.0.113.7, 203.0.113.8" };

    const signUps = await series(5, (index) =>
      signUp(house, `newcomer${index}@example.com`, password, forwarded(index)),
    );
    expect(signUps.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect((await signUp(house, "neighbour@example.com", password, elsewhere)).status).toBe(200);

    const code = "0".repeat(26);
    const codes = await series(103, (index) => confirmReset(house, code, password, forwarded(index)));
    expect(tally(codes)).toEqual({ 400: 100, 429: 3 });
    expect((await confirmReset(house, code, password, elsewhere)).status).toBe(400);
  });
});
