import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  behindProxy,
  from,
  lock,
  passwordDoors,
  series,
  signIn,
  signUp,
  verifiedPerson,
  whole,
} from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";

const password = "a quiet river at noon";
const wrong = "a quiet river at dusk";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
  await verifiedPerson(house, "open@example.com", password);
  await verifiedPerson(house, "closed@example.com", password);
  await house.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  await verifiedPerson(house, "locked@example.com", password);
  await lock(house, "locked@example.com");
  await signUp(house, "unverified@example.com", password);
  await verifiedPerson(house, "no-password@example.com", password);
  await sql`update accounts set password_hash = null where email_canonical = 'no-password@example.com'`.execute(
    house.inside.store.query,
  );
  // What was changed by hand above, no process has been told of.
  await house.inside.store.transaction(async (tx) => tx.changed("all"));
});
afterAll(stopHouses);

/** Whom nobody may tell apart from an address that nobody has. */
const refused: readonly (readonly [who: string, email: string, password: string])[] = [
  ["somebody with a wrong password", "open@example.com", wrong],
  ["a closed account with its password", "closed@example.com", password],
  ["a closed account with a wrong one", "closed@example.com", wrong],
  ["a locked account with its password", "locked@example.com", password],
  ["a locked account with a wrong one", "locked@example.com", wrong],
  ["an unverified account with its password", "unverified@example.com", password],
  ["an unverified account with a wrong one", "unverified@example.com", wrong],
  ["an account without a password", "no-password@example.com", password],
  ["a malformed address", "nobody at example.com", password],
  ["an address with letters beyond ASCII", "nób\u00f3dy@example.com", password],
  ["an address of 5,000 characters", `${"n".repeat(5000)}@example.com`, password],
  ["an empty password", "open@example.com", ""],
  ["a password of 2,000 characters", "open@example.com", "p".repeat(2000)],
];

describe.each(passwordDoors)("$name", (door) => {
  test("A01: answers every wrong pair like an address that nobody has, to the byte", async () => {
    const unknown = await door.knock(house, "nobody@example.com", password);
    expect(unknown.status).toBe(403);
    expect(unknown.cookies).toEqual([]);

    for (const [who, email, tried] of refused) {
      expect(whole(await door.knock(house, email, tried)), who).toEqual(whole(unknown));
    }
  });

  test("A01: so does it to those who ask for a problem document", async () => {
    const accept = { accept: "application/problem+json" };
    const unknown = await door.knock(house, "nobody@example.com", password, accept);
    expect(unknown.json()).toMatchObject({ status: 403, code: "credentials_wrong" });

    for (const [who, email, tried] of refused) {
      expect(whole(await door.knock(house, email, tried, accept)), who).toEqual(whole(unknown));
    }
  });

  test("A02: runs one verification of the same cost for each of them", async () => {
    const one = [expect.objectContaining({ kind: "verify", cost: "m=64,t=1,p=1" })];
    expect(await hashedDuring(() => door.knock(house, "nobody@example.com", password))).toEqual(one);

    for (const [who, email, tried] of refused) {
      expect(await hashedDuring(() => door.knock(house, email, tried)), who).toEqual(one);
    }
  });
});

test("A01: a wait after too many tries is the same for every address, whether or not it exists or may enter", async () => {
  const strict = await startHouse({
    ...behindProxy,
    LATCHKEY_HIDE_ACCOUNTS: "strict",
    LATCHKEY_PASSWORD_TRIES: "3",
  });
  for (const who of ["open", "closed", "locked"]) {
    await verifiedPerson(strict, `${who}@example.com`, password);
  }
  await strict.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  await lock(strict, "locked@example.com");
  await signUp(strict, "unverified@example.com", password);

  let networks = 0;
  const answersOf = async (email: string, tried: string) => {
    const network = `203.0.113.${++networks}`;
    return (await series(6, () => signIn(strict, email, tried, from(network)))).map(whole);
  };
  const unknown = await answersOf("nobody@example.com", password);
  expect(unknown.map(({ status }) => status)).toEqual([403, 403, 403, 429, 429, 429]);
  expect(unknown.at(-1)?.headers).toMatchObject({ "retry-after": "2", "x-remaining-login-attempts": "0" });
  expect(await answersOf("open@example.com", wrong)).toEqual(unknown);
  expect(await answersOf("nobody at example.com", password)).toEqual(unknown);
  // Even the right password is a wrong one for those who may not enter, and is counted.
  for (const who of ["closed", "locked", "unverified"]) {
    expect(await answersOf(`${who}@example.com`, password), who).toEqual(unknown);
  }
});

test("A01: whoever is none of them gets in", async () => {
  expect((await signIn(house, "open@example.com", password)).status).toBe(200);
});
