import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  mailedDuring,
  requestReset,
  resetCode,
  signIn,
  signUp,
  subjects,
  tally,
  times,
} from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

const password = "a quiet river at noon";
const own = "the attacker's own river";

let house: TestHouse;
let mike: Person;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_PASSWORD_TRIES: "100" });
  mike = await house.person("Mike.K@Example.com", password);
});
afterAll(stopHouses);

const idOf = async (session: string | undefined): Promise<unknown> =>
  (await house.send("GET", "/api/v9/me/id", { session })).json();

/** Addresses that some program somewhere takes for mike.k@example.com. */
const refused: readonly (readonly [name: string, address: string])[] = [
  ["a dotless i", "m\u0131ke.k@example.com"],
  ["a capital I with a dot", "M\u0130KE.K@example.com"],
  ["a Kelvin sign in the name", "mi\u212ae.k@example.com"],
  ["a full-width name", "\uff4d\uff49\uff4b\uff45.k@example.com"],
  ["a Cyrillic letter in the name", "mik\u0435.k@example.com"],
  ["a combining mark", "mike\u0301.k@example.com"],
  ["a soft hyphen in the name", "mi\u00adke.k@example.com"],
  ["a zero-width space in the name", "mike\u200b.k@example.com"],
  ["a zero-width space in the domain", "mike.k@exam\u200bple.com"],
  ["a soft hyphen in the domain", "mike.k@exam\u00adple.com"],
  ["a full-width domain", "mike.k@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com"],
  ["a full-width at sign", "mike.k\uff20example.com"],
  ["an ideographic full stop", "mike.k@example\u3002com"],
  ["a half-width ideographic full stop", "mike.k@example\uff61com"],
  ["a small full stop", "mike.k@example\ufe52com"],
  ["a Kelvin sign in the domain", "mike.k@\u212axample.com"],
  ["a script letter in the domain", "mike.k@e\u{1d4cd}ample.com"],
  ["a circled letter in the domain", "mike.k@\u24d4xample.com"],
  ["a dot behind the domain", "mike.k@example.com."],
  ["two dots in the domain", "mike.k@example..com"],
  ["a dot behind the name", "mike.k.@example.com"],
  ["two dots in the name", "mike..k@example.com"],
  ["quotes", '"mike.k"@example.com'],
  ["a quoted backslash", '"mike\\.k"@example.com'],
  ["a comment behind the name", "mike.k(x)@example.com"],
  ["a comment behind the domain", "mike.k@example.com(x)"],
  ["angle brackets", "<mike.k@example.com>"],
  ["a name in front", "Mike <mike.k@example.com>"],
  ["a mailto", "mailto:mike.k@example.com"],
  ["a source route", "@evil.example:mike.k@example.com"],
  ["two at signs", "mike.k@example.com@evil.example"],
  ["two addresses", "mike.k@example.com,evil@evil.example"],
  ["two addresses and a blank", "mike.k@example.com evil@evil.example"],
  ["two addresses and a semicolon", "evil@evil.example;mike.k@example.com"],
  ["a NUL", "mike.k@example.com\0.evil.example"],
  ["a line break within", "mike.k@example.com\nevil@evil.example"],
  ["an escaped dot", "mike.k@example%2ecom"],
  ["an undecodable label", "mike.k@xn--example-.com"],
  ["an address in brackets", "mike.k@[127.0.0.1]"],
  ["an address in digits", "mike.k@127.0.0.1"],
];

describe.each(refused)("%s", (_, address) => {
  test("A18: is nobody's address: no account, no way into another, no mail", async () => {
    const mailsBefore = (await house.mails()).length;
    const signedUp = await signUp(house, address, own, elsewhere());
    expect(signedUp.status).toBe(400);
    expect(signedUp.cookies).toEqual([]);
    expect((await signIn(house, address, password, elsewhere())).status).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [address, password] })).status).toBe(403);
    expect((await requestReset(house, address)).status).toBe(400);

    const change = { current_password: password, email: address };
    const moved = await house.send("PUT", "/api/v9/me", { session: mike.session, json: change });
    expect([moved.status, moved.text]).toEqual([400, '"Invalid email"']);
    expect(await house.mails()).toHaveLength(mailsBefore);
  });
});

/** Addresses that only look like his: they are somebody else's. */
const others: readonly (readonly [name: string, address: string, stored: string])[] = [
  ["a tag", "mike.k+inbox@example.com", "mike.k+inbox@example.com"],
  ["without the dot", "mikek@example.com", "mikek@example.com"],
  ["another dot", "m.ike.k@example.com", "m.ike.k@example.com"],
  ["an l for an i", "mlke.k@example.com", "mlke.k@example.com"],
  ["an rn for an m", "rnike.k@example.com", "rnike.k@example.com"],
  ["a Cyrillic letter in the domain", "mike.k@ex\u0430mple.com", "mike.k@xn--exmple-4nf.com"],
  ["a Greek letter in the domain", "mike.k@\u03b5xample.com", "mike.k@xn--xample-hye.com"],
  ["an accent in the domain", "mike.k@ex\u00e4mple.com", "mike.k@xn--exmple-cua.com"],
  ["a domain below", "mike.k@example.com.evil.example", "mike.k@example.com.evil.example"],
  ["a domain above", "mike.k@mail.example.com", "mike.k@mail.example.com"],
  ["percent routing", "mike.k%example.com@evil.example", "mike.k%example.com@evil.example"],
  ["a bang path", "example.com!mike.k@evil.example", "example.com!mike.k@evil.example"],
  ["an encoded word", "=?utf-8?q?mike.k?=@example.com", "=?utf-8?q?mike.k?=@example.com"],
];

describe.each(others)("%s", (_, address, stored) => {
  test("A18: is an account of its own, and its mail goes there alone", async () => {
    let code = "";
    const mailed = await mailedDuring(house, async () => {
      const signedUp = await signUp(house, address, own, elsewhere());
      expect(signedUp.status).toBe(200);
      expect(await idOf(sessionOf(signedUp))).not.toBe(await idOf(mike.session));
      code = await resetCode(house, address, stored);
    });
    expect(mailed.map(({ to, subject }) => `${to}: ${subject}`).toSorted()).toEqual([
      `${stored}: ${subjects.verify}`,
      `${stored}: ${subjects.reset}`,
    ]);

    expect((await signIn(house, address, password, elsewhere())).status).toBe(403);
    expect((await signIn(house, mike.email, own, elsewhere())).status).toBe(403);
    // The code of the look-alike's owner sets the look-alike's password.
    expect((await confirmReset(house, code, "one more river to cross")).status).toBe(200);
    expect((await signIn(house, mike.email, "one more river to cross", elsewhere())).status).toBe(403);
    expect((await signIn(house, mike.email, password, elsewhere())).status).toBe(200);
  });
});

test("A18: his own address in other letters is his, and mail goes to it as he wrote it", async () => {
  for (const spelling of ["mike.k@example.com", "MIKE.K@EXAMPLE.COM", "  mIKE.k@eXAMPLE.com\t"]) {
    const taken = await signUp(house, spelling, own, elsewhere());
    expect([taken.status, taken.json()]).toEqual([400, "user with this email already exists"]);
    expect(await idOf(sessionOf(await signIn(house, spelling, password, elsewhere())))).toBe(
      await idOf(mike.session),
    );

    const mailed = await mailedDuring(house, () => requestReset(house, spelling));
    // The domain is in lower case, as names of hosts are; the name is as it was typed at the sign-up.
    expect(mailed.map(({ to, subject }) => [to, subject])).toEqual([["Mike.K@example.com", subjects.reset]]);
  }
});

test("A18: an international domain is one account in both of its writings", async () => {
  const unicode = await signUp(house, "anna@b\u00fccher.example", password, elsewhere());
  expect(unicode.status).toBe(200);
  for (const writing of [
    "anna@xn--bcher-kva.example",
    "ANNA@B\u00dcCHER.example",
    "anna@bu\u0308cher.example",
  ]) {
    const session = sessionOf(await signIn(house, writing, password, elsewhere()));
    // Decomposed it is another text, which we don't take for the same.
    if (writing.includes("\u0308")) expect(session).toBeUndefined();
    else expect(await idOf(session)).toBe(await idOf(sessionOf(unicode)));
    expect((await signUp(house, writing, own, elsewhere())).status).toBe(400);
  }
  expect((await house.mails()).filter(({ to }) => to.startsWith("anna")).map(({ to }) => to)).toEqual([
    "anna@xn--bcher-kva.example",
  ]);
});

test("A18: a request for a look-alike does not end the code that its owner waits for", async () => {
  causesAnyNumber();
  const code = await resetCode(house, "Mike.K@example.com");
  for (const [, address] of [...refused, ...others]) await requestReset(house, address);
  expect((await confirmReset(house, code, password)).status).toBe(200);
  mike = { ...mike, session: sessionOf(await signIn(house, mike.email, password, elsewhere())) ?? "" };
});

test("A18: of 40 sign-ups at once for one address in all spellings one becomes an account, in two processes", async () => {
  causesAnyNumber();
  const twin = await house.twin();
  const spellings = ["race@example.com", "Race@example.com", "RACE@EXAMPLE.COM", "race@Example.Com"];
  const replies = await times(40, (index) =>
    signUp(index % 2 === 0 ? house : twin, spellings[index % 4] ?? "", `${password} ${index}`, elsewhere()),
  );
  expect(tally(replies)).toEqual({ 200: 1, 400: 39 });
  const winner = replies.findIndex(({ status }) => status === 200);
  expect((await signIn(house, "race@example.com", `${password} ${winner}`, elsewhere())).status).toBe(200);
  const mailed = (await house.mails()).filter(({ to }) => to.toLowerCase() === "race@example.com");
  expect(mailed).toHaveLength(1);
});

test("A18: nobody can move to a taken address, also when several try at once", async () => {
  causesAnyNumber();
  const people = await times(4, () => house.person());
  const movers = await times(8, (index) =>
    house.send("PUT", "/api/v9/me", {
      session: people[index % 4]?.session,
      headers: elsewhere(),
      json: {
        current_password: people[index % 4]?.password,
        email: index % 2 ? "MIKE.K@example.com" : mike.email,
      },
    }),
  );
  expect(movers.map(({ status, text }) => [status, text])).toEqual(
    movers.map(() => [400, '"user with this email already exists"']),
  );
  const free = await times(4, (index) =>
    house.send("PUT", "/api/v9/me", {
      session: people[index]?.session,
      headers: elsewhere(),
      json: {
        current_password: people[index]?.password,
        email: index % 2 ? "Free@example.com" : "free@EXAMPLE.com",
      },
    }),
  );
  expect(tally(free)).toEqual({ 200: 1, 400: 3 });
});

/** What may replace a letter, or come in between: look-alikes, invisible ones, and what programs cut off or decode. */
const strange = fc.constantFrom(
  ...Array.from(
    "\u0131\u0130\u212a\u017f\uff4b\u043a\u0435\u0301\u200b\u00ad\u3002\uff0e\u2024 .+%\"'<>(),;:\\/@\0\n\r\t\u00a0\ufeff-_aKmE",
  ),
);
const variants = fc
  .record({ at: fc.nat({ max: 18 }), replaced: fc.nat({ max: 1 }), by: strange })
  .map(
    ({ at, replaced, by }) =>
      `mike.k@example.com`.slice(0, at) + by + `mike.k@example.com`.slice(at + replaced),
  );

test("A18: no other text signs in as him", async () => {
  causesAnyNumber();
  await fc.assert(
    fc.asyncProperty(variants, async (variant) => {
      // What can't be seen around an address is no part of it.
      const asciiLower = variant
        .replaceAll(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, "")
        .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
      const reply = await signIn(house, variant, password, elsewhere());
      expect(reply.status).toBe(asciiLower === "mike.k@example.com" ? 200 : 403);
    }),
    { numRuns: 150 },
  );
});
