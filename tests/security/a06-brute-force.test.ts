import { afterAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { audited, behindProxy, elsewhere, series, signIn, signUp, tally } from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

afterAll(stopHouses);

const victim = "victim@example.com";
const password = "a quiet river at noon";
const secondsOf = (reply: Reply): number => Number(reply.headers["retry-after"]);

test("A06: of 200 guesses from 200 networks ten are looked at, and the owner gets in after the wait", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, victim, password);

  let replies: readonly Reply[] = [];
  const hashed = await hashedDuring(async () => {
    replies = await series(200, (index) => signIn(house, victim, `guess number ${index}`, elsewhere()));
  });
  expect(tally(replies)).toEqual({ 403: 10, 429: 190 });
  expect(hashed).toHaveLength(10);
  expect(await audited(house, "password_refused", victim)).toBe(10);
  for (const reply of replies.slice(10)) {
    expect(reply.headers).toMatchObject({ "retry-after": "2", "x-remaining-login-attempts": "0" });
    expect(reply.cookies).toEqual([]);
  }

  // During the wait the right password is not even looked at: else the wait would tell which one it is.
  let during: Reply | undefined;
  expect(
    await hashedDuring(async () => {
      during = await signIn(house, victim, password, elsewhere());
    }),
  ).toEqual([]);
  expect(during?.status).toBe(429);

  house.clock.advance(2000);
  expect((await signIn(house, victim, password, elsewhere())).status).toBe(200);
});

test("A06: each guess after the tenth costs a longer wait, up to a quarter of an hour, however long it goes on", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, victim, password);
  await series(10, (index) => signIn(house, victim, `guess number ${index}`, elsewhere()));

  const waits: number[] = [];
  for (let guess = 0; guess < 30; guess += 1) {
    const refused = await signIn(house, victim, "another guess", elsewhere());
    expect(refused.status).toBe(429);
    waits.push(secondsOf(refused));
    house.clock.advance(secondsOf(refused) * 1000 - 1);
    expect((await signIn(house, victim, "a guess too early", elsewhere())).status).toBe(429);
    house.clock.advance(1);
    expect((await signIn(house, victim, `patient guess ${guess}`, elsewhere())).status).toBe(403);
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, ...Array.from({ length: 21 }, () => 900)]);
});

test("A06: who waits until a new series begins has ten guesses in half an hour, and no more", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, victim, password);
  await series(10, (index) => signIn(house, victim, `guess number ${index}`, elsewhere()));

  // The wait of 2 seconds and a whole window behind it.
  house.clock.advance(15 * minute + 1999);
  expect((await signIn(house, victim, "one guess", elsewhere())).status).toBe(403);
  expect((await signIn(house, victim, "and not ten", elsewhere())).status).toBe(429);

  house.clock.advance(15 * minute + 4000);
  const next = await series(12, (index) => signIn(house, victim, `guess number ${index}`, elsewhere()));
  expect(tally(next)).toEqual({ 403: 10, 429: 2 });
});

test("A06: right passwords are not counted, and do not wipe out the wrong ones", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, victim, password);
  expect(tally(await series(25, () => signIn(house, victim, password, elsewhere())))).toEqual({ 200: 25 });

  for (let guess = 0; guess < 10; guess += 1) {
    expect((await signIn(house, victim, `guess number ${guess}`, elsewhere())).status).toBe(403);
    if (guess < 9) expect((await signIn(house, victim, password, elsewhere())).status).toBe(200);
  }
  expect((await signIn(house, victim, "the eleventh", elsewhere())).status).toBe(429);
});

test("A06: guesses are remembered over a restart, and by every process of the store", async () => {
  const house = await startHouse(behindProxy);
  await signUp(house, victim, password);
  const twin = await house.twin();
  await series(5, (index) => signIn(house, victim, `guess number ${index}`, elsewhere()));
  await series(5, (index) => signIn(twin, victim, `guess number ${index + 5}`, elsewhere()));
  expect((await signIn(house, victim, "the eleventh", elsewhere())).status).toBe(429);
  expect((await signIn(twin, victim, "the eleventh", elsewhere())).status).toBe(429);

  const again = await house.restart();
  expect((await signIn(again, victim, "the eleventh", elsewhere())).status).toBe(429);
});
