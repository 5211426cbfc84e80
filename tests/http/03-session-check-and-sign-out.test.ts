import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const another = async ({ email, password }: Person): Promise<string> =>
  sessionOf(await house.send("POST", "/api/sessions", { json: { email, password } })) ?? "";

const opens = async (sent: Sent): Promise<boolean> => {
  const replies = [
    await house.send("GET", "/api/sessions", sent),
    await house.send("GET", "/api/v9/me", sent),
  ];
  const [check, me] = replies.map(({ status }) => status);
  expect(check).toBe(me);
  return me === 200;
};

const cleared = "__Secure-accounts-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";

describe("GET /api/sessions", () => {
  test("says yes to each kind of credential, and sets no cookie", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);

    for (const sent of [
      { session: person.session },
      { basic: [person.email, person.password] },
      { basic: [token, "api_token"] },
    ] satisfies Sent[]) {
      const reply = await house.send("GET", "/api/sessions", sent);
      expect(reply.status).toBe(200);
      expect(reply.json()).toEqual({ success: true });
      expect(reply.cookies).toEqual([]);
    }
  });

  test("without credentials is 401 with a header and no body", async () => {
    const reply = await house.send("GET", "/api/sessions");

    expect(reply.status).toBe(401);
    expect(reply.text).toBe("");
    expect(reply.headers["x-authorization-missing"]).toBe("true");
    expect(reply.headers["www-authenticate"]).toBeUndefined();
  });

  test.for([
    ["a cookie that is no token", { session: "garbage" }, "The session has ended. Sign in again."],
    ["an empty cookie", { session: "" }, "The session has ended. Sign in again."],
    [
      "two session cookies",
      { headers: { cookie: "__Secure-accounts-session=a; __Secure-accounts-session=b" } },
      "The session has ended. Sign in again.",
    ],
    ["a wrong password", { basic: ["nobody@example.com", "wrong"] }, "Incorrect email and/or password"],
    [
      "an unknown token",
      { basic: ["1971800d4d82861d8f2c1651fea4d212", "api_token"] },
      "Incorrect email and/or password",
    ],
    ["another scheme", { headers: { authorization: "Bearer abc" } }, "Incorrect email and/or password"],
    [
      "no scheme",
      { headers: { authorization: "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" } },
      "Incorrect email and/or password",
    ],
  ] satisfies [string, Sent, string][])("with %s is 403", async ([, sent, sentence]) => {
    const reply = await house.send("GET", "/api/sessions", sent);

    expect(reply.status).toBe(403);
    expect(reply.json()).toBe(sentence);
    expect(reply.cookies).toEqual([]);
  });

  test("goes by Basic when a cookie is there too", async () => {
    const { session } = await house.person();
    const other = await house.person();

    const good = await house.send("GET", "/api/v9/me", { session, basic: [other.email, other.password] });
    expect(good.json()).toMatchObject({ email: other.email });
    const bad = await house.send("GET", "/api/v9/me", { session, basic: [other.email, "wrong"] });
    expect(bad.status).toBe(403);
    const dead = await house.send("GET", "/api/v9/me", {
      session: "x",
      basic: [other.email, other.password],
    });
    expect(dead.status).toBe(200);
  });
});

describe("DELETE /api/sessions", () => {
  test("with a cookie ends that session at once, and only that one", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);
    const other = await another(person);

    const reply = await house.send("DELETE", "/api/sessions", { session: person.session });

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    expect(reply.cookies).toEqual([cleared]);
    expect(await opens({ session: person.session })).toBe(false);
    expect(await opens({ session: other })).toBe(true);
    expect(await opens({ basic: [token, "api_token"] })).toBe(true);
    expect(await opens({ basic: [person.email, person.password] })).toBe(true);
    expect((await house.send("DELETE", "/api/sessions", { session: person.session })).status).toBe(403);
  });

  test("with a cookie and Basic ends the cookie's session only", async () => {
    const person = await house.person();
    const other = await another(person);

    const reply = await house.send("DELETE", "/api/sessions", {
      session: person.session,
      basic: [person.email, person.password],
    });

    expect(reply.status).toBe(200);
    expect(reply.cookies).toEqual([cleared]);
    expect(await opens({ session: person.session })).toBe(false);
    expect(await opens({ session: other })).toBe(true);
  });

  test.for(["password", "token"] as const)(
    "with Basic by %s alone ends every session of that account, and no token",
    async (kind) => {
      const person = await house.person();
      const bystander = await house.person();
      const token = await house.tokenOf(person);
      const other = await another(person);

      const reply = await house.send("DELETE", "/api/sessions", {
        basic: kind === "token" ? [token, "api_token"] : [person.email, person.password],
      });

      expect(reply.status).toBe(200);
      expect(reply.json()).toEqual({ success: true });
      expect(reply.cookies).toEqual([]);
      expect(await opens({ session: person.session })).toBe(false);
      expect(await opens({ session: other })).toBe(false);
      expect(await opens({ basic: [token, "api_token"] })).toBe(true);
      expect(await opens({ session: bystander.session })).toBe(true);
      expect(await house.tokenOf({ ...person, session: await another(person) })).toBe(token);
    },
  );

  test("with a JSON body, as some clients send it, works as without", async () => {
    const { session } = await house.person();

    const reply = await house.send("DELETE", "/api/sessions", { session, json: {} });

    expect(reply.status).toBe(200);
    expect(await opens({ session })).toBe(false);
  });

  test.for([
    ["no credentials", {}, 401],
    ["wrong Basic beside the cookie", { basic: ["nobody@example.com", "wrong"] }, 403],
    ["an unknown token beside the cookie", { basic: ["1971800d4d82861d8f2c1651fea4d212", "api_token"] }, 403],
  ] satisfies [string, Sent, number][])("with %s ends nothing", async ([, sent, status]) => {
    const { session } = await house.person();

    const reply = await house.send("DELETE", "/api/sessions", status === 401 ? sent : { ...sent, session });

    expect(reply.status).toBe(status);
    expect(reply.cookies).toEqual([]);
    expect(await opens({ session })).toBe(true);
  });

  test("holds after a restart", async () => {
    const before = await startHouse();
    const { session } = await before.person();
    await before.send("DELETE", "/api/sessions", { session });

    const after = await before.restart();

    expect((await after.send("GET", "/api/v9/me", { session })).status).toBe(403);
  });
});
