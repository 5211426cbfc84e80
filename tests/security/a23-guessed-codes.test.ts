import { hash } from "node:crypto";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { newHexId, newMailCode, newPublicId, normalizeMailCode, systemRandom } from "#kernel/ids.ts";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  from,
  mailedCode,
  requestReset,
  requestVerification,
  resetCode,
  series,
  signIn,
  signUp,
  tally,
  undoClose,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

afterAll(stopHouses);

const password = "a quiet river at noon";
const crockford = "0123456789abcdefghjkmnpqrstvwxyz";
const base57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Pearson's X² of the counts against "all alike". */
const chiSquared = (counts: readonly number[]): number => {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
};

/** X² that chance exceeds less than once in 10¹² (Wilson and Hilferty's approximation, z = 7). */
const chanceLimit = (degrees: number): number => {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + 7 * Math.sqrt(part)) ** 3;
};

const expectUniform = (texts: readonly string[], alphabet: string, length: number): void => {
  expect(new Set(texts).size).toBe(texts.length);
  const places = Array.from({ length }, () => new Map(Array.from(alphabet, (letter) => [letter, 0])));
  const pairs = new Map<string, number>();
  for (const text of texts) {
    expect(text).toHaveLength(length);
    for (const [place, counts] of places.entries()) {
      const letter = text.charAt(place);
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
      if (place === 0) continue;
      const pair = text.slice(place - 1, place + 1);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
  }
  const letters = alphabet.length;
  for (const counts of places) {
    // No letter from outside the alphabet became a counter of its own.
    expect(counts.size).toBe(letters);
    expect(chiSquared([...counts.values()])).toBeLessThan(chanceLimit(letters - 1));
  }
  const allPairs = Array.from(alphabet).flatMap((one) =>
    Array.from(alphabet, (other) => pairs.get(one + other) ?? 0),
  );
  expect(chiSquared(allPairs)).toBeLessThan(chanceLimit(letters ** 2 - 1));
};

const drawn = (count: number, draw: (random: typeof systemRandom) => string): readonly string[] =>
  Array.from({ length: count }, () => draw(systemRandom));

test("A23: mailed codes are 130 bits without a pattern", () => {
  expect(26 * Math.log2(crockford.length)).toBeGreaterThanOrEqual(128);
  expectUniform(drawn(20_000, newMailCode), crockford, 26);
});

test("A23: so are the identifiers of accounts, and the bits of tokens and sessions", () => {
  expect(22 * Math.log2(base57.length)).toBeGreaterThanOrEqual(128);
  expectUniform(drawn(20_000, newPublicId), base57, 22);
  expectUniform(drawn(20_000, newHexId), "0123456789abcdef", 32);
});

test("A23: what comes by mail is such a code, each time another one, whatever the purpose", async () => {
  const house = await startHouse({ ...roomy, ...behindProxy });
  const codes: string[] = [];
  for (let count = 0; count < 10; count += 1) {
    const email = `code${count}@example.com`;
    await signUp(house, email, password);
    codes.push(await mailedCode(house, email, "verify"));
    codes.push(await resetCode(house, email));
    // Within half an hour the same one is mailed again.
    house.clock.advance(30 * minute);
    codes.push(await resetCode(house, email));
    const json = { email: `moved-${email}`, current_password: password };
    await house.send("POST", "/api/me/email_change/request", { basic: [email, password], json });
    codes.push(await mailedCode(house, `moved-${email}`, "change"));
    await house.send("POST", "/api/me/close_account/track", { basic: [email, password] });
    codes.push(await mailedCode(house, email, "closed"));
  }
  expect(new Set(codes).size).toBe(50);
  for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
});

test("A23: the store knows the digest of a code, and nothing that a code could be made from", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, "person@example.com", password);
  const code = await resetCode(house, "person@example.com");
  const kept = await sql<{ digest: string }>`select * from mail_codes where purpose = 'reset'`.execute(
    house.inside.store.query,
  );
  expect(kept.rows).toEqual([expect.objectContaining({ digest: hash("sha256", code) })]);
  expect(JSON.stringify(kept.rows)).not.toContain(code);
});

test("A23: hyphens, blanks, capitals and look-alike letters are forgiven, and nothing more", () => {
  const code = "0123456789abcdefghjkmnpqrs";
  for (const typed of [
    code.toUpperCase(),
    ` ${code}\n`,
    "01234-56789-abcde-fghjk-mnpqr-s",
    "OI234 56789 ABCDE FGHJK MNPQR S",
    "ol23456789abcdefghjkmnpqrs",
  ]) {
    expect(normalizeMailCode(typed)).toBe(code);
  }
  for (const typed of [
    "",
    code.slice(1),
    `${code}0`,
    code.replace("s", "u"),
    code.replace("s", "ſ"),
    `${code}\0`,
  ]) {
    expect(normalizeMailCode(typed)).toBeUndefined();
  }
});

const wrongCode = (index: number): string => String(index).padStart(26, "0");

/** The calls that take a code. */
const takers: readonly (readonly [
  name: string,
  guess: (house: TestHouse, code: string, network: string) => Promise<Reply>,
])[] = [
  ["a reset", (house, code, network) => confirmReset(house, code, password, from(network))],
  [
    "a verification",
    (house, code, network) =>
      house.send("POST", `/api/me/email_verification/confirm/${code}`, { headers: from(network) }),
  ],
  ["the undoing of a closing", (house, code, network) => undoClose(house, code, password, from(network))],
];

test.each(takers)(
  "A23: of codes for %s 100 can be tried from one network in ten minutes",
  async (_, guess) => {
    const house = await startHouse(behindProxy);
    const twin = await house.twin();
    const tried = await series(105, (index) =>
      guess(index % 2 ? house : twin, wrongCode(index), "203.0.113.7"),
    );
    expect(tally(tried)).toEqual({ 400: 100, 429: 5 });
    expect(tried.at(-1)?.headers).toMatchObject({ "retry-after": "600" });

    // All kinds of codes, and the requests for them, are one count.
    for (const [name, other] of takers) {
      expect((await other(house, wrongCode(0), "203.0.113.7")).status, name).toBe(429);
      expect((await other(house, wrongCode(0), "203.0.113.8")).status, name).toBe(400);
    }
    expect((await requestReset(house, "person@example.com", from("203.0.113.7"))).status).toBe(429);
    expect((await requestVerification(house, "person@example.com", from("203.0.113.7"))).status).toBe(429);
    house.clock.advance(10 * minute);
    expect((await guess(house, wrongCode(0), "203.0.113.7")).status).toBe(400);
  },
);

test("A23: guesses do not use up the right code, and it is not looked at where too many were made", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, "person@example.com", password);
  const code = await resetCode(house, "person@example.com");
  const almost = `${code.slice(0, -1)}${code.endsWith("0") ? "1" : "0"}`;
  const guesses = await series(100, (index) =>
    confirmReset(house, index === 0 ? almost : wrongCode(index), "the attacker's own", from("203.0.113.7")),
  );
  expect(tally(guesses)).toEqual({ 400: 100 });

  expect((await confirmReset(house, code, "the attacker's own", from("203.0.113.7"))).status).toBe(429);
  expect((await signIn(house, "person@example.com", password, elsewhere())).status).toBe(200);
  expect((await confirmReset(house, code, "a different river at dawn", from("203.0.113.8"))).status).toBe(
    200,
  );
});
