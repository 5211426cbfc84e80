import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

/** A house and somebody in it, whose sign-up is no try any more. */
const newHouse = async () => {
  const own = await startHouse(roomy);
  const person = await own.person();
  await own.inside.store.query.deleteFrom("tries").execute();
  return { own, ...person };
};

/** Tries at passwords that have not been given back: of the address, and of the network. */
const counted = async ({ inside }: TestHouse): Promise<readonly number[]> => {
  const rows = await inside.store.query.selectFrom("tries").select("count").execute();
  return rows.map(({ count }) => count);
};

const signIn = (sent: Sent) => house.send("POST", "/api/sessions", sent);

describe("POST /api/sessions", () => {
  test("by JSON sets a session cookie that opens the API", async () => {
    const { email, password } = await house.person();

    const reply = await signIn({ json: { email, password } });

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    expect(reply.cookies).toEqual([
      `__Secure-accounts-session=${sessionOf(reply)}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ]);
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({ email });
  });

  test("by Basic with an empty body does the same", async () => {
    const { email, password } = await house.person();

    const reply = await signIn({ basic: [email, password] });

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({ email });
  });

  test.for([
    [true, /; SameSite=Lax; Max-Age=2419200$/],
    [false, /; SameSite=Lax$/],
  ] as const)("with remember_me %s the cookie lasts as it should", async ([remember_me, ending]) => {
    const { email, password } = await house.person();

    const reply = await signIn({ json: { email, password, remember_me } });

    expect(reply.cookies).toEqual([expect.stringMatching(ending)]);
  });

  test("finds the account however the address is typed", async () => {
    const { password } = await house.person("Anna.Example@BÜCHER.example");

    for (const email of [
      "anna.example@bücher.example",
      "ANNA.EXAMPLE@xn--bcher-kva.EXAMPLE",
      "  Anna.Example@bücher.example ",
    ]) {
      const reply = await signIn({ json: { email, password } });
      expect(reply.status, email).toBe(200);
    }
  });

  test("always starts a new session, and leaves the others alone", async () => {
    const { email, password, session } = await house.person();

    const second = sessionOf(await signIn({ json: { email, password }, session }));
    const third = sessionOf(await signIn({ json: { email, password } }));

    expect(new Set([session, second, third]).size).toBe(3);
    for (const one of [session, second, third]) {
      expect((await house.send("GET", "/api/sessions", { session: one })).status).toBe(200);
    }
  });

  test("is two transactions: a try before the hash; the session, the event and the try given back behind it", async () => {
    const { own, email, password } = await newHouse();
    const transaction = vi.spyOn(own.inside.store, "transaction");
    onTestFinished(() => transaction.mockRestore());

    expect((await own.send("POST", "/api/sessions", { json: { email, password } })).status).toBe(200);
    expect(transaction).toHaveBeenCalledTimes(2);
    expect(await counted(own)).toEqual([0, 0]);

    await own.send("POST", "/api/sessions", { json: { email, password: "a loud river at noon" } });
    expect(transaction).toHaveBeenCalledTimes(3);
    expect(await counted(own)).toEqual([1, 1]);
  });

  test("many at once with the same right password give back no more than they used up", async () => {
    const { own, email, password } = await newHouse();
    const attempt = (typed: string) =>
      own.send("POST", "/api/sessions", { json: { email, password: typed } });
    for (let n = 0; n < 3; n++) await attempt("a loud river at noon");

    const replies = await Promise.all(Array.from({ length: 8 }, () => attempt(password)));

    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(new Set(replies.map(sessionOf)).size).toBe(8);
    expect(await counted(own)).toEqual([3, 3]);
  });

  test("answers a wrong password and an unknown address alike, and sets no cookie", async () => {
    const { email } = await house.person();
    const attempts: readonly Sent[] = [
      { json: { email, password: "not the password" } },
      { json: { email: "nobody@example.com", password: "not the password" } },
      { json: { email: "no address at all", password: "not the password" } },
      { basic: [email, "not the password"] },
      { basic: ["nobody@example.com", "not the password"] },
      { basic: [email, ""] },
    ];

    for (const attempt of attempts) {
      const reply = await signIn(attempt);
      expect(reply.status).toBe(403);
      expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(reply.text).toBe('"Incorrect email and/or password"');
      expect(reply.cookies).toEqual([]);
    }
  });

  test("makes no session of an API token", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);

    for (const sent of [
      { basic: [token, "api_token"] },
      { json: { email: token, password: "api_token" } },
      { json: { email: person.email, password: token } },
    ] satisfies Sent[]) {
      const reply = await signIn(sent);
      expect(reply.status).toBe(403);
      expect(reply.cookies).toEqual([]);
    }
  });

  test.for([
    ["nothing at all", {}, "email is required; password is required"],
    ["an empty object", { json: {} }, "email is required; password is required"],
    ["no password", { json: { email: "ada@example.com" } }, "password is required"],
    [
      "a number as the password",
      { json: { email: "ada@example.com", password: 12345678 } },
      "password must be a string",
    ],
    ["null as the address", { json: { email: null, password: "12345678" } }, "email must be a string"],
    ["a list", { json: ["ada@example.com", "12345678"] }, "body must be a JSON object"],
    [
      "a field that nobody knows",
      { json: { email: "ada@example.com", password: "12345678", created_with: "curl" } },
      "created_with is not a known field",
    ],
  ] satisfies [string, Sent, string][])("refuses %s by name", async ([, sent, sentence]) => {
    const reply = await signIn(sent);

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe(sentence);
    expect(reply.cookies).toEqual([]);
  });
});

describe("the session cookie", () => {
  test("is a JWT with the recorded header and claims", async () => {
    const { session } = await house.person();
    const now = Math.floor(house.clock.now() / 1000);

    expect(decodeProtectedHeader(session)).toEqual({
      alg: "EdDSA",
      kid: expect.stringMatching(/^\d{4}-\d{2}-\d{2}(-\d+)?$/),
      typ: "JWT",
    });
    expect(decodeJwt(session)).toEqual({
      aud: ["track"],
      exp: now + 2_419_200,
      iat: now,
      nbf: now - 300,
      iss: house.config.origin.origin,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
      sub: expect.stringMatching(/^[2-9A-HJ-NP-Za-km-z]{22}$/),
    });
    const me = await house.send("GET", "/api/v9/me", { session });
    expect(me.json()).toMatchObject({ toggl_accounts_id: decodeJwt(session).sub });
  });

  test("ends after 28 days, and not before", async () => {
    const { session } = await house.person();

    house.clock.advance(2_419_200_000 - 1000);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
    house.clock.advance(1000);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(403);
    expect((await house.send("GET", "/api/sessions", { session })).status).toBe(403);
  });

  test("is good after a restart too", async () => {
    const before = await startHouse();
    const { email, session } = await before.person();

    const after = await before.restart();

    expect((await after.send("GET", "/api/v9/me", { session })).json()).toMatchObject({ email });
  });
});

describe("POST /api/sessions with Basic and a body", () => {
  test.each([
    ["an empty object", {}, /SameSite=Lax$/],
    ["what to remember", { remember_me: true }, /; Max-Age=2419200$/],
  ] as const)("that has %s signs in by Basic", async (_, json, cookie) => {
    const { email, password } = await house.person();

    const reply = await house.send("POST", "/api/sessions", { basic: [email, password], json });

    expect(reply.status).toBe(200);
    expect(reply.cookies[0]).toMatch(cookie);
  });

  test("that names an address signs in by the body alone", async () => {
    const { email, password } = await house.person();

    const reply = await house.send("POST", "/api/sessions", {
      basic: [email, password],
      json: { email, password: "another river at dusk" },
    });

    expect(reply.status).toBe(403);
    expect(reply.cookies).toEqual([]);
  });
});
