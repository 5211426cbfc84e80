import { afterAll, expect, test } from "vitest";
import {
  audited,
  behindProxy,
  elsewhere,
  from,
  series,
  signIn,
  signUp,
  tally,
  times,
} from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses } from "../support/house.ts";
import { sessionOf, type Reply } from "../support/http.ts";

afterAll(stopHouses);

const victim = "victim@example.com";
const password = "a quiet river at noon";

/** The replies, and how many of them cost a hash. */
const racing = async (race: () => Promise<readonly Reply[]>) => {
  let replies: readonly Reply[] = [];
  const hashed = await hashedDuring(async () => {
    replies = await race();
  });
  return { replies, hashed: hashed.length };
};

test("A11: of 500 guesses at once ten reach the hash function", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "64" });
  await signUp(house, victim, password);
  const { replies, hashed } = await racing(() =>
    times(500, (index) => signIn(house, victim, `guess number ${index}`, elsewhere())),
  );
  expect(tally(replies)).toEqual({ 403: 10, 429: 490 });
  expect(hashed).toBe(10);
  expect(await audited(house, "password_refused", victim)).toBe(10);
});

test("A11: nor more when they come to two processes of one store, by every kind of call", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "64" });
  await signUp(house, victim, password);
  const twin = await house.twin();
  const { replies, hashed } = await racing(() =>
    times(250, (index) => {
      const to = index % 2 === 0 ? house : twin;
      const guess = `guess number ${index}`;
      if (index % 3 === 0) return signIn(to, victim, guess, elsewhere());
      const path = index % 3 === 1 ? "/api/v9/me" : "/api/sessions";
      return to.send("GET", path, { basic: [victim, guess], headers: elsewhere() });
    }),
  );
  expect(tally(replies)).toEqual({ 403: 10, 429: 240 });
  expect(hashed).toBe(10);
});

test("A11: a network's limit holds against 150 guesses at once at 150 addresses", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_NETWORK_TRIES: "20", LATCHKEY_HASHES: "64" });
  const twin = await house.twin();
  const { replies, hashed } = await racing(() =>
    times(150, (index) =>
      signIn(
        index % 2 === 0 ? house : twin,
        `account${index}@example.com`,
        "Summer holidays 2026",
        from("203.0.113.7"),
      ),
    ),
  );
  expect(tally(replies)).toEqual({ 403: 20, 429: 130 });
  expect(hashed).toBe(20);
});

test("A11: right passwords among the guesses give back their own try only", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "64" });
  await signUp(house, victim, password);
  const { replies } = await racing(() =>
    times(120, (index) =>
      signIn(house, victim, index % 5 === 0 ? password : `guess number ${index}`, elsewhere()),
    ),
  );
  // What was right was let in or told to wait; nothing else happened to anybody.
  expect(replies.every(({ status }) => [200, 403, 429].includes(status))).toBe(true);
  // A right password may have held the last try until all guesses were over, and has given it back by now.
  const wrong = (all: readonly Reply[]): number => all.filter(({ status }) => status === 403).length;
  const later = await series(11 - wrong(replies), () => signIn(house, victim, "one guess more", elsewhere()));
  expect(later.at(-1)?.status).toBe(429);
  expect(wrong([...replies, ...later])).toBe(10);
});

test("A11: guesses at the current password within a session race no better", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "64" });
  const session = sessionOf(await signUp(house, victim, password));
  const { replies, hashed } = await racing(() =>
    times(90, (index) =>
      house.send("PUT", "/api/v9/me", {
        session,
        json: { current_password: `guess number ${index}`, password: "the attacker's own choice" },
      }),
    ),
  );
  expect(tally(replies)).toEqual({ 400: 10, 429: 80 });
  expect(hashed).toBe(10);
});

test("A11: the same wrong pair, 100 times at once, costs no more than ten others", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "64" });
  await signUp(house, victim, password);
  const { hashed } = await racing(() =>
    times(100, () =>
      house.send("GET", "/api/v9/me", { basic: [victim, "the same guess"], headers: elsewhere() }),
    ),
  );
  expect(hashed).toBeLessThanOrEqual(10);
});
