import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { causesAnyNumber } from "../support/caused.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";

// What a right password leaves behind for a minute, and what it must not open.

const generous = { LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000", LATCHKEY_SIGN_UPS: "1000" };

/** Nothing changes here after its restart, so that what is remembered is forgotten by the clock alone. */
let quiet: TestHouse;
const river = "a quiet river at noon";
const dusk = "another river at dusk";
const residents = {
  "once@example.com": river,
  "near@example.com": "Abc Def 123 ẞß ﬁ",
  "ab@example.co": "m-quiet-river",
  "ab@example.com": dusk,
  "minute@example.com": river,
  "donor@example.com": dusk,
  "often@example.com": river,
} as const;

let house: TestHouse;
let twin: TestHouse;
beforeAll(async () => {
  const before = await startHouse(generous);
  for (const [email, password] of Object.entries(residents)) await before.person(email, password);
  quiet = await before.restart();
  house = await startHouse(generous);
  twin = await house.twin();
});
afterAll(stopHouses);

const ask = (where: TestHouse, email: string, password: string) =>
  where.send("GET", "/api/v9/me", { basic: [email, password] });

const statusOf = async (where: TestHouse, email: string, password: string): Promise<number> =>
  (await ask(where, email, password)).status;

/** How often a password was hashed for it. */
const hashesOf = async (work: () => Promise<unknown>): Promise<number> => (await hashedDuring(work)).length;

test("A41 a right password is hashed once a minute, a wrong one each time", async () => {
  const email = "once@example.com";
  const right = async (): Promise<void> => expect(await statusOf(quiet, email, river)).toBe(200);
  const wrong = async (): Promise<void> => expect(await statusOf(quiet, email, `${river}!`)).toBe(403);

  expect(await hashesOf(right)).toBe(1);
  for (let time = 0; time < 4; time += 1) expect(await hashesOf(right)).toBe(0);
  for (let time = 0; time < 3; time += 1) expect(await hashesOf(wrong)).toBe(1);
  expect(await hashesOf(right)).toBe(0);
});

test("A41 no wrong password is let in by a right one before it, however near it is", async () => {
  const email = "near@example.com";
  const password = residents[email];
  expect(await statusOf(quiet, email, password)).toBe(200);
  for (const near of [
    password.toLowerCase(),
    password.toUpperCase(),
    `${password} `,
    ` ${password}`,
    password.slice(0, -1),
    password.normalize("NFKC"),
    `${password}:`,
    "",
  ]) {
    expect(await statusOf(quiet, email, near), near).toBe(403);
    expect(await statusOf(quiet, email, password)).toBe(200);
  }
});

test("A41 an address and a password that run into each other don't stand for another pair", async () => {
  const [one, other] = ["ab@example.co", "ab@example.com"] as const;
  expect(await statusOf(quiet, one, residents[one])).toBe(200);

  // The same letters in the same order, divided elsewhere.
  expect(one + residents[one]).toBe(`${other}-quiet-river`);
  expect(await statusOf(quiet, other, "-quiet-river")).toBe(403);
  expect(await statusOf(quiet, "ab@example.c", "om-quiet-river")).toBe(403);
  expect((await ask(quiet, other, residents[other])).json()).toMatchObject({ email: other });
  expect((await ask(quiet, one, residents[one])).json()).toMatchObject({ email: one });
});

test("A41 one password of two accounts opens to each its own", async () => {
  const one = await house.person();
  const other = await house.person();
  expect(one.password).toBe(other.password);
  for (const { email, password } of [one, other, one, other]) {
    expect((await ask(house, email, password)).json()).toMatchObject({ email });
  }
});

test("A41 the minute ends by the clock, even when nothing tells of a change", async () => {
  const email = "minute@example.com";
  expect(await statusOf(quiet, email, river)).toBe(200);
  // Another password in the row, behind the back of everything that would announce it.
  await sql`update accounts set password_hash = (select password_hash from accounts where email = 'donor@example.com')
    where email = ${email}`.execute(quiet.inside.store.query);

  quiet.clock.advance(59_999);
  expect(await statusOf(quiet, email, river)).toBe(200);
  quiet.clock.advance(1);
  expect(await statusOf(quiet, email, river)).toBe(403);
  expect(await statusOf(quiet, email, dusk)).toBe(200);
});

test("A41 using it does not prolong the minute", async () => {
  for (const hashes of [1, 0, 0, 1, 0, 0, 1]) {
    expect(await hashesOf(() => statusOf(quiet, "often@example.com", river))).toBe(hashes);
    quiet.clock.advance(20_000);
  }
});

test("A41 a change, a close and a lock are felt at once, by equal calls that are already on their way too", async () => {
  causesAnyNumber();
  const events: Readonly<
    Record<string, (email: string, session: string, password: string) => Promise<unknown>>
  > = {
    change: (_, session, password) =>
      house.send("PUT", "/api/v9/me", {
        session,
        json: { current_password: password, password: "another river at dusk" },
      }),
    close: (_, session) => house.send("POST", "/api/me/close_account/track", { session }),
    lock: async (_, session) => {
      const id = Number((await house.send("GET", "/api/v9/me/id", { session })).json());
      await house.inside.accounts.use.lockAccount(id, {});
    },
  };
  for (const [name, happens] of Object.entries(events)) {
    const { email, password, session } = await house.person();
    expect([await statusOf(house, email, password), await statusOf(twin, email, password)]).toEqual([
      200, 200,
    ]);

    let over = false;
    const late: number[] = [];
    const callers = Array.from({ length: 6 }, async () => {
      while (late.length < 5) {
        const afterwards = over;
        const status = await statusOf(house, email, password);
        if (afterwards) late.push(status);
      }
    });
    await happens(email, session, password);
    over = true;
    await Promise.all(callers);

    expect(late.length, name).toBeGreaterThan(0);
    expect(
      late.filter((status) => status !== 403 && status !== 429),
      name,
    ).toEqual([]);
    const onTwin = await statusWithinSecond(() => ask(twin, email, password));
    expect([403, 429], name).toContain(onTwin);
  }
});

test("A41 of calls that come at once each gets what its own password deserves", async () => {
  causesAnyNumber();
  const { email, password } = await house.person();
  const passwords = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? password : `${password}?`));
  const statuses = await Promise.all(passwords.map((one) => statusOf(house, email, one)));
  for (const [index, status] of statuses.entries()) {
    expect(index % 2 === 0 ? [200] : [403, 429], passwords[index]).toContain(status);
  }
});

test("A41 nothing is remembered beyond a restart", async () => {
  const mine = await startHouse(generous);
  const { email, password } = await mine.person();
  expect(await statusOf(mine, email, password)).toBe(200);
  const restarted = await mine.restart();
  await sql`update accounts set password_hash = null where email = ${email}`.execute(
    restarted.inside.store.query,
  );
  expect(await statusOf(restarted, email, password)).toBe(403);
});
