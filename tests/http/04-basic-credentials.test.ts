import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, passwordChannels, statuses } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader, sessionOf } from "../support/http.ts";
import { exchange, lines } from "../support/raw-http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const me = (authorization: string) => house.send("GET", "/api/v9/me", { headers: { authorization } });

describe("HTTP Basic on the API", () => {
  test("takes email:password and token:api_token, and sets no cookie", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);

    for (const basic of [[person.email, person.password] as const, [token, "api_token"] as const]) {
      const reply = await house.send("GET", "/api/v9/me", { basic });
      expect(reply.status).toBe(200);
      expect(reply.json()).toMatchObject({ email: person.email, api_token: token });
      expect(reply.cookies).toEqual([]);
    }
  });

  test("reads the example of RFC 7617 as the two halves that it is made of", async () => {
    const { email } = await house.person("aladdin@example.com", "open sesame");

    // No e-mail address, so nobody's; but well formed, and asked for as any other.
    expect((await me("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")).status).toBe(403);
    expect(basicHeader("Aladdin", "open sesame")).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    expect((await me(basicHeader("Aladdin@example.com", "open sesame"))).json()).toMatchObject({ email });
  });

  test.for([
    ["the scheme in lower case", (given: string) => given.replace("Basic", "basic")],
    ["the scheme in capitals", (given: string) => given.replace("Basic", "BASIC")],
    ["the scheme in mixed case", (given: string) => given.replace("Basic", "bAsIc")],
    ["several blanks behind the scheme", (given: string) => given.replace("Basic ", "Basic   ")],
    ["no base64 padding", (given: string) => given.replaceAll("=", "")],
  ] satisfies [string, (given: string) => string][])("takes %s", async ([, spell]) => {
    const { email, password } = await house.person();

    expect((await me(spell(basicHeader(email, password)))).status).toBe(200);
  });

  test("takes a stray blank before Basic", async () => {
    const { email, password } = await house.person();

    const reply = await exchange(
      house.config.port,
      lines("GET /api/v9/me HTTP/1.1", "Host: any", `Authorization:  \t ${basicHeader(email, password)} `),
    );

    expect(reply.status).toBe(200);
  });

  test("in ISO-8859-1, where they are not UTF-8, as one try", async () => {
    const latin = (text: string): string => `Basic ${Buffer.from(text, "latin1").toString("base64")}`;
    const { email } = await house.person("eva@example.com", "gr\u00fc\u00dfe aus K\u00f6ln");

    expect((await me(latin(`${email}:gr\u00fc\u00dfe aus K\u00f6ln`))).status).toBe(200);
    expect((await me(basicHeader(email, "gr\u00fc\u00dfe aus K\u00f6ln"))).status).toBe(200);
    const before = await house.inside.store.query.selectFrom("tries").selectAll().execute();
    expect((await me(latin(`${email}:gr\u00fc\u00dfe aus Berlin`))).status).toBe(403);
    const after = await house.inside.store.query.selectFrom("tries").selectAll().execute();
    const sum = (rows: typeof before): number => rows.reduce((total, { count }) => total + count, 0);
    // Of the address, and of the network in each of the sizes that count.
    expect(sum(after) - sum(before)).toBe(2);
  });

  const valid = basicHeader("someone@example.com", "a quiet river at noon");
  test.for([
    ["another scheme", valid.replace("Basic", "Bearer")],
    ["no scheme", valid.slice(6)],
    ["only the scheme", "Basic"],
    ["no colon", `Basic ${Buffer.from("someone@example.com").toString("base64")}`],
    ["an empty user", basicHeader("", "api_token")],
    ["both halves empty", basicHeader("", "")],
    ["a token in the password's place", basicHeader("api_token", "1971800d4d82861d8f2c1651fea4d212")],
    ["api_token in another case", basicHeader("1971800d4d82861d8f2c1651fea4d212", "API_TOKEN")],
    ["a line break in the credentials", basicHeader("someone@example.com", "a quiet\nriver at noon")],
    [
      "bytes that are not UTF-8",
      `Basic ${Buffer.from("someone@example.com:\xe9t\xe9", "latin1").toString("base64")}`,
    ],
    ["something behind the credentials", `${valid}, Basic abc`],
    ["characters that are not base64", "Basic c29tZW9uZUBleGFtcGxlLmNvbTphIHF1aWV0*"],
    ["more than 8 KiB", basicHeader("someone@example.com", "x".repeat(8192))],
  ] satisfies [string, string][])("refuses %s like any wrong credentials", async ([, authorization]) => {
    const reply = await me(authorization);

    expect(reply.status).toBe(403);
    expect(reply.text).toBe('"User does not have access to this resource."');
    expect(reply.headers["www-authenticate"]).toBeUndefined();
  });

  test("compares a token exactly", async () => {
    const token = await house.tokenOf(await house.person());

    for (const wrong of [token.toUpperCase(), `x${token}`, token.slice(1), `${token}0`]) {
      expect((await me(basicHeader(wrong, "api_token"))).status, wrong).toBe(403);
    }
    for (const marker of ["api_token ", " api_token", "API_TOKEN", "Api_token", "", "x"]) {
      expect((await me(basicHeader(token, marker))).status, marker).toBe(403);
    }
  });

  test("refuses two Authorization headers, whatever the first says", async () => {
    const { email, password } = await house.person();
    const header = `Authorization: ${basicHeader(email, password)}`;

    const reply = await exchange(
      house.config.port,
      lines("GET /api/v9/me HTTP/1.1", "Host: any", header, header),
    );

    expect(reply.status).toBe(403);
  });
});

describe("passwords", () => {
  const odd: readonly (readonly [string, string, string])[] = [
    ["with colons", ":a:b::c:12:", ":a:b::c:12:"],
    ["with blanks around and within", "  two  words  ", "  two  words  "],
    ["in several scripts", "пароль-密码-كلمة", "пароль-密码-كلمة"],
    ["with an emoji of many code points", "the 👩🏽‍🚀 was here", "the 👩🏽‍🚀 was here"],
    ["composed, typed decomposed", "cr\u00e8me br\u00fbl\u00e9e", "cre\u0300me bru\u0302le\u0301e"],
    ["decomposed, typed composed", "cre\u0300me bru\u0302le\u0301e", "cr\u00e8me br\u00fbl\u00e9e"],
    ["of 1,024 characters", "x1".repeat(512), "x1".repeat(512)],
    ["that look like a header", "Basic QWxhZGRpbjo=", "Basic QWxhZGRpbjo="],
  ];

  test.for(odd)("%s open every channel", async ([, chosen, typed]) => {
    const person = await house.person(undefined, chosen);
    const keys = { ...person, password: typed, token: "" };

    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 200));
  });

  test.for(odd)("%s can be changed to and from", async ([, chosen, typed]) => {
    const { email, password, session } = await house.person();

    const to = await house.send("PUT", "/api/v9/me", {
      session,
      json: { current_password: password, password: chosen },
    });
    const from = await house.send("PUT", "/api/v9/me", {
      basic: [email, typed],
      json: { current_password: typed, password },
    });

    expect([to.status, from.status]).toEqual([200, 200]);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, typed] })).status).toBe(403);
  });

  test("are compared in every character", async () => {
    const person = await house.person(undefined, "Correct Horse: 7 ");

    for (const password of [
      "Correct Horse: 7",
      " Correct Horse: 7 ",
      "correct horse: 7 ",
      "Correct Horse",
      "Correct Horse: 7 \u00a0",
    ]) {
      const keys = { ...person, password, token: "" };
      expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 403));
    }
  });
});

describe("clients", () => {
  test.for([
    ["no User-Agent", []],
    ["an empty User-Agent", ["User-Agent:"]],
    ["the User-Agent of got, which Toggl refused", ["User-Agent: got (https://github.com/sindresorhus/got)"]],
    ["a User-Agent of 4,000 characters", [`User-Agent: ${"x".repeat(4000)}`]],
    ["a User-Agent that is not ASCII", ["User-Agent: Zeiterfassung für Zuhause"]],
  ] satisfies [string, string[]][])("with %s are served, also when they sign in", async ([, userAgent]) => {
    const { email, password } = await house.person();
    const authorization = `Authorization: ${basicHeader(email, password)}`;

    const got = await exchange(
      house.config.port,
      lines("GET /api/v9/me HTTP/1.1", "Host: any", ...userAgent, authorization),
    );
    const signedIn = await exchange(
      house.config.port,
      lines("POST /api/sessions HTTP/1.1", "Host: any", ...userAgent, authorization, "Content-Length: 0"),
    );

    expect([got.status, signedIn.status]).toEqual([200, 200]);
  });

  test.for([
    ["Content-Length: 0", ["Content-Length: 0"]],
    ["no Content-Length", []],
    ["an empty body that says it is JSON", ["Content-Length: 0", "Content-Type: application/json"]],
    [
      "an empty body that says it is a form",
      ["Content-Length: 0", "Content-Type: application/x-www-form-urlencoded"],
    ],
    ["an empty chunked body", ["Transfer-Encoding: chunked"]],
  ] satisfies [string, string[]][])("may POST with %s", async ([, headers]) => {
    const { email, password, session } = await house.person();
    const request = (path: string) => {
      const head = lines(
        `POST ${path} HTTP/1.1`,
        "Host: any",
        `Authorization: ${basicHeader(email, password)}`,
        ...headers,
      );
      return exchange(
        house.config.port,
        headers.includes("Transfer-Encoding: chunked") ? `${head}0\r\n\r\n` : head,
      );
    };

    expect((await request("/api/sessions")).head).toContain("__Secure-accounts-session=");
    expect((await request("/api/v9/me/reset_token")).body).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await request("/api/me/close_account/track")).body).toMatch(/^\{"success":true,/);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(403);
  });

  test("may come by any host name when they show Basic credentials", async () => {
    const { email, password } = await house.person();

    const reply = await house.send("GET", "/api/v9/me", {
      basic: [email, password],
      headers: { host: "api.track.toggl.com" },
    });

    expect(reply.status).toBe(200);
    expect(sessionOf(reply)).toBeUndefined();
  });
});
