import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  mailedCode,
  resetCode,
  series,
  signIn,
  signUp,
  tally,
  undoClose,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Reply } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_PASSWORD_TRIES: "10" });
});
afterAll(stopHouses);

const day = 86_400_000;
const name = "__Host-latchkey-device";
const password = "a quiet river at noon";

const deviceOf = (reply: Reply): string | undefined =>
  reply.cookies.find((line) => line.startsWith(`${name}=`))?.split(/[=;]/, 2)[1];

/** What a browser says with every write. */
const inBrowser = () => ({ ...elsewhere(), "sec-fetch-site": "same-origin" });

const enter = (email: string, tried: string, device: string | undefined, of = house) =>
  signIn(of, email, tried, {
    ...inBrowser(),
    ...(device === undefined ? {} : { cookie: `${name}=${device}` }),
  });

const guess = (email: string, count: number, device?: string) =>
  series(count, (index) => enter(email, `guess number ${index}`, device));

let owners = 0;
/** Somebody who signed up in a browser. */
const owner = async () => {
  const email = `known${++owners}@example.com`;
  const reply = await signUp(house, email, password, inBrowser());
  return { email, device: deviceOf(reply) ?? "", session: sessionOf(reply) ?? "" };
};

const devicesOf = async (email: string): Promise<number> =>
  (
    await sql`select digest from devices join accounts on accounts.id = account_id where email = ${email}`.execute(
      house.inside.store.query,
    )
  ).rows.length;

test("strangers who guess from everywhere make the owner's own browser wait for nothing", async () => {
  const { email, device } = await owner();
  expect(tally(await guess(email, 40))).toEqual({ 403: 10, 429: 30 });

  expect((await enter(email, password, undefined)).status).toBe(429);
  const entered = await enter(email, password, device);

  expect(entered.status).toBe(200);
  expect(entered.cookies).toEqual([
    `__Secure-accounts-session=${sessionOf(entered)}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    `${name}=${device}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=31536000`,
  ]);
});

test("so it is after a restart, and in another process", async () => {
  const own = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "1000" });
  const email = "settled@example.com";
  const device = deviceOf(await signUp(own, email, password, inBrowser()));
  await series(12, (index) => signIn(own, email, `guess number ${index}`, elsewhere()));
  const next = await own.restart();
  const twin = await next.twin();

  expect((await signIn(next, email, password, elsewhere())).status).toBe(429);
  expect((await enter(email, password, device, next)).status).toBe(200);
  expect((await enter(email, password, device, twin)).status).toBe(200);
});

test("a stolen cookie has ten guesses, and then it waits like anybody", async () => {
  const { email, device } = await owner();

  expect(tally(await guess(email, 20, device))).toEqual({ 403: 10, 429: 10 });

  expect((await enter(email, password, device)).status).toBe(429);
  // The thief has used up nobody else's tries.
  expect((await enter(email, password, undefined)).status).toBe(200);
  house.clock.advance(30 * minute);
  expect((await enter(email, password, device)).status).toBe(200);
});

test("a stolen cookie is of no use for other accounts, and neither is one that was made up", async () => {
  const [victim, other] = [await owner(), await owner()];
  await guess(victim.email, 12);
  for (const device of [other.device, "0".repeat(32), "", "x".repeat(5000), `${victim.device}0`]) {
    expect((await enter(victim.email, password, device)).status, device.slice(0, 40)).toBe(429);
  }
  const twice = { ...elsewhere(), cookie: `${name}=${victim.device}; ${name}=${victim.device}` };
  expect((await signIn(house, victim.email, password, twice)).status).toBe(429);
});

test("the cookie opens nothing by itself", async () => {
  const { email, device } = await owner();
  const cookie = { cookie: `${name}=${device}` };
  const asSession = { cookie: `__Secure-accounts-session=${device}` };

  expect((await house.send("GET", "/api/v9/me", { headers: cookie })).status).toBe(401);
  expect((await house.send("GET", "/api/v9/me", { headers: asSession })).status).toBe(403);
  expect((await house.send("GET", "/api/v9/me", { basic: [device, "api_token"] })).status).toBe(403);
  expect((await enter(email, "not the password", device)).cookies).toEqual([]);
});

test("a cookie that somebody put into the browser is not taken over", async () => {
  const { email } = await owner();
  const planted = "a".repeat(32);

  const given = deviceOf(await enter(email, password, planted));

  expect(given).toMatch(/^[0-9a-f]{32}$/);
  expect(given).not.toBe(planted);
});

test("two people share a browser, and each is known in it", async () => {
  const [one, other] = [await owner(), await owner()];
  expect(deviceOf(await enter(other.email, password, one.device))).toBe(one.device);
  await guess(one.email, 12);
  await guess(other.email, 12);

  expect((await enter(one.email, password, one.device)).status).toBe(200);
  expect((await enter(other.email, password, one.device)).status).toBe(200);
});

test("a program, which may take two cookies for one, gets the session's alone", async () => {
  const email = "program@example.com";
  const up = await signUp(house, email, password, elsewhere());
  const entered = await signIn(house, email, password, elsewhere());
  const reset = await confirmReset(house, await resetCode(house, email), "a river by reset");
  expect([up, entered, reset].map(({ status, cookies }) => [status, cookies.length])).toEqual([
    [200, 1],
    [200, 1],
    [200, 1],
  ]);
  expect(await devicesOf(email)).toBe(0);
});

test("Basic sets no such cookie, and has no tries of a browser's", async () => {
  const { email, device } = await owner();
  const headers = { ...inBrowser(), cookie: `${name}=${device}` };
  const reply = await house.send("POST", "/api/sessions", { basic: [email, password], headers });
  expect([reply.status, reply.cookies.length, deviceOf(reply)]).toEqual([200, 1, undefined]);

  await guess(email, 12);
  expect((await house.send("POST", "/api/sessions", { basic: [email, password], headers })).status).toBe(429);
});

test("a reset knows the new browser only, and taking a closed account back knows none", async () => {
  const person = await owner();
  const code = await resetCode(house, person.email);
  const reset = await confirmReset(house, code, "a river by reset", inBrowser());
  expect(deviceOf(reset)).not.toBe(person.device);
  await guess(person.email, 12);
  expect((await enter(person.email, "a river by reset", person.device)).status).toBe(429);
  expect((await enter(person.email, "a river by reset", deviceOf(reset))).status).toBe(200);

  await house.send("POST", "/api/me/close_account/track", { session: sessionOf(reset) });
  await undoClose(house, await mailedCode(house, person.email, "closed"), "a river taken back");
  await guess(person.email, 12);
  expect((await enter(person.email, "a river taken back", deviceOf(reset))).status).toBe(429);
});

test("an account knows twenty browsers, those used last, and each for a year", async () => {
  const { email, device } = await owner();
  house.clock.advance(minute);
  const second = deviceOf(await enter(email, password, undefined));
  for (let browser = 0; browser < 18; browser += 1) {
    house.clock.advance(minute);
    await enter(email, password, undefined);
  }
  expect(await devicesOf(email)).toBe(20);
  // Used once more, the first is not the one that goes.
  house.clock.advance(minute);
  await enter(email, password, device);
  await enter(email, password, undefined);
  expect(await devicesOf(email)).toBe(20);
  await guess(email, 12);
  expect((await enter(email, password, second)).status).toBe(429);
  expect((await enter(email, password, device)).status).toBe(200);

  house.clock.advance(364 * day);
  await house.inside.timetable.runDue();
  expect(await devicesOf(email)).toBeGreaterThan(0);
  house.clock.advance(2 * day);
  await house.inside.timetable.runDue();
  expect(await devicesOf(email)).toBe(0);
});

test("the store has no cookie that a browser could show", async () => {
  const { device } = await owner();
  const { rows } = await sql<{ digest: string }>`select digest from devices`.execute(
    house.inside.store.query,
  );
  expect(rows.map(({ digest }) => digest)).not.toContain(device);
  const { email } = await owner();
  await guess(email, 12);
  for (const { digest } of rows.slice(-3)) {
    expect((await enter(email, password, digest.slice(0, 32))).status).toBe(429);
  }
});
