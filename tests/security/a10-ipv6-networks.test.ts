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

test("A10: the /64s of one /56 have eight times the tries of one, and those of a /48 32 times", async () => {
  const house = await startHouse(narrow);
  const inFirst = await series(100, (index) => guess(house, `2001:db8:ac:${hex(0x100 + index)}::1`));
  expect(tally(inFirst)).toEqual({ 403: 24, 429: 76 });
  const inOthers = await series(100, (index) => guess(house, `2001:db8:ac:${hex(0x200 + index * 256)}::1`));
  expect(tally(inOthers)).toEqual({ 403: 72, 429: 28 });
  expect((await guess(house, "2001:db8:ad::1")).status).toBe(403);
});

test("A10: an IPv6 address that stands for an IPv4 one counts as that", async () => {
  const house = await startHouse(narrow);
  const spellings = [
    "203.0.113.9",
    // 6to4, whichever of its 2^80 addresses
    "2002:cb00:7109::1",
    "2002:cb00:7109:ffff::1",
    // NAT64
    "64:ff9b::203.0.113.9",
    // Teredo has it inverted
    "2001:0:53aa:64c:0:0:34ff:8ef6",
  ];
  expect(await guessFromEach(house, spellings)).toEqual([403, 403, 403, 429, 429]);
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
