import { afterAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { behindProxy, from, series, signIn, signUp, tally } from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader, sessionOf, type Client, type Reply } from "../support/http.ts";

afterAll(stopHouses);

const password = "a quiet river at noon";
const sprayed = "Summer holidays 2026";

/** One try per account. */
const spray = (house: Client, count: number, network: (index: number) => string): Promise<readonly Reply[]> =>
  series(count, (index) => signIn(house, `account${index}@example.com`, sprayed, from(network(index))));

const isIn = async (house: TestHouse, email: string, network: string): Promise<number> =>
  (await signIn(house, email, password, from(network))).status;

test.each([
  ["an IPv4 address", () => "203.0.113.7", "203.0.113.8"],
  [
    "the addresses of an IPv6 /64",
    (index: number) => `2001:db8:0:1:${((index * 7919) & 0xffff).toString(16)}::${index.toString(16)}`,
    "2001:db8:0:2::1",
  ],
])("A07: from %s 200 accounts are tried in ten minutes, and no more", async (_, network, neighbour) => {
  const house = await startHouse(behindProxy);
  await signUp(house, "neighbour@example.com", password, from(neighbour));

  let replies: readonly Reply[] = [];
  const hashed = await hashedDuring(async () => {
    replies = await spray(house, 260, network);
  });
  expect(tally(replies)).toEqual({ 403: 200, 429: 60 });
  expect(hashed).toHaveLength(200);
  expect(replies[200]?.headers).toMatchObject({ "retry-after": "600", "x-remaining-login-attempts": "0" });

  expect(await isIn(house, "neighbour@example.com", neighbour)).toBe(200);
  house.clock.advance(10 * minute - 1);
  expect(tally(await spray(house, 1, network))).toEqual({ 429: 1 });
  house.clock.advance(1);
  expect(tally(await spray(house, 1, network))).toEqual({ 403: 1 });
});

test("A07: two processes of one store count together", async () => {
  const house = await startHouse(behindProxy);
  const twin = await house.twin();
  const network = () => "203.0.113.7";
  const both = [...(await spray(house, 120, network)), ...(await spray(twin, 120, network))];
  expect(tally(both)).toEqual({ 403: 200, 429: 40 });
});

test("A07: whoever is in goes on working in a network that is shut, and right passwords do not shut it", async () => {
  const house = await startHouse({ ...behindProxy, LATCHKEY_NETWORK_TRIES: "20" });
  const office = "203.0.113.7";
  const session = sessionOf(await signUp(house, "colleague@example.com", password, from(office)));
  const token = await house.tokenOf({ email: "colleague@example.com", password, session: session ?? "" });
  expect(
    tally(await series(40, () => signIn(house, "colleague@example.com", password, from(office)))),
  ).toEqual({ 200: 40 });
  expect(tally(await spray(house, 30, () => office))).toEqual({ 403: 20, 429: 10 });

  const asked = async (authorization: Readonly<Record<string, string>>) =>
    (await house.send("GET", "/api/v9/me", { headers: { ...from(office), ...authorization } })).status;
  expect(await asked({ cookie: `__Secure-accounts-session=${session}` })).toBe(200);
  expect(await asked({ authorization: basicHeader(token, "api_token") })).toBe(200);
});
