import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmReset,
  from,
  mailedDuring,
  requestReset,
  resetCode,
  requestVerification,
  series,
  signIn,
  tally,
  whole,
  type SentHeaders,
} from "../support/attacks.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "1000" });
});
afterAll(stopHouses);

const stranger = from("203.0.113.66");
const home = from("203.0.113.7");

let owners = 0;
const owner = () => house.person(`owner${++owners}@example.com`);

test("a stranger who asks for reset after reset, and guesses, does not keep the owner out", async () => {
  const { email } = await owner();
  await series(20, () => requestReset(house, email, stranger));
  await series(14, (index) => signIn(house, email, `guess number ${index}`, stranger));

  const mails = await mailedDuring(house, () => requestReset(house, email, home));

  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([[email, "Reset your password"]]);
  const entered = await confirmReset(house, codeIn(mails[0]), "a different river at dawn", home);
  expect(entered.status).toBe(200);
  expect((await signIn(house, email, "a different river at dawn", home)).status).toBe(200);
});

test("one network has two of an address's five mails an hour, in whatever spelling of the address", async () => {
  const { email } = await owner();
  const count = async (networks: readonly SentHeaders[]) =>
    (
      await mailedDuring(house, () =>
        series(networks.length, (index) =>
          requestReset(house, index % 2 === 0 ? email : email.toUpperCase(), networks[index]),
        ),
      )
    ).length;

  expect(await count([stranger, stranger, stranger, stranger])).toBe(2);
  expect(await count([home, home, home])).toBe(2);
  expect(await count([from("203.0.113.8"), from("203.0.113.9"), from("203.0.113.10")])).toBe(1);
  house.clock.advance(hour);
  expect(await count([stranger, stranger, stranger])).toBe(2);
});

test("a stranger's requests void no code that the owner is just typing", async () => {
  const { email } = await owner();
  const code = await resetCode(house, email);

  const mails = await mailedDuring(house, () => series(2, () => requestReset(house, email, stranger)));

  expect(mails.map((mail) => codeIn(mail))).toEqual([code, code]);
  expect((await confirmReset(house, code, "a different river at dawn", home)).status).toBe(200);
});

test("whoever is signed in is told that no mail goes out; others learn nothing", async () => {
  const person = await owner();
  const other = await owner();
  const ask = (session: string | undefined, headers: SentHeaders = home, path = "password_reset") =>
    house.send("POST", `/api/me/${path}/request`, { json: { email: person.email }, session, headers });
  const first = await series(2, () => ask(undefined));

  const told = await ask(person.session);
  const toldOfVerification = await ask(person.session, home, "email_verification");

  expect(tally([told, toldOfVerification])).toEqual({ 429: 2 });
  expect(told.json()).toBe("Too many mails to this address. Try again later.");
  expect(Number(told.headers["retry-after"])).toBeGreaterThan(3000);
  const silent = [await ask(undefined), await ask(other.session), await ask("no session at all")];
  expect(silent.map(whole)).toEqual(Array.from({ length: 3 }, () => whole(first[0] ?? told)));
  // Of another page of this machine the cookie counts for nothing.
  const foreign = await ask(person.session, { ...home, origin: "https://evil.example" });
  expect(whole(foreign)).toEqual(whole(first[0] ?? told));
  expect((await requestVerification(house, "nobody@example.com", home)).status).toBe(200);
});

test("whoever can write to the database has nobody's code mailed to somebody else", async () => {
  const [victim, thief] = [await owner(), await owner()];
  const theirs = await resetCode(house, victim.email);
  const own = await resetCode(house, thief.email);
  const { query } = house.inside.store;
  await sql`update mail_codes set sealed = (
    select sealed from mail_codes join accounts on accounts.id = account_id
    where accounts.email = ${victim.email} and purpose = 'reset'
  ) where purpose = 'reset' and account_id = (select id from accounts where email = ${thief.email})`.execute(
    query,
  );

  const mailed = await resetCode(house, thief.email);

  expect([theirs, own]).not.toContain(mailed);
  expect((await confirmReset(house, mailed, "a different river at dawn", home)).status).toBe(200);
  expect((await confirmReset(house, theirs, "a different river at dawn", home)).status).toBe(200);
});

test("a code that an older version wrote is replaced, for nothing can be mailed again", async () => {
  const { email } = await owner();
  const first = await resetCode(house, email);
  await sql`update mail_codes set sealed = null`.execute(house.inside.store.query);
  const second = await resetCode(house, email);
  expect(second).not.toBe(first);
  expect((await confirmReset(house, first, "a different river at dawn", home)).status).toBe(400);
  expect((await confirmReset(house, second, "a different river at dawn", home)).status).toBe(200);
});
