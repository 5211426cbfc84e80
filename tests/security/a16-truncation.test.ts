import { hash as argonHash } from "@node-rs/argon2";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signIn, signUp } from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

let people = 0;
const newcomer = async (password: string): Promise<string> => {
  people += 1;
  const email = `cut${people}@example.com`;
  const reply = await signUp(house, email, password);
  if (reply.status !== 200) throw new Error(`Sign-up failed: ${reply.text}`);
  return email;
};

const byJson = async (email: string, password: string): Promise<number> =>
  (await signIn(house, email, password)).status;
const byBasic = async (email: string, password: string): Promise<number> =>
  (await house.send("GET", "/api/v9/me", { basic: [email, password] })).status;

const printable = (minLength: number, maxLength: number) =>
  fc.string({ unit: "grapheme-ascii", minLength, maxLength });

/** Two passwords that begin with the same 72 bytes or more, and differ behind them. */
const twoLong = fc
  .record({ head: printable(72, 300), one: printable(0, 20), other: printable(0, 20) })
  .filter(({ one, other }) => one !== other)
  .map(({ head, one, other }) => ({ password: `quiet ${head}${one}`, guess: `quiet ${head}${other}` }));

test("A16: passwords that differ behind byte 72 are different, on every channel", async () => {
  causesAnyNumber();
  await fc.assert(
    fc.asyncProperty(twoLong, async ({ password, guess }) => {
      const email = await newcomer(password);
      expect(await byJson(email, guess)).toBe(403);
      expect(await byBasic(email, guess)).toBe(403);
      expect(await byJson(email, password)).toBe(200);
      expect(await byBasic(email, password)).toBe(200);
    }),
    { numRuns: 25 },
  );
});

test("A16: and those that differ in the last of 1,024 characters", async () => {
  const head = `quiet ${"🌊".repeat(1017)}`;
  const email = await newcomer(`${head}a`);
  expect(await byJson(email, `${head}b`)).toBe(403);
  expect(await byJson(email, head)).toBe(403);
  expect(await byJson(email, `${head}a`)).toBe(200);
});

/** An account from the time when a password with a control character in it could be chosen. */
const oldAccount = async (password: string): Promise<string> => {
  const email = await newcomer("quiet river at noon");
  const hash = await argonHash(password, { memoryCost: 64, timeCost: 1, parallelism: 1 });
  await sql`update accounts set password_hash = ${hash} where email = ${email}`.execute(
    house.inside.store.query,
  );
  return email;
};

/** A password with a NUL in it, and others that are the same up to there. */
const withNul = fc
  .record({ head: printable(8, 100), tail: printable(1, 20), other: printable(0, 20) })
  .filter(({ tail, other }) => tail !== other)
  .map(({ head, tail, other }) => ({
    password: `quiet ${head}\0${tail}`,
    guesses: [`quiet ${head}`, `quiet ${head}\0`, `quiet ${head}\0${other}`, `quiet ${head}\0\0${tail}`],
  }));

test("A16: a NUL ends no password", async () => {
  causesAnyNumber();
  await fc.assert(
    fc.asyncProperty(withNul, async ({ password, guesses }) => {
      const email = await oldAccount(password);
      for (const guess of guesses) {
        expect(await byJson(email, guess)).toBe(403);
        expect(await byBasic(email, guess)).toBe(403);
      }
      expect(await byJson(email, password)).toBe(200);
    }),
    { numRuns: 15 },
  );
});

test("A16: nor does it through a reset or a change", async () => {
  const email = await newcomer("quiet river at noon");
  const session = sessionOf(await signIn(house, email, "quiet river at noon"));
  const change = { current_password: "quiet river at noon\0", password: "quiet river at dawn" };
  expect((await house.send("PUT", "/api/v9/me", { session, json: change })).status).toBe(400);
  const cut = { current_password: "quiet river at noon", password: "quiet river\0 at dawn" };
  const refused = await house.send("PUT", "/api/v9/me", { session, json: cut });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("control characters")]);
  expect(await byJson(email, "quiet river")).toBe(403);
  expect(await byJson(email, "quiet river at noon")).toBe(200);
});

test("A16: white space at the ends is part of the password", async () => {
  const email = await newcomer("  quiet river at noon\u00a0");
  for (const guess of [
    "quiet river at noon",
    " quiet river at noon",
    "  quiet river at noon",
    "  quiet river at noon  ",
  ]) {
    expect(await byJson(email, guess)).toBe(403);
    expect(await byBasic(email, guess)).toBe(403);
  }
  expect(await byJson(email, "  quiet river at noon\u00a0")).toBe(200);
  expect(await byBasic(email, "  quiet river at noon\u00a0")).toBe(200);
});
