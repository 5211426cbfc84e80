import { afterEach, expect, test } from "vitest";
import { claimsOf, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Reply } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { statusOf } from "../support/opens.ts";
import { resetCode } from "../support/reset.ts";

afterEach(stopHouses);

const dusk = "another river at dusk";

/** The same store after a restart, and a second process beside it: what holds must hold in both. */
const restarted = async (house: TestHouse): Promise<readonly TestHouse[]> => {
  const next = await house.restart();
  return [next, await next.twin()];
};

const signIn = (house: TestHouse, email: string, password: string): Promise<Reply> =>
  house.send("POST", "/api/sessions", { json: { email, password } });

const confirm = (house: TestHouse, code: string, password = dusk): Promise<Reply> =>
  house.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password } });

test("A52 live sessions, tokens and passwords go on working, and ended ones stay ended", async () => {
  const house = await startHouse();
  const person = await house.person();
  const replaced = await house.tokenOf(person);
  const token = String(
    (await house.send("POST", "/api/v9/me/reset_token", { session: person.session })).json(),
  );
  const ended = sessionOf(await signIn(house, person.email, person.password)) ?? "";
  await house.send("DELETE", "/api/sessions", { session: ended });

  for (const one of await restarted(house)) {
    expect(await statusOf(one, person.session)).toBe(200);
    expect(await statusOf(one, ended)).toBe(403);
    expect((await one.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(200);
    expect((await one.send("GET", "/api/v9/me", { basic: [replaced, "api_token"] })).status).toBe(403);
    expect((await one.send("GET", "/api/v9/me", { basic: [person.email, person.password] })).status).toBe(
      200,
    );
    expect(await one.tokenOf(person)).toBe(token);
  }
});

test("A52 the count of wrong passwords goes on, and so does the wait behind it", async () => {
  const house = await startHouse({ LATCHKEY_PASSWORD_TRIES: "4" });
  const { email, password } = await house.person();
  const stranger = "nobody@example.com";
  for (let tries = 0; tries < 3; tries += 1) {
    for (const one of [email, stranger]) expect((await signIn(house, one, "wrong")).status).toBe(403);
  }

  const [next, twin] = await restarted(house);
  if (!next || !twin) throw new Error("No house.");
  for (const one of [email, stranger]) {
    expect((await signIn(next, one, "wrong")).status).toBe(403);
    for (const where of [next, twin]) {
      const reply = await signIn(where, one, password);
      expect([reply.status, reply.headers["x-remaining-login-attempts"]]).toEqual([429, "0"]);
      expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    }
  }

  const [last] = await restarted(next);
  expect((await signIn(last ?? next, email, password)).status).toBe(429);
  house.clock.advance(2000);
  expect((await signIn(last ?? next, email, password)).status).toBe(200);
});

test("A52 a network's wrong passwords and sign-ups, and an address's mails, stay counted", async () => {
  const house = await startHouse({
    LATCHKEY_NETWORK_TRIES: "3",
    LATCHKEY_SIGN_UPS: "2",
    LATCHKEY_MAILS: "1",
  });
  const { email } = await house.person();
  const other = await house.person();
  for (let tries = 0; tries < 3; tries += 1) {
    expect((await signIn(house, `nobody${tries}@example.com`, "wrong")).status).toBe(403);
  }
  await resetCode(house, email);
  const mails = (await house.mails()).length;

  for (const one of await restarted(house)) {
    expect((await signIn(one, other.email, other.password)).status).toBe(429);
    const signUp = await one.send("POST", "/api/signup", {
      json: { email: "third@example.com", password: dusk, tos_accepted_for: "track" },
    });
    expect([signUp.status, signUp.cookies]).toEqual([429, []]);
    expect((await one.send("POST", "/api/me/password_reset/request", { json: { email } })).status).toBe(200);
    expect(await one.mails()).toHaveLength(mails);
    // None of this keeps out who was in before.
    expect(await statusOf(one, other.session)).toBe(200);
  }
});

test("A52 used, replaced and expired codes stay so, and an open one still works, once", async () => {
  const house = await startHouse();
  const { email } = await house.person();
  const verification = codeIn(await house.mailTo(email));
  await house.send("POST", `/api/me/email_verification/confirm/${verification}`);
  const used = await resetCode(house, email);
  expect((await confirm(house, used, "a first river at dawn")).status).toBe(200);
  const replaced = await resetCode(house, email);
  // So long that another one is mailed, and that this network may have one mailed again.
  house.clock.advance(3_600_000);
  const open = await resetCode(house, email);

  const houses = await restarted(house);
  for (const one of houses) {
    for (const code of [used, replaced, verification]) {
      expect((await confirm(one, code)).status).toBe(400);
      expect((await one.send("POST", `/api/me/email_verification/confirm/${code}`)).status).toBe(400);
    }
    expect((await signIn(one, email, dusk)).status).toBe(403);
  }
  const replies = await Promise.all(houses.map((one) => confirm(one, open)));
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400]);
  house.clock.advance(3_600_000);
  const late = await resetCode(houses[0] ?? house, email);
  house.clock.advance(30 * 60_000);
  for (const one of await restarted(houses[0] ?? house)) expect((await confirm(one, late)).status).toBe(400);
});

test("A52 rotated and revoked keys stay so", async () => {
  const house = await startHouse();
  const { email, password, session } = await house.person();
  const keys = house.inside.accounts.use;
  const second = await keys.rotateSigningKey({});
  const revoked = sessionOf(await signIn(house, email, password)) ?? "";
  const third = await keys.rotateSigningKey({});
  await keys.revokeSigningKey(second, {});

  for (const one of await restarted(house)) {
    expect([await statusOf(one, session), await statusOf(one, revoked)]).toEqual([200, 403]);
    const fresh = sessionOf(await signIn(one, email, password)) ?? "";
    expect(JSON.parse(partsOf(fresh).header)).toMatchObject({ kid: third });
    expect(await statusOf(one, fresh)).toBe(200);
    const published = await one.send("GET", "/.well-known/jwks.json");
    expect(published.text).toContain(`"${third}"`);
    expect(published.text).not.toContain(`"${second}"`);
  }
});

test("A52 closed and locked accounts stay so, and the way back stays open", async () => {
  const house = await startHouse();
  const closed = await house.person();
  const locked = await house.person();
  const id = Number((await house.send("GET", "/api/v9/me/id", { session: locked.session })).json());
  await house.inside.accounts.use.lockAccount(id, {});
  house.clock.advance(1000);
  await house.send("POST", "/api/me/close_account/track", { session: closed.session });
  const undo = codeIn(await house.mailTo(closed.email));

  const houses = await restarted(house);
  for (const one of houses) {
    for (const { email, password, session } of [closed, locked]) {
      expect((await signIn(one, email, password)).status).toBe(403);
      expect(await statusOf(one, session)).toBe(403);
    }
  }
  const [next = house] = houses;
  expect(
    (
      await next.send("POST", `/api/me/close_account/undo/${undo}`, {
        json: { password: "a river taken back" },
      })
    ).status,
  ).toBe(200);
  for (const one of await restarted(next)) {
    expect((await signIn(one, closed.email, "a river taken back")).status).toBe(200);
    expect(await statusOf(one, closed.session)).toBe(403);
    expect(
      (
        await one.send("POST", `/api/me/close_account/undo/${undo}`, {
          json: { password: "a river taken back" },
        })
      ).status,
    ).toBe(400);
  }
});

test("A52 a session that nobody uses ends after its idle days, and its last use is remembered", async () => {
  const hour = 3_600_000;
  const house = await startHouse({ LATCHKEY_SESSION_IDLE_DAYS: "1" });
  const { email, password, session: used } = await house.person();
  const unused = sessionOf(await signIn(house, email, password)) ?? "";

  house.clock.advance(20 * hour);
  expect(await statusOf(house, used)).toBe(200);
  const [next = house] = await restarted(house);
  house.clock.advance(10 * hour);
  expect([await statusOf(next, used), await statusOf(next, unused)]).toEqual([200, 403]);
  const [last = house] = await restarted(next);
  house.clock.advance(24 * hour);
  expect(await statusOf(last, used)).toBe(403);
  // The clock of the token itself had weeks to go.
  expect(Number(claimsOf(used)["exp"]) * 1000).toBeGreaterThan(house.clock.now() + 20 * 24 * hour);
});
