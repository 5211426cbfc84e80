import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { behindProxy, confirmReset, elsewhere, resetCode, signIn } from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";

let house: TestHouse;
let person: Person;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
beforeEach(async () => {
  person = await house.person();
});
afterAll(stopHouses);

const changed = "a different river at dawn";

test("A25: a reset code that is still good is mailed again, and no stranger's request voids it", async () => {
  const first = await resetCode(house, person.email);
  house.clock.advance(29 * minute);
  expect(await resetCode(house, person.email)).toBe(first);
  // The mail says 30 minutes, and so it is.
  house.clock.advance(29 * minute);
  expect((await signIn(house, person.email, person.password, elsewhere())).status).toBe(200);
  expect((await confirmReset(house, first, changed)).status).toBe(200);
});

test("A25: an older one is not prolonged for ever: a newer code takes its place", async () => {
  const first = await resetCode(house, person.email);
  house.clock.advance(20 * minute);
  expect(await resetCode(house, person.email)).toBe(first);
  house.clock.advance(20 * minute);
  const second = await resetCode(house, person.email);
  expect(second).not.toBe(first);
  expect((await confirmReset(house, first, changed)).status).toBe(400);
  expect((await confirmReset(house, second, changed)).status).toBe(200);
});

test("A25: a code that was used is not mailed again", async () => {
  const first = await resetCode(house, person.email);
  expect((await confirmReset(house, first, changed)).status).toBe(200);
  const second = await resetCode(house, person.email);
  expect(second).not.toBe(first);
  expect((await confirmReset(house, first, changed)).status).toBe(400);
});
