import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  passwordDoors,
  resetCode,
  series,
  sessionsOf,
  signIn,
  tally,
  type Door,
} from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";

let house: TestHouse;
let victim: Person;
let token: string;
beforeAll(async () => {
  house = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "1000" });
});
afterAll(stopHouses);
// A person of their own for each test: what is counted is counted for the address.
beforeEach(async () => {
  victim = await house.person();
  token = await house.tokenOf(victim);
});

const guesses = (door: Door, count: number): Promise<readonly Reply[]> =>
  series(count, (index) =>
    door.knock(house, victim.email, `guess number ${index} at ${door.name}`, elsewhere()),
  );

const isAlive = async (): Promise<boolean> =>
  (await house.send("GET", "/api/v9/me", { session: victim.session })).status === 200;

describe.each(passwordDoors)("$name", (door) => {
  test("A12: ten wrong passwords there close every other door, also to the right one", async () => {
    expect(tally(await guesses(door, 11))).toEqual({ 403: 10, 429: 1 });

    for (const other of passwordDoors) {
      let reply: Reply | undefined;
      const hashed = await hashedDuring(async () => {
        reply = await other.knock(house, victim.email, victim.password, elsewhere());
      });
      expect([reply?.status, hashed.length], other.name).toEqual([429, 0]);
      expect(reply?.headers, other.name).toMatchObject({
        "retry-after": "2",
        "x-remaining-login-attempts": "0",
      });
    }
    // What the doors would have ended or closed is still there.
    expect(await isAlive()).toBe(true);
    expect(await house.tokenOf(victim)).toBe(token);
  });

  test("A12: a wrong password there counts like one anywhere else", async () => {
    for (const other of passwordDoors) expect(tally(await guesses(other, 1))).toEqual({ 403: 1 });
    expect(tally(await guesses(door, 3))).toEqual({ 403: 2, 429: 1 });
  });
});

/** Whatever proves, or seems to prove, that the owner is there. */
const successes: readonly (readonly [
  name: string,
  sent: () => readonly [method: string, path: string, sent: Sent],
])[] = [
  ["the session", () => ["GET", "/api/v9/me", { session: victim.session }]],
  ["the session on /api/sessions", () => ["GET", "/api/sessions", { session: victim.session }]],
  ["the token", () => ["GET", "/api/v9/me", { basic: [token, "api_token"] }]],
  [
    "a password that was right a moment ago",
    () => ["GET", "/api/v9/me", { basic: [victim.email, victim.password] }],
  ],
  [
    "the current password within the session",
    () => [
      "PUT",
      "/api/v9/me",
      { session: victim.session, json: { current_password: victim.password, password: victim.password } },
    ],
  ],
  ["a new token", () => ["POST", "/api/v9/me/reset_token", { session: victim.session }]],
  [
    "a request for a reset",
    () => ["POST", "/api/me/password_reset/request", { json: { email: victim.email }, headers: elsewhere() }],
  ],
];

test.each(successes)("A12: %s clears no guesses, before and after the limit", async (_, sent) => {
  const use = async (): Promise<number> => {
    const [method, path, options] = sent();
    return (await house.send(method, path, options)).status;
  };
  expect((await house.send("GET", "/api/v9/me", { basic: [victim.email, victim.password] })).status).toBe(
    200,
  );
  await series(9, (index) => signIn(house, victim.email, `guess number ${index}`, elsewhere()));
  expect(await use()).toBe(200);
  expect((await signIn(house, victim.email, "the tenth guess", elsewhere())).status).toBe(403);
  await use();
  expect((await signIn(house, victim.email, "the eleventh guess", elsewhere())).status).toBe(429);
});

test.each(passwordDoors.filter(({ harmless }) => harmless))(
  "A12: $name with the right password gives back its own try and no other",
  async (door) => {
    await series(9, (index) => signIn(house, victim.email, `guess number ${index}`, elsewhere()));
    expect((await door.knock(house, victim.email, victim.password, elsewhere())).status).toBe(200);
    expect((await signIn(house, victim.email, "the tenth guess", elsewhere())).status).toBe(403);
    expect((await signIn(house, victim.email, "the eleventh guess", elsewhere())).status).toBe(429);
  },
);

test("A12: the tries are the address's own, however it is spelled", async () => {
  const { email } = victim;
  const spellings = [
    email.toUpperCase(),
    ` ${email}`,
    `${email}\t`,
    email.replace("example.com", "EXAMPLE.com"),
  ];
  for (const [index, spelling] of spellings.entries()) {
    const tried = await series(3, (count) =>
      signIn(house, spelling, `guess number ${count} at spelling ${index}`, elsewhere()),
    );
    expect(tally(tried), spelling).toEqual(index < 3 ? { 403: 3 } : { 403: 1, 429: 2 });
  }
});

test("A12: another address has its own", async () => {
  await guesses(passwordDoors[0] ?? never(), 12);
  const neighbour = await house.person();
  expect((await signIn(house, neighbour.email, neighbour.password, elsewhere())).status).toBe(200);
});

const never = (): never => {
  throw new Error("There are doors");
};

const proveWrongly = (keys: Sent, count: number): Promise<readonly Reply[]> =>
  series(count, (index) =>
    house.send("PUT", "/api/v9/me", {
      ...keys,
      json: { current_password: `guess number ${index}`, password: "the attacker's own choice" },
    }),
  );

test("A12: the current password within a session has tries of its own, which close no door and no other session", async () => {
  const tried = await proveWrongly({ session: victim.session }, 12);
  expect(tally(tried)).toEqual({ 400: 10, 429: 2 });
  expect(tried.at(-1)?.headers).toMatchObject({ "retry-after": "2", "x-remaining-login-attempts": "0" });

  const right = { current_password: victim.password, password: "a different river at dawn" };
  const hashed = await hashedDuring(async () => {
    expect((await house.send("PUT", "/api/v9/me", { session: victim.session, json: right })).status).toBe(
      429,
    );
  });
  expect(hashed).toEqual([]);

  // A change of the address asks for the same proof, and gets the same answer.
  const move = { current_password: victim.password, email: "moved@example.com" };
  expect((await house.send("PUT", "/api/v9/me", { session: victim.session, json: move })).status).toBe(429);

  expect((await signIn(house, victim.email, victim.password, elsewhere())).status).toBe(200);
  house.clock.advance(2000);
  expect((await house.send("PUT", "/api/v9/me", { session: victim.session, json: right })).status).toBe(200);
});

test("A12: behind a token the current password is guessed no faster", async () => {
  expect(tally(await proveWrongly({ basic: [token, "api_token"] }, 12))).toEqual({ 400: 10, 429: 2 });
  // A new token is the same credential, and no way to new tries.
  const replaced = await house.send("POST", "/api/v9/me/reset_token", { basic: [token, "api_token"] });
  expect(tally(await proveWrongly({ basic: [String(replaced.json()), "api_token"] }, 2))).toEqual({ 429: 2 });
});

test("A12: guessed codes close no door, and a code that was right clears the address it belongs to, and no other", async () => {
  const neighbour = await house.person();
  await guesses(passwordDoors[0] ?? never(), 12);
  await series(12, (index) => signIn(house, neighbour.email, `guess number ${index}`, elsewhere()));
  await series(12, () => confirmReset(house, "0".repeat(26), "a different river at dawn"));
  expect((await signIn(house, victim.email, victim.password, elsewhere())).status).toBe(429);

  const code = await resetCode(house, victim.email);
  expect((await confirmReset(house, code, "a different river at dawn")).status).toBe(200);
  expect((await signIn(house, victim.email, "a different river at dawn", elsewhere())).status).toBe(200);
  expect((await signIn(house, neighbour.email, neighbour.password, elsewhere())).status).toBe(429);
  expect(await sessionsOf(house, victim.email)).toBe(2);
});
