import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const seed = {
  email: "ada@example.com",
  password: "correct horse 7",
  display_name: "Ada Lovelace",
  tos_accepted_for: "track",
  remember_me: true,
  timezone: "America/New_York",
};

const signUp = (json: unknown, headers = {}) => house.send("POST", "/api/signup", { json, headers });

describe("POST /api/signup", () => {
  test("with all six fields makes the account and sets the session cookie", async () => {
    const reply = await signUp(seed);

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    expect(reply.cookies).toHaveLength(1);
    expect(reply.cookies[0]).toMatch(
      /^__Secure-accounts-session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=2419200$/,
    );
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({
      email: "ada@example.com",
      fullname: "Ada Lovelace",
      timezone: "America/New_York",
    });
  });

  test("takes the name from the address and UTC when they are left out, and a cookie for the browser's session", async () => {
    const reply = await signUp({
      email: "grace.hopper@example.com",
      password: "nanoseconds matter",
      tos_accepted_for: "track",
    });

    expect(reply.cookies[0]).toMatch(/; SameSite=Lax$/);
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({ fullname: "grace.hopper", timezone: "UTC" });
  });

  test("sends one mail, to verify the address", async () => {
    await signUp({ ...seed, email: "newcomer@example.com" });

    const mails = (await house.mails()).filter(({ to }) => to === "newcomer@example.com");
    expect(mails.map(({ subject }) => subject)).toEqual(["Confirm your e-mail address"]);
  });

  test("refuses an address that is taken, in whatever case it is typed, and mails nothing", async () => {
    const { email } = await house.person("Taken@Example.com");
    const before = (await house.mails()).length;

    const reply = await signUp({ ...seed, email: email.toUpperCase() });

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe("user with this email already exists");
    expect(reply.cookies).toEqual([]);
    expect(await house.mails()).toHaveLength(before);
  });

  test("gives an address to one of those who ask for it at once", async () => {
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        signUp({ ...seed, email: "race@example.com", password: `the password of runner ${index}` }),
      ),
    );

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 400, 400, 400, 400, 400,
    ]);
    expect(replies.filter(({ cookies }) => cookies.length > 0)).toHaveLength(1);
    const winner = replies.findIndex(({ status }) => status === 200);
    for (const index of replies.keys()) {
      const me = await house.send("GET", "/api/v9/me", {
        basic: ["race@example.com", `the password of runner ${index}`],
      });
      expect(me.status).toBe(index === winner ? 200 : 403);
    }
  });

  test("names every missing and wrong field and its rule", async () => {
    const reply = await signUp(
      { email: "nobody", password: 12345678, timezone: "Mars/Olympus", remember_me: "yes", admin: true },
      { accept: "application/problem+json" },
    );

    expect(reply.status).toBe(400);
    expect(reply.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(reply.json()).toMatchObject({
      status: 400,
      code: "input_invalid",
      errors: expect.arrayContaining([
        expect.objectContaining({ field: "email" }),
        { field: "password", rule: "type", message: "password must be a string" },
        { field: "tos_accepted_for", rule: "required", message: "tos_accepted_for is required" },
        expect.objectContaining({ field: "timezone", rule: "unknown" }),
        { field: "remember_me", rule: "type", message: "remember_me must be true or false" },
        { field: "admin", rule: "unknown", message: "admin is not a known field" },
      ]),
    });
  });

  const refused: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ["no email", { email: undefined }, "email is required"],
    ["no password", { password: undefined }, "password is required"],
    ["no consent", { tos_accepted_for: undefined }, "tos_accepted_for is required"],
    ["consent to another product", { tos_accepted_for: "plan" }, 'tos_accepted_for must be "track"'],
    ["an empty email", { email: " " }, "email is required"],
    ["no address", { email: "nobody" }, "email must be an address like name@example.com"],
    ["two @", { email: "a@b@example.com" }, "email must be an address like name@example.com"],
    [
      "an address with a line break",
      { email: "a\n@example.com" },
      "email has a character in it that can't be seen (U+000A)",
    ],
    [
      "letters beyond ASCII before the @",
      { email: "jürgen@example.com" },
      "email must have only ASCII characters before the @, like name@example.com",
    ],
    [
      "an IP address as the domain",
      { email: "root@[127.0.0.1]" },
      "email must have a plain domain name after the @, like name@example.com",
    ],
    ["an email of the wrong type", { email: ["ada@example.com"] }, "email must be a string"],
    ["a short password", { password: "1234567" }, "password must have at least 8 characters"],
    [
      "8 characters that are 4 after NFC",
      { password: "e\u0301".repeat(4) },
      "password must have at least 8 characters",
    ],
    ["a long password", { password: "x".repeat(1025) }, "password must have at most 1024 characters"],
    ["a common password", { password: "password1" }, "password is one of the most common passwords"],
    [
      "a password from the address",
      { password: "Refused-2026" },
      "password must not be made from your email address",
    ],
    ["a password from the name", { password: "Ada.Lovelace!" }, "password must not be made from your name"],
    [
      "a password from the product",
      { password: "latchkey2026" },
      "password must not be made from the name of this service",
    ],
    ["the word that marks a token", { password: "api_token" }, "password must not be made from api_token"],
    ["an empty name", { display_name: "  " }, "display_name must not be empty"],
    ["a long name", { display_name: "x".repeat(256) }, "display_name must have at most 255 characters"],
    [
      "a name with a line break",
      { display_name: "Ada\r\nBcc: all" },
      "display_name must not contain line breaks or control characters",
    ],
    ["a name of the wrong type", { display_name: null }, "display_name must be a string"],
    [
      "a name of ICU's own as the time zone",
      { timezone: "BST" },
      "timezone must be a name of the IANA time zone database, such as Europe/Tallinn",
    ],
    [
      "an offset as the time zone",
      { timezone: "+02:00" },
      "timezone must be a name of the IANA time zone database, such as Europe/Tallinn",
    ],
    ["remember_me as a word", { remember_me: "true" }, "remember_me must be true or false"],
    ["a field that nobody knows", { role: "admin" }, "role is not a known field"],
  ];

  test.for(refused)("refuses %s: nothing is made, and nothing mailed", async ([, change, sentence]) => {
    const before = await house.mails();

    const reply = await signUp({ ...seed, email: "refused@example.com", ...change });

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe(sentence);
    expect(reply.cookies).toEqual([]);
    expect(await house.mails()).toHaveLength(before.length);
    const signIn = await house.send("POST", "/api/sessions", {
      json: { email: "refused@example.com", password: seed.password },
    });
    expect(signIn.status).toBe(403);
  });
});
