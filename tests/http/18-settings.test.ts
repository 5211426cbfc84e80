import { sql } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig } from "#kernel/config.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { fieldsOf } from "../support/shapes.ts";

/** The settings that change what callers see. */

afterAll(stopHouses);

const day = 86_400_000;
const password = "a quiet river at noon";
const consent = { tos_accepted_for: "track" };

const signUp = (house: TestHouse, email: string, chosen = password, headers: Sent["headers"] = {}) =>
  house.send("POST", "/api/signup", { json: { email, password: chosen, ...consent }, headers });
const signIn = (house: TestHouse, email: string, typed = password, headers: Sent["headers"] = {}) =>
  house.send("POST", "/api/sessions", { json: { email, password: typed }, headers });
const statusOfMe = async (house: TestHouse, sent: Sent): Promise<number> =>
  (await house.send("GET", "/api/v9/me", sent)).status;

describe("LATCHKEY_PASSWORD_MIN", () => {
  test("raises the floor wherever a password is chosen, and nowhere else", async () => {
    const lax = await startHouse(roomy);
    const person = await lax.person("short@example.com", "elevenchars");
    const house = await lax.restart({ LATCHKEY_PASSWORD_MIN: "15" });
    const { session } = person;

    const signedUp = await signUp(house, "new@example.com", "fourteen chars");
    const changed = await house.send("PUT", "/api/v9/me", {
      session,
      json: { current_password: "elevenchars", password: "fourteen chars" },
    });
    await house.send("POST", "/api/me/password_reset/request", { json: { email: person.email } });
    const code = codeIn(await house.mailTo(person.email, "Reset your password"));
    const confirm = (chosen: string) =>
      house.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password: chosen } });
    const reset = await confirm("fourteen chars");

    expect([signedUp.status, signedUp.json()]).toEqual([400, "password must have at least 15 characters"]);
    expect([changed.status, changed.json()]).toEqual([400, "Password should be at least 15 characters"]);
    expect([reset.status, reset.json()]).toEqual([400, "password must have at least 15 characters"]);
    expect((await signIn(house, person.email, "elevenchars")).status).toBe(200);
    expect((await confirm("fifteen chars!!")).status).toBe(200);
    expect((await signUp(house, "new@example.com", "fifteen chars!!")).status).toBe(200);
  });
});

describe("LATCHKEY_REVEAL_TOKEN=false", () => {
  test("leaves api_token out of /me by every credential, and the rest as it is", async () => {
    const open = await startHouse();
    const person = await open.person();
    const token = await open.tokenOf(person);
    const before = fieldsOf((await open.send("GET", "/api/v9/me", { session: person.session })).json());
    const house = await open.restart({ LATCHKEY_REVEAL_TOKEN: "false" });

    for (const sent of [
      { session: person.session },
      { basic: [person.email, person.password] },
      { basic: [token, "api_token"] },
    ] satisfies Sent[]) {
      const me = fieldsOf((await house.send("GET", "/api/v9/me", sent)).json());
      expect(Object.keys(me)).toEqual(Object.keys(before).filter((field) => field !== "api_token"));
      const put = await house.send("PUT", "/api/v9/me", { ...sent, json: { fullname: "Ada" } });
      expect(put.text).not.toContain("api_token");
      expect(put.text).not.toContain(token);
    }
    const fresh = await house.send("POST", "/api/v9/me/reset_token", { session: person.session });
    expect(fresh.json()).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("LATCHKEY_SESSION_IDLE_DAYS", () => {
  test("ends a session that nobody used for so long, and no other", async () => {
    const house = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "2" });
    const [idle, used] = [await house.person(), await house.person()];

    for (let days = 0; days < 4; days += 1) {
      house.clock.advance(day - 1);
      expect(await statusOfMe(house, { session: used.session })).toBe(200);
      // Once a minute, of which a day has many.
      await house.inside.accounts.flush();
      await house.inside.timetable.runDue();
    }

    expect(await statusOfMe(house, { session: idle.session })).toBe(403);
    expect(await statusOfMe(house, { basic: [idle.email, idle.password] })).toBe(200);
  });

  test("ends no session that is in use: when it was used may be known and not yet written", async () => {
    const before = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "1" });
    const [used, idle] = [await before.person(), await before.person()];
    before.clock.advance(day - 30_000);
    expect(await statusOfMe(before, { session: used.session })).toBe(200);
    // Another process of the store would purge as well, and knows less.
    const twin = await before.twin();
    before.clock.advance(31_000);
    for (const { inside } of [before, twin]) await inside.timetable.runDue();
    expect(await statusOfMe(twin, { session: idle.session })).toBe(403);

    const house = await before.restart();

    expect(await statusOfMe(house, { session: used.session })).toBe(200);
    expect(await statusOfMe(house, { session: idle.session })).toBe(403);
    // In the end it is deleted all the same.
    house.clock.advance(10 * 60_000);
    await house.inside.timetable.runDue();
    const { rows } = await sql<{
      email: string;
    }>`select email from sessions join accounts on id = account_id`.execute(house.inside.store.query);
    expect(rows).toEqual([{ email: used.email }]);
  });

  test("counts what was used before a restart", async () => {
    const before = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "1" });
    const { session } = await before.person();
    before.clock.advance(day - 1);
    expect(await statusOfMe(before, { session })).toBe(200);
    const house = await before.restart();
    house.clock.advance(day - 1);

    expect(await statusOfMe(house, { session })).toBe(200);
    house.clock.advance(day);
    expect(await statusOfMe(house, { session })).toBe(403);
  });

  test("is off by default: a session that is never used lives its 28 days", async () => {
    const house = await startHouse();
    const { session } = await house.person();

    house.clock.advance(28 * day - 1000);
    await house.inside.timetable.runDue();

    expect(await statusOfMe(house, { session })).toBe(200);
  });
});

describe("LATCHKEY_HIDE_ACCOUNTS=strict", () => {
  const strict = () => startHouse({ ...roomy, LATCHKEY_HIDE_ACCOUNTS: "strict" });

  test("answers a free and a taken address alike, and sets no cookie", async () => {
    const house = await strict();

    const free = await signUp(house, "hidden@example.com");
    const taken = await signUp(house, "Hidden@example.com", "somebody else's river");

    for (const reply of [free, taken]) {
      expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true }, []]);
    }
    expect(Object.keys(free.headers).toSorted()).toEqual(Object.keys(taken.headers).toSorted());
    const subjects = (await house.mails()).map(({ to, subject }) => `${to}: ${subject}`);
    expect(subjects.toSorted()).toEqual([
      "hidden@example.com: Confirm your e-mail address",
      "hidden@example.com: You already have an account",
    ]);
  });

  test("lets nobody in before the address is verified, by the owner and the owner's password", async () => {
    const house = await strict();
    const email = "hidden@example.com";
    await signUp(house, email);
    await signUp(house, email, "somebody else's river");
    expect((await signIn(house, email)).text).toBe('"Incorrect email and/or password"');
    expect(await statusOfMe(house, { basic: [email, password] })).toBe(403);

    const code = codeIn(await house.mailTo(email, "Confirm your e-mail address"));
    expect((await house.send("POST", `/api/me/email_verification/confirm/${code}`)).status).toBe(200);

    expect((await signIn(house, email)).status).toBe(200);
    expect(await statusOfMe(house, { basic: [email, password] })).toBe(200);
    expect((await signIn(house, email, "somebody else's river")).status).toBe(403);
  });

  test("takes a password reset for a verification", async () => {
    const house = await strict();
    const email = "hidden@example.com";
    await signUp(house, email);
    await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const code = codeIn(await house.mailTo(email, "Reset your password"));

    const reply = await house.send("POST", `/api/me/password_reset/confirm/${code}`, {
      json: { password: "a new quiet river" },
    });

    expect(await statusOfMe(house, { session: sessionOf(reply) })).toBe(200);
    expect((await signIn(house, email, "a new quiet river")).status).toBe(200);
  });
});

describe("the limits", () => {
  test("LATCHKEY_SIGN_UPS: so many an hour from one network, and then 429 and nothing made", async () => {
    const house = await startHouse({ LATCHKEY_SIGN_UPS: "2" });
    await signUp(house, "one@example.com");
    await signUp(house, "two@example.com");
    const mails = (await house.mails()).length;

    const reply = await signUp(house, "three@example.com");

    expect([reply.status, reply.headers["retry-after"], reply.cookies]).toEqual([429, "3600", []]);
    expect(reply.json()).toBe("Too many sign-ups from this network. Try again later.");
    expect(await house.mails()).toHaveLength(mails);
    expect((await signIn(house, "three@example.com")).status).toBe(403);
    house.clock.advance(3_600_000);
    expect((await signUp(house, "three@example.com")).status).toBe(200);
  });

  test("LATCHKEY_MAILS: so many an hour that strangers can cause, and then the same answer and no mail", async () => {
    const house = await startHouse({ LATCHKEY_MAILS: "1" });
    const { email } = await house.person();
    const request = () => house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const replies = [await request(), await request(), await request()];

    for (const reply of replies) expect([reply.status, reply.text]).toEqual([200, '{"success":true}']);
    const resets = async () =>
      (await house.mails()).filter(({ subject }) => subject === "Reset your password").length;
    expect(await resets()).toBe(1);
    house.clock.advance(3_600_000);
    await request();
    expect(await resets()).toBe(2);
  });

  test("LATCHKEY_PASSWORD_TRIES: so many for one address, and then waits that double; the token goes on", async () => {
    const house = await startHouse({ LATCHKEY_PASSWORD_TRIES: "2" });
    const person = await house.person();
    const token = await house.tokenOf(person);
    const wrong = async () => (await signIn(house, person.email, "wrong")).status;

    expect([await wrong(), await wrong()]).toEqual([403, 403]);
    const refused = await signIn(house, person.email);
    expect([
      refused.status,
      refused.headers["retry-after"],
      refused.headers["x-remaining-login-attempts"],
    ]).toEqual([429, "2", "0"]);
    expect(refused.json()).toBe("Too many failed attempts. Wait, or reset the password.");
    expect(await statusOfMe(house, { basic: [person.email, person.password] })).toBe(429);
    expect(await statusOfMe(house, { basic: [token, "api_token"] })).toBe(200);
    expect(await statusOfMe(house, { session: person.session })).toBe(200);
    house.clock.advance(2000);
    expect([await wrong(), await wrong()]).toEqual([403, 429]);
    house.clock.advance(3999);
    expect(await wrong()).toBe(429);
    house.clock.advance(1);
    expect((await signIn(house, person.email)).status).toBe(200);
  });

  test("LATCHKEY_NETWORK_TRIES: so many from one network, whatever the address", async () => {
    const house = await startHouse({ LATCHKEY_NETWORK_TRIES: "2" });
    const { email } = await house.person();
    await signIn(house, "a@example.com", "wrong");
    await signIn(house, "b@example.com", "wrong");

    const reply = await signIn(house, email);

    expect([reply.status, reply.headers["retry-after"]]).toEqual([429, "600"]);
    house.clock.advance(600_000);
    expect((await signIn(house, email)).status).toBe(200);
  });

  test("LATCHKEY_TRUSTED_PROXIES: networks are those behind the proxy; without it nobody can choose theirs", async () => {
    const from = (address: string) => ({ "x-forwarded-for": address });
    const believing = await startHouse({ LATCHKEY_SIGN_UPS: "1", LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" });
    const plain = await startHouse({ LATCHKEY_SIGN_UPS: "1" });
    const statuses = async (house: TestHouse) => [
      (await signUp(house, "a@example.com", password, from("192.0.2.1"))).status,
      (await signUp(house, "b@example.com", password, from("192.0.2.2"))).status,
      (await signUp(house, "c@example.com", password, from("203.0.113.9, 192.0.2.2"))).status,
      (await signUp(house, "d@example.com", password, from("2001:db8:0:1::1"))).status,
      (await signUp(house, "e@example.com", password, from("2001:db8:0:1::2"))).status,
    ];

    expect(await statuses(believing)).toEqual([200, 200, 429, 200, 429]);
    expect(await statuses(plain)).toEqual([200, 429, 429, 429, 429]);
  });
});

test("settings are read as people write them, and what is wrong is told as it is", () => {
  const at = (settings: Readonly<Record<string, string>>) => () => loadConfig(settings, false);
  expect(at({ LATCHKEY_HOST: "[::1]" })().host).toBe("::1");
  expect(at({ LATCHKEY_PORT: "\u200b3001\u00a0", LATCHKEY_LOG_LEVEL: "INFO" })()).toMatchObject({
    port: 3001,
    logLevel: "info",
  });
  expect(at({ LATCHKEY_MAIL_FROM: "R&D <r&d@example.com>" })().mailFrom).toBe("R&D <r&d@example.com>");
  expect(at({ LATCHKEY_CORS_ORIGINS: "https://a.example/x" })).toThrow(/or chrome-extension:\/\/abcd/);
  expect(at({ LATCHKEY_ORIGIN: "https://example.com/accounts" })).toThrow(
    /without a path, .*Its cookies are good for a whole host, .*give it a host name of its own/,
  );
  expect(at({ LATCHKEY_ORIGIN: "https://" })).toThrow(/names no host/);
  const url = "postgres://me:Hunter2#Hunter2@localhost/latchkey";
  expect(at({ LATCHKEY_DATABASE_URL: url })).toThrow(
    "LATCHKEY_DATABASE_URL has # in its user or password, which must be written %23 there.",
  );
});
