import { afterAll, expect, test } from "vitest";
import { behindProxy, from, series, signIn, tally } from "../support/attacks.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

afterAll(stopHouses);

const narrow = { ...behindProxy, LATCHKEY_NETWORK_TRIES: "3" };

let guesses = 0;
const guess = (house: TestHouse, address: string): Promise<Reply> => {
  guesses += 1;
  return signIn(house, `somebody${guesses}@example.com`, "not the password", from(address));
};

const guessFromEach = async (house: TestHouse, addresses: readonly string[]): Promise<readonly number[]> => {
  const statuses = [];
  for (const address of addresses) statuses.push((await guess(house, address)).status);
  return statuses;
};

const hex = (number: number): string => (number & 0xffff).toString(16);

test("A10: 1,000 addresses of one /64 are one network", async () => {
  const house = await startHouse(narrow);
  const replies = await series(1000, (index) =>
    guess(
      house,
      `2001:db8:aa:bb:${hex(index * 31)}:${hex(index * 7919)}:${hex(index * 104_729)}:${hex(index)}`,
    ),
  );
  expect(tally(replies)).toEqual({ 403: 3, 429: 997 });
  expect((await guess(house, "2001:db8:aa:bc::1")).status).toBe(403);
  expect((await guess(house, "2001:db8:ab:bb::1")).status).toBe(403);
});

test("A10: every spelling of an IPv6 address is the same network", async () => {
  const house = await startHouse(narrow);
  const spellings = [
    "2001:db8:0:1:0:0:0:7",
    "2001:DB8:0:1::7",
    "2001:0db8:0000:0001:0000:0000:0000:0007",
    "2001:db8:0:1::0.0.0.7",
    "[2001:db8:0:1::7]",
    "[2001:DB8::1:0:0:0:7]:443",
    "2001:db8:0:1::7%eth0",
    "  2001:db8:0:1::7\t",
  ];
  expect(await guessFromEach(house, spellings)).toEqual([403, 403, 403, 429, 429, 429, 429, 429]);
});

test("A10: an IPv4 address is the same network when it is written as IPv6", async () => {
  const house = await startHouse(narrow);
  const spellings = [
    "203.0.113.7",
    "::ffff:203.0.113.7",
    "::FFFF:203.0.113.7",
    "::ffff:cb00:7107",
    "0:0:0:0:0:ffff:cb00:7107",
    "0000:0000:0000:0000:0000:FFFF:CB00:7107",
    "[::ffff:203.0.113.7]:61234",
    "203.0.113.7:61234",
  ];
  expect(await guessFromEach(house, spellings)).toEqual([403, 403, 403, 429, 429, 429, 429, 429]);
  // All mapped addresses lie in one /64, and yet are not one network.
  expect((await guess(house, "::ffff:203.0.113.8")).status).toBe(403);
});

test("A10: IPv4 neighbours are networks of their own", async () => {
  const house = await startHouse(narrow);
  expect(tally(await series(20, (index) => guess(house, `203.0.113.${index}`)))).toEqual({ 403: 20 });
});
