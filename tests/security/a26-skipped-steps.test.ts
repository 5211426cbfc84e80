import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  behindProxy,
  elsewhere,
  mailedCode,
  mailedDuring,
  resetCode,
  signIn,
  type SentHeaders,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
afterAll(stopHouses);

const fresh = "a different river at dawn";
const confirmPath = "/api/me/password_reset/confirm";
const asJson: SentHeaders = { "content-type": "application/json" };

const post = (path: string, body: string | undefined, headers: SentHeaders = asJson): Promise<Reply> =>
  house.send("POST", path, { body, headers: { ...headers, ...elsewhere() } });

/** The password is what it was, and the session lives. */
const expectUntouched = async ({ email, password, session }: Person): Promise<void> => {
  expect((await signIn(house, email, password, elsewhere())).status).toBe(200);
  expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
};

/** Everything that a `password` can be in JSON and is no new password, and that nobody may turn into one. */
const noPasswords: readonly (readonly [name: string, password: string])[] = [
  ["null", "null"],
  ["true", "true"],
  ["false", "false"],
  ["nought", "0"],
  ["a number", "1234567890123"],
  ["a number with a fraction", "12345678.5"],
  ["an empty text", '""'],
  ["a short text", '"1234567"'],
  ["seven letters of four bytes", '"🌊🌊🌊🌊🌊🌊🌊"'],
  ["blanks", '"       "'],
  ["an empty list", "[]"],
  ["a list of one", `["${fresh}"]`],
  ["a list of two", `["${fresh}","${fresh}"]`],
  ["an empty object", "{}"],
  ["an object", `{"password":"${fresh}"}`],
  ["an operator", '{"$ne":null}'],
  ["an object with toString", `{"toString":"${fresh}","length":20}`],
  ["a common one", '"password123"'],
  ["the reserved word", '"api_token"'],
  ["half a letter", '"a quiet river \\ud83c"'],
];

/** Bodies that don't say what the password shall be. */
const noBodies: readonly {
  readonly name: string;
  readonly body: string | undefined;
  readonly headers?: SentHeaders;
}[] = [
  { name: "nothing", body: undefined },
  { name: "an empty body", body: "" },
  { name: "blanks", body: "   " },
  { name: "null", body: "null" },
  { name: "true", body: "true" },
  { name: "a number", body: "7" },
  { name: "a text", body: `"${fresh}"` },
  { name: "an empty list", body: "[]" },
  { name: "a list", body: `[{"password":"${fresh}"}]` },
  { name: "an empty object", body: "{}" },
  { name: "another name", body: `{"new_password":"${fresh}"}` },
  { name: "a name in capitals", body: `{"Password":"${fresh}"}` },
  { name: "a name with a blank", body: `{"password ":"${fresh}"}` },
  { name: "a name in brackets", body: `{"password[]":"${fresh}"}` },
  { name: "a path as name", body: `{"user.password":"${fresh}"}` },
  { name: "one field too many", body: `{"password":"${fresh}","email":"somebody@example.com"}` },
  { name: "a code in the body", body: `{"password":"${fresh}","code":"0123456789abcdefghjkmnpqrs"}` },
  { name: "the prototype", body: `{"__proto__":{"password":"${fresh}"}}` },
  { name: "the constructor", body: `{"constructor":{"prototype":{"password":"${fresh}"}}}` },
  { name: "two documents", body: `{"password":"${fresh}"}{"password":"${fresh}"}` },
  { name: "no end", body: `{"password":"${fresh}"` },
  { name: "single quotes", body: `{'password':'${fresh}'}` },
  { name: "a comma too many", body: `{"password":"${fresh}",}` },
  { name: "a comment", body: `{"password":"${fresh}"/**/}` },
  {
    name: "a form",
    body: `password=${fresh}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  },
  {
    name: "JSON that says it is a text",
    body: `{"password":"${fresh}"}`,
    headers: { "content-type": "text/plain" },
  },
  { name: "JSON that says nothing", body: `{"password":"${fresh}"}`, headers: {} },
  {
    name: "JSON in XML's name",
    body: `{"password":"${fresh}"}`,
    headers: { "content-type": "application/xml" },
  },
];

describe("the confirm of a reset, with a code that is good", () => {
  let person: Person;
  let code: string;
  beforeEach(async () => {
    person = await house.person();
    code = await resetCode(house, person.email);
  });

  /** Tells the password that must not have been set, by trying all that a careless program could have made of it. */
  const expectRefused = async (reply: Reply, guesses: readonly string[]): Promise<void> => {
    expect([400, 415]).toContain(reply.status);
    expect(reply.cookies).toEqual([]);
    await expectUntouched(person);
    for (const guess of guesses) {
      expect((await signIn(house, person.email, guess, elsewhere())).status, JSON.stringify(guess)).toBe(403);
    }
  };

  test.each(noPasswords)("A26: %s is no password", async (_, password) => {
    const reply = await post(`${confirmPath}/${code}`, `{"password":${password}}`);
    await expectRefused(reply, [password, fresh, "", "null", "undefined", "[object Object]"]);
  });

  test.each(noBodies)("A26: $name sets none", async ({ body, headers }) => {
    const reply = await post(`${confirmPath}/${code}`, body, headers);
    await expectRefused(reply, [fresh, "", "undefined", "null"]);
  });

  test("A26: the password in the query, in a header or in the path sets none", async () => {
    const words = encodeURIComponent(fresh);
    await expectRefused(await post(`${confirmPath}/${code}?password=${words}`, undefined), [fresh]);
    await expectRefused(await post(`${confirmPath}/${code}?password=${words}`, "{}"), [fresh]);
    await expectRefused(await post(`${confirmPath}/${code}`, "{}", { ...asJson, "x-password": fresh }), [
      fresh,
    ]);
    const deeper = await post(`${confirmPath}/${code}/${words}`, "{}");
    expect(deeper.status).toBe(404);
    await expectUntouched(person);
  });

  test("A26: of a name that comes twice the last one counts, and is checked", async () => {
    const twice = (first: string, last: string) =>
      post(`${confirmPath}/${code}`, `{"password":"${first}","password":${last}}`);
    await expectRefused(await twice(fresh, '"short"'), [fresh, "short"]);
    await expectRefused(await twice(fresh, "null"), [fresh]);
  });

  test("A26: made from the owner's address or name it is refused, and the code is still good for another", async () => {
    const other = await house.person("wilhelmina@example.com");
    const otherCode = await resetCode(house, other.email);
    const weak = await post(`${confirmPath}/${otherCode}`, '{"password":"Wilhelmina-2026"}');
    expect([weak.status, weak.cookies]).toEqual([400, []]);
    await expectUntouched(other);
    expect((await post(`${confirmPath}/${otherCode}`, `{"password":"${fresh}"}`)).status).toBe(200);
    expect((await signIn(house, other.email, fresh, elsewhere())).status).toBe(200);
  });

  test("A26: after all of these one good body is enough", async () => {
    const another = await house.person();
    const good = await resetCode(house, another.email);
    for (const [, password] of noPasswords) await post(`${confirmPath}/${good}`, `{"password":${password}}`);
    for (const { body, headers } of noBodies) await post(`${confirmPath}/${good}`, body, headers);
    expect((await post(`${confirmPath}/${good}`, `{"password":"${fresh}"}`)).status).toBe(200);
  });
});

/** What may stand where a code belongs. */
const noCodes: readonly string[] = [
  "",
  "%20",
  "null",
  "undefined",
  "true",
  "0",
  "[]",
  "{}",
  "%00",
  "%0a",
  "..",
  "%2e%2e",
  "*",
  "%25",
  "'%20or%20'1'='1",
  "0".repeat(26),
  "?code=0",
  "%ff%fe",
  "%zz",
];

const withoutCode: readonly (readonly [name: string, before: string, body: string | undefined])[] = [
  ["a reset", confirmPath, `{"password":"${fresh}"}`],
  ["a verification", "/api/me/email_verification/confirm", undefined],
  ["the undoing of a closing", "/api/me/close_account/undo", `{"password":"${fresh}"}`],
];

describe.each(withoutCode)("the confirm of %s", (_, before, body) => {
  let person: Person;
  let closed: Person;
  beforeAll(async () => {
    person = await house.person();
    closed = await house.person();
    await house.send("POST", "/api/me/close_account/track", { session: closed.session });
  });

  test.each(noCodes)("A26: does nothing with '%s' for a code, while good codes are waiting", async (code) => {
    await resetCode(house, person.email);
    const mails = await mailedDuring(house, async () => {
      const reply = await post(`${before}/${code}`, body);
      // A path that can't be decoded is no request at all, and one without a code no path.
      expect([400, 404]).toContain(reply.status);
      expect(reply.cookies).toEqual([]);
      expect(reply.headers["x-request-id"]).toBeTypeOf("string");
    });
    expect(mails).toEqual([]);
    await expectUntouched(person);
    expect((await signIn(house, person.email, fresh, elsewhere())).status).toBe(403);
    expect((await signIn(house, closed.email, closed.password, elsewhere())).status).toBe(403);
  });

  test("A26: takes no code out of the body, the query or a cookie", async () => {
    const code =
      before === confirmPath
        ? await resetCode(house, person.email)
        : await mailedCode(house, person.email, "verify");
    const elsewhereInIt = [
      await post(before, `{"code":"${code}","password":"${fresh}"}`),
      await post(`${before}?code=${code}`, body),
      await post(`${before}/x?code=${code}`, body),
      await house.send("POST", `${before}/x`, {
        body,
        headers: { ...asJson, ...elsewhere(), cookie: `code=${code}` },
      }),
    ];
    expect(elsewhereInIt.map(({ status }) => status)).toEqual([404, 404, 400, 400]);
    await expectUntouched(person);
  });
});
