import { createPrivateKey, type KeyObject } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { causesAnyNumber } from "../support/caused.ts";
import { claimsOf, forge, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
import { statusOf } from "../support/opens.ts";
import { operatorIn, withOperator } from "../support/operator.ts";
import { statusWithinSecond, withinSecond } from "../support/refused-soon.ts";

afterEach(stopHouses);

const generous = { LATCHKEY_SIGN_UPS: "1000", LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" };
const day = 86_400_000;

const kidOf = (session: string): unknown => {
  const header: unknown = JSON.parse(partsOf(session).header);
  return typeof header === "object" && header !== null && "kid" in header ? header.kid : undefined;
};

const signIn = async (house: TestHouse, { email, password }: Person): Promise<string> => {
  const session = sessionOf(await house.send("POST", "/api/sessions", { json: { email, password } }));
  if (session === undefined) throw new Error("No session.");
  return session;
};

type Published = { readonly kids: readonly unknown[]; readonly text: string };

/** What is published, on the path that the world knows and on the API's own. */
const published = async (house: TestHouse): Promise<Published> => {
  const [one, other] = await Promise.all([
    house.send("GET", "/.well-known/jwks.json"),
    house.send("GET", "/api/v9/keys"),
  ]);
  expect(other.text).toBe(one.text);
  const body: unknown = one.json();
  const keys: unknown = typeof body === "object" && body !== null && "keys" in body ? body.keys : undefined;
  if (!Array.isArray(keys)) throw new Error("No keys are published.");
  const kids = keys.map((key: unknown) =>
    typeof key === "object" && key !== null && "kid" in key ? key.kid : key,
  );
  return { kids, text: one.text };
};

test("A35 rotating under load fails no verification, on this node or another", async () => {
  causesAnyNumber();
  const house = await startHouse(generous);
  const twin = await house.twin();
  const people = await Promise.all(Array.from({ length: 4 }, () => house.person()));
  const failures: string[] = [];
  let rotating = true;
  let asked = 0;
  const use = async (person: Person): Promise<void> => {
    const sessions = [person.session];
    while (rotating) {
      // Each session is made on one node and shown to both, at once.
      const where = sessions.length % 2 === 0 ? house : twin;
      sessions.push(await signIn(where, person));
      for (const session of sessions.slice(-3)) {
        for (const [name, one] of Object.entries({ house, twin })) {
          asked += 1;
          const status = await statusOf(one, session);
          if (status !== 200)
            failures.push(`${status} on ${name} for a session of ${String(kidOf(session))}`);
        }
      }
    }
  };
  const users = people.map(use);
  for (let round = 0; round < 4; round += 1) {
    const before = asked;
    await (round % 2 === 0
      ? withOperator(house, (operator) => operator.use.rotateSigningKey({}))
      : operatorIn(house).then((operator) => operator.use.rotateSigningKey({})));
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(before + 40);
  }
  rotating = false;
  await Promise.all(users);

  expect(failures).toEqual([]);
  expect(new Set((await published(house)).kids).size).toBe(5);
});

test("A35 the new key signs, on every node within a second, and both are published", async () => {
  causesAnyNumber();
  const house = await startHouse(generous);
  const twin = await house.twin();
  const person = await house.person();
  const old = kidOf(person.session);

  const kid = await withOperator(house, (operator) => operator.use.rotateSigningKey({}));

  expect(kid).not.toBe(old);
  for (const one of [house, twin]) {
    const signed = await withinSecond(
      async () => kidOf(await signIn(one, person)),
      (by) => by === kid,
    );
    expect(signed).toBe(kid);
    expect(new Set((await published(one)).kids)).toEqual(new Set([old, kid]));
    expect(await statusOf(one, person.session)).toBe(200);
  }
});

test("A35 an old key verifies until its last session ends, then nothing more", async () => {
  const house = await startHouse(generous);
  const person = await house.person();
  const operator = await operatorIn(house);
  const old = await operator.signingKeys.current();
  const kid = await operator.use.rotateSigningKey({});
  const header = partsOf(person.session).header;
  // A session that is younger than the rotation, with the signature of a thief of the old key.
  house.clock.advance(20 * day);
  const young = await signIn(house, person);
  const byOldKey = forge(header, partsOf(young).claims, old.privateKey);

  expect([kidOf(young), await statusOf(house, byOldKey), await statusOf(house, person.session)]).toEqual([
    kid,
    200,
    200,
  ]);
  house.clock.advance(8 * day - 1000);
  expect((await published(house)).kids).toContain(old.kid);

  house.clock.advance(1000);
  expect(await statusOf(house, young)).toBe(200);
  expect(await statusOf(house, person.session)).toBe(403);
  expect((await published(house)).kids).toEqual([kid]);
  const fresh = forge(header, JSON.stringify(claimsOf(await signIn(house, person))), old.privateKey);
  expect(await statusOf(house, fresh)).toBe(403);

  const restarted = await house.restart();
  expect([await statusOf(restarted, byOldKey), await statusOf(restarted, young)]).toEqual([403, 200]);
});

test("A35 revoking a key ends its sessions at once on this node, within a second on others, and after a restart", async () => {
  const house = await startHouse(generous);
  const twin = await house.twin();
  const person = await house.person();
  const operator = await operatorIn(house);
  const old = await operator.signingKeys.current();
  const kid = await operator.use.rotateSigningKey({});
  const young = await signIn(house, person);
  for (const one of [house, twin]) expect(await statusOf(one, person.session)).toBe(200);

  expect(await operator.use.revokeSigningKey(old.kid, {})).toBe(true);

  expect(await statusOf(house, person.session)).toBe(403);
  expect(await statusWithinSecond(async () => ({ status: await statusOf(twin, person.session) }))).toBe(403);
  expect(
    await statusOf(house, forge(partsOf(person.session).header, partsOf(young).claims, old.privateKey)),
  ).toBe(403);
  for (const one of [house, twin]) {
    expect((await published(one)).kids).toEqual([kid]);
    expect(await statusOf(one, young)).toBe(200);
  }
  const restarted = await house.restart();
  expect([await statusOf(restarted, person.session), await statusOf(restarted, young)]).toEqual([403, 200]);
});

test("A35 revoking the key that signs puts a new one in its place, in the same stroke", async () => {
  const house = await startHouse(generous);
  const twin = await house.twin();
  const person = await house.person();
  const { kid } = await (await operatorIn(house)).signingKeys.current();

  await withOperator(house, (operator) => operator.use.revokeSigningKey(kid, {}));

  for (const one of [house, twin]) {
    expect(await statusWithinSecond(async () => ({ status: await statusOf(one, person.session) }))).toBe(403);
    const session = await signIn(one, person);
    expect(kidOf(session)).not.toBe(kid);
    expect(await statusOf(one, session)).toBe(200);
    expect((await published(one)).kids).toEqual([kidOf(session)]);
  }
});

test("A35 an unknown key can't be revoked, and nothing changes by trying", async () => {
  const house = await startHouse(generous);
  const { session } = await house.person();
  const operator = await operatorIn(house);

  for (const kid of ["2000-01-01", "", "%", `${String(kidOf(session))}-2`]) {
    expect(await operator.use.revokeSigningKey(kid, {})).toBe(false);
  }
  expect(await statusOf(house, session)).toBe(200);
});

test("A35 what is published has no private member, in whatever state the keys are", async () => {
  const house = await startHouse(generous);
  await house.person();
  const operator = await operatorIn(house);
  const keys: KeyObject[] = [];
  for (let round = 0; round < 3; round += 1) {
    keys.push((await operator.signingKeys.current()).privateKey);
    await operator.use.rotateSigningKey({});
  }
  const { text } = await published(house);
  const body: unknown = JSON.parse(text);

  expect(body).toEqual({
    keys: Array.from({ length: 4 }, () => ({
      kty: "OKP",
      crv: "Ed25519",
      x: expect.stringMatching(/^[\w-]{43}$/),
      kid: expect.stringMatching(/^2026-03-04(-[234])?$/),
      use: "sig",
      alg: "EdDSA",
    })),
  });
  for (const key of keys) {
    const { d = "" } = key.export({ format: "jwk" });
    expect(createPrivateKey(key.export({ format: "pem", type: "pkcs8" })).type).toBe("private");
    expect(d).toHaveLength(43);
    expect(text).not.toContain(d);
  }
});
