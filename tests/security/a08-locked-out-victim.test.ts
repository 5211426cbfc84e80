import { afterAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  from,
  resetCode,
  series,
  signIn,
  tally,
} from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

afterAll(stopHouses);

type Victim = Person & { readonly token: string };

/** An attacker who never lets the tries of the victim's address recover. */
const besieged = async (): Promise<{ readonly house: TestHouse; readonly victim: Victim }> => {
  const before = await startHouse(behindProxy);
  const person = await before.person("victim@example.com");
  const victim = { ...person, token: await before.tokenOf(person) };
  // A process that has just begun has no change to learn of that would make it forget.
  const house = await before.restart();
  // The client of the victim has sent the password a moment ago: it costs no hash any more.
  const byPassword = () => house.send("GET", "/api/v9/me", { basic: [victim.email, victim.password] });
  await expect.poll(async () => (await hashedDuring(byPassword)).length, { timeout: 10_000 }).toBe(0);
  const attack = await series(40, (index) =>
    signIn(house, victim.email, `guess number ${index}`, elsewhere()),
  );
  expect(tally(attack)).toEqual({ 403: 10, 429: 30 });
  expect((await signIn(house, victim.email, victim.password, elsewhere())).status).toBe(429);
  return { house, victim };
};

test("A08: a live session, the API token and a password that was right a moment ago go on working", async () => {
  const { house, victim } = await besieged();
  expect((await house.send("GET", "/api/v9/me", { session: victim.session })).status).toBe(200);
  expect((await house.send("GET", "/api/sessions", { session: victim.session })).status).toBe(200);
  expect((await house.send("GET", "/api/v9/me", { basic: [victim.token, "api_token"] })).status).toBe(200);
  // A busy moment in which the process can't vouch for what it remembers may go by.
  const byPassword = () => house.send("GET", "/api/v9/me", { basic: [victim.email, victim.password] });
  await expect.poll(async () => (await byPassword()).status, { timeout: 10_000 }).toBe(200);
});

test("A08: within the session the password can still be proved, and changed", async () => {
  const { house, victim } = await besieged();
  const change = { current_password: victim.password, password: "a different river at dawn" };
  const changed = await house.send("PUT", "/api/v9/me", { session: victim.session, json: change });
  expect(changed.status).toBe(200);
  expect((await house.send("GET", "/api/v9/me", { session: victim.session })).status).toBe(200);

  // The other way round: the token's own tries, used up, leave those of the session alone.
  const guesses = await series(12, (index) =>
    house.send("PUT", "/api/v9/me", {
      basic: [victim.token, "api_token"],
      json: { current_password: `guess number ${index}`, password: "the attacker's own choice" },
    }),
  );
  expect(tally(guesses)).toEqual({ 400: 10, 429: 2 });
  const back = await house.send("PUT", "/api/v9/me", {
    session: victim.session,
    json: { current_password: change.password, password: victim.password },
  });
  expect(back.status).toBe(200);
});

test("A08: a reset lets the owner in, and the new password counts from nought", async () => {
  const { house, victim } = await besieged();
  const code = await resetCode(house, victim.email);
  const reset = await confirmReset(house, code, "a different river at dawn");
  expect(reset.status).toBe(200);
  expect((await house.send("GET", "/api/v9/me", { session: sessionOf(reset) })).status).toBe(200);

  expect((await signIn(house, victim.email, "a different river at dawn", elsewhere())).status).toBe(200);
  const guesses = await series(12, (index) =>
    signIn(house, victim.email, `guess number ${index}`, elsewhere()),
  );
  expect(tally(guesses)).toEqual({ 403: 10, 429: 2 });
});

test("A08: an attacker in the victim's own network stops new passwords there, and nothing else", async () => {
  const house = await startHouse({ ...behindProxy, LATCHKEY_NETWORK_TRIES: "5" });
  const victim = await house.person("victim@example.com");
  const token = await house.tokenOf(victim);
  const home = from("203.0.113.7");
  await series(9, (index) => signIn(house, `somebody${index}@example.com`, "whatever it may be", home));
  expect((await signIn(house, victim.email, victim.password, home)).status).toBe(429);

  const asked = async (keys: { session?: string; basic?: readonly [string, string] }) =>
    (await house.send("GET", "/api/v9/me", { ...keys, headers: home })).status;
  expect(await asked({ session: victim.session })).toBe(200);
  expect(await asked({ basic: [token, "api_token"] })).toBe(200);
  const changed = await house.send("PUT", "/api/v9/me", {
    session: victim.session,
    headers: home,
    json: { current_password: victim.password, password: "a different river at dawn" },
  });
  expect(changed.status).toBe(200);
  const code = await resetCode(house, victim.email);
  expect((await confirmReset(house, code, "another river altogether", home)).status).toBe(200);
  expect((await signIn(house, victim.email, "another river altogether", elsewhere())).status).toBe(200);
});

test("A08: a siege that ends is over: nothing stays locked", async () => {
  const { house, victim } = await besieged();
  house.clock.advance(2000);
  expect((await signIn(house, victim.email, victim.password, elsewhere())).status).toBe(200);
  house.clock.advance(30 * minute);
  const guesses = await series(10, (index) =>
    signIn(house, victim.email, `guess number ${index}`, elsewhere()),
  );
  expect(tally(guesses)).toEqual({ 403: 10 });
});
