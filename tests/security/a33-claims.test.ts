import type { KeyObject } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimsOf, forge, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";
import { expectAllRefused, statusOf } from "../support/opens.ts";
import { operatorIn } from "../support/operator.ts";

let house: TestHouse;
let person: Person;
let privateKey: KeyObject;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  person = await house.person();
  ({ privateKey } = await (await operatorIn(house)).signingKeys.current());
});
afterAll(stopHouses);

/** A token truly signed by our key, with other claims. */
const signed = (claims: string, session = person.session): string =>
  forge(partsOf(session).header, claims, privateKey);

/** Without the fields whose new value is undefined. */
const changed = (changes: Readonly<Record<string, unknown>>, session = person.session): string =>
  signed(JSON.stringify({ ...claimsOf(session), ...changes }), session);

const timeOf = (name: string): number => Number(claimsOf(person.session)[name]);

test("A33 the same claims signed anew are let in, so that what follows is refused for its own sake", async () => {
  expect(await statusOf(house, changed({}))).toBe(200);
});

describe.each(["exp", "nbf", "iat"])("%s", (name) => {
  test("A33 must be a whole positive number of seconds", async () => {
    const whole = timeOf(name);
    const wrong: readonly unknown[] = [
      undefined,
      null,
      "",
      String(whole),
      `${whole}s`,
      true,
      false,
      [],
      [whole],
      { value: whole },
      0,
      -1,
      -whole,
      whole + 0.5,
      whole * 1000,
      2 ** 53,
      1e21,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
    ];
    const tokens = new Map(
      wrong.map((value) => [`${name}: ${JSON.stringify(value)}`, changed({ [name]: value })]),
    );
    // Numbers that JSON can spell and JavaScript can't write.
    for (const spelling of [
      `${whole}.0`,
      `${whole}e0`,
      `${String(whole).slice(0, -1)}e1`,
      "1e999",
      `0${whole}`,
      `-0`,
    ]) {
      const claims = partsOf(person.session).claims.replace(
        new RegExp(`"${name}":\\d+`),
        `"${name}":${spelling}`,
      );
      tokens.set(`${name}: ${spelling}`, signed(claims));
    }
    await expectAllRefused(house, tokens);
  });
});

test("A33 times that don't go together are refused", async () => {
  const [exp, iat, nbf] = [timeOf("exp"), timeOf("iat"), timeOf("nbf")];
  await expectAllRefused(
    house,
    new Map([
      ["over", changed({ exp: iat, iat: iat - 10, nbf: iat - 310 })],
      ["ends before it begins", changed({ exp: iat - 1 })],
      ["longer than 28 days", changed({ exp: exp + 1 })],
      ["much longer", changed({ exp: exp + 400 * 86_400 })],
      ["longer by an older beginning", changed({ iat: iat - 1, nbf: nbf - 1 })],
      ["not yet", changed({ nbf: iat + 301, iat: iat + 301 })],
      ["made in the future", changed({ iat: iat + 3600, exp: exp + 3600 })],
      ["not before it was made", changed({ nbf: iat + 1 })],
    ]),
  );
});

test("A33 a session ends to the millisecond with its row, whatever a newer token says", async () => {
  const mine = await startHouse();
  const { session } = await mine.person();
  const key = (await (await operatorIn(mine)).signingKeys.current()).privateKey;
  const { exp, iat, nbf } = claimsOf(session);
  const shift = 20 * 86_400;
  const later = JSON.stringify({
    ...claimsOf(session),
    exp: Number(exp) + shift,
    iat: Number(iat) + shift,
    nbf: Number(nbf) + shift,
  });
  const endsAt = Number(exp) * 1000;

  mine.clock.advance(shift * 1000);
  const prolonged = forge(partsOf(session).header, later, key);
  expect(await statusOf(mine, prolonged)).toBe(200);
  mine.clock.advance(endsAt - 1 - mine.clock.now());
  expect([await statusOf(mine, session), await statusOf(mine, prolonged)]).toEqual([200, 200]);
  mine.clock.advance(1);
  expect([await statusOf(mine, session), await statusOf(mine, prolonged)]).toEqual([403, 403]);

  const restarted = await mine.restart();
  expect([await statusOf(restarted, session), await statusOf(restarted, prolonged)]).toEqual([403, 403]);
});

test("A33 a token that says it ends earlier ends earlier", async () => {
  const mine = await startHouse();
  const { session } = await mine.person();
  const key = (await (await operatorIn(mine)).signingKeys.current()).privateKey;
  const { iat } = claimsOf(session);
  const short = forge(
    partsOf(session).header,
    JSON.stringify({ ...claimsOf(session), exp: Number(iat) + 60 }),
    key,
  );

  expect(await statusOf(mine, short)).toBe(200);
  mine.clock.advance((Number(iat) + 60) * 1000 - mine.clock.now());
  expect([await statusOf(mine, short), await statusOf(mine, session)]).toEqual([403, 200]);
});

test("A33 issuer and audience must be exactly ours", async () => {
  const { origin } = house.config.origin;
  const issuers: readonly unknown[] = [
    undefined,
    null,
    "",
    "latchkey",
    `${origin}/`,
    `${origin}.evil.example`,
    origin.toUpperCase(),
    [origin],

    origin.replace("http:", "https:"),
    origin.replace("localhost", "127.0.0.1"),
    ` ${origin}`,
    { iss: origin },
  ];
  const audiences: readonly unknown[] = [
    undefined,
    null,
    "",
    "track",
    [],
    ["other"],
    ["Track"],
    ["track", "other"],
    ["other", "track"],
    ["track", "track"],
    [["track"]],
    [null],
    { 0: "track", length: 1 },
    true,
    ["connect"],
  ];
  await expectAllRefused(
    house,
    new Map([
      ...issuers.map((iss) => [`iss ${JSON.stringify(iss)}`, changed({ iss })] as const),
      ...audiences.map((aud) => [`aud ${JSON.stringify(aud)}`, changed({ aud })] as const),
    ]),
  );
});

test("A33 a cookie of another origin is none here, although the store and its keys are the same", async () => {
  const elsewhere = await house.twin({ LATCHKEY_ORIGIN: "http://127.0.0.1:9" });
  const { session } = await elsewhere.person();

  expect(await statusOf(elsewhere, session)).toBe(200);
  expect(await statusOf(house, session)).toBe(403);
  expect(await statusOf(elsewhere, person.session)).toBe(403);
});

test("A33 session and account must be each other's", async () => {
  const other = await house.person();
  const { jti, sub } = claimsOf(other.session);
  const { jti: ownJti, sub: ownSub } = claimsOf(person.session);
  const subjects: readonly unknown[] = [
    undefined,
    null,
    "",
    1,
    `${String(ownSub)}x`,
    [ownSub],
    "1".repeat(22),
    sub,
  ];
  const sessions: readonly unknown[] = [
    undefined,
    null,
    "",
    1,
    [ownJti],
    "0".repeat(32),
    String(ownJti).toUpperCase(),
    `${String(ownJti)}0`,
    jti,
    "' or 1=1 --",
    "%",
    "_".repeat(32),
  ];
  await expectAllRefused(
    house,
    new Map([
      ...subjects.map((value) => [`sub ${JSON.stringify(value)}`, changed({ sub: value })] as const),
      ...sessions.map((value) => [`jti ${JSON.stringify(value)}`, changed({ jti: value })] as const),
    ]),
  );
});

test("A33 claims are read in one spelling only: nothing twice, nothing more, nothing in another order", async () => {
  const { claims } = partsOf(person.session);
  const other = await house.person();
  const { sub } = claimsOf(other.session);
  await expectAllRefused(
    house,
    new Map([
      ["sub twice", signed(claims.replace('"sub":', `"sub":"${String(sub)}","sub":`))],
      ["sub twice, the same", signed(claims.replace(/("sub":"\w+")/, "$1,$1"))],
      ["exp twice", signed(claims.replace('"exp":', '"exp":1,"exp":'))],
      ["an escaped name", signed(claims.replace('"sub"', '"\\u0073ub"'))],
      [
        "another order",
        signed(JSON.stringify(Object.fromEntries(Object.entries(claimsOf(person.session)).toReversed()))),
      ],
      ["one more", changed({ admin: true })],
      ["a prototype", signed(claims.replace("{", '{"__proto__":{"x":1},'))],
      ["blanks", signed(JSON.stringify(claimsOf(person.session), undefined, 1))],
      ["a byte order mark", signed(`\ufeff${claims}`)],
      ["something behind", signed(`${claims} `)],
      ["an array", signed(`[${claims}]`)],
      ["a string", signed(JSON.stringify(claims))],
      ["null", signed("null")],
      ["nothing", signed("")],
      ["not JSON", signed("sub=1")],
      ["no claims", signed("{}")],
    ]),
  );
});

test("A33 things of another kind are no session: API token, mailed code, and a token for another use", async () => {
  const code = codeIn(await house.mailTo(person.email));
  await expectAllRefused(
    house,
    new Map([
      ["the API token", await house.tokenOf(person)],
      ["a mailed code", code],
      ["the session's id", String(claimsOf(person.session)["jti"])],
      ["the account's id", String(claimsOf(person.session)["sub"])],
      ["a reset token", signed(JSON.stringify({ ...claimsOf(person.session), aud: ["reset"] }))],
      ["one without a session", changed({ jti: undefined })],
    ]),
  );
  expect(house.logs.filter((line) => line.includes("request_failed"))).toEqual([]);
});
