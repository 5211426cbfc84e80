import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { chunked, exchange, lines } from "../support/raw-http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

let newcomers = 0;
const newcomer = () => {
  newcomers += 1;
  return {
    email: `newcomer${newcomers}@example.com`,
    password: "a quiet river at noon",
    tos_accepted_for: "track",
  };
};
const json = { "content-type": "application/json" };
const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = json): Promise<Reply> =>
  house.send("POST", "/api/signup", { body, headers });
const told = ({ status, text }: Reply): readonly unknown[] => [status, text];
const tooLarge = [413, '"The body is larger than this path accepts"'];
const wrongType = [415, '"The body must be sent as application/json"'];
const wrongCoding = [415, `"The body's Content-Encoding must be gzip, or none"`];
const limit = 64 * 1024;
/** A sign-up of exactly so many bytes: white space around JSON means nothing. */
const padded = (size: number): string => JSON.stringify(newcomer()).padEnd(size, " ");

describe("the size of a body", () => {
  test("may be 64 KiB", async () => {
    expect((await post(padded(limit))).status).toBe(200);
  });

  test("may not be a byte more, with and without its length told, on every path", async () => {
    const body = padded(limit + 1);
    const { session } = await house.person();

    expect(told(await post(body))).toEqual(tooLarge);
    const unannounced = await exchange(
      house.config.port,
      Buffer.concat([
        Buffer.from(
          lines(
            "POST /api/signup HTTP/1.1",
            "Host: any",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
          ),
        ),
        chunked(body.slice(0, 40_000), body.slice(40_000)),
      ]),
    );
    expect([unannounced.status, unannounced.body]).toEqual(tooLarge);
    for (const [method, path] of [
      ["POST", "/api/sessions"],
      ["DELETE", "/api/sessions"],
      ["POST", "/api/me/password_reset/request"],
      ["POST", "/api/me/email_verification/request"],
      ["POST", "/api/me/email_change/request"],
      ["PUT", "/api/v9/me"],
      ["POST", "/api/v9/me/reset_token"],
    ] as const) {
      const sent = { body, headers: json, session };
      expect(told(await house.send(method, path, sent)), `${method} ${path}`).toEqual(tooLarge);
    }
  });

  test("is not looked at before the caller is known", async () => {
    const body = padded(limit + 1);
    const before = house.logs.length;
    for (const [method, path] of [
      ["DELETE", "/api/sessions"],
      ["POST", "/api/me/email_change/request"],
      ["PUT", "/api/v9/me"],
      ["POST", "/api/v9/me/reset_token"],
    ] as const) {
      for (const headers of [json, { ...json, "content-encoding": "br" }, { "content-type": "nonsense" }]) {
        const reply = await house.send(method, path, { body, headers });
        expect(reply.status, `${method} ${path}`).toBe(401);
      }
    }
    expect(house.logs.slice(before).join()).not.toContain("body_too_large");
  });

  test("counts after inflation too", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, " "));
    const justOver = gzipSync(padded(limit + 1));
    const justFits = gzipSync(padded(limit));
    const gzip = { ...json, "content-encoding": "gzip" };

    expect(bomb.length).toBeLessThan(limit);
    expect(told(await post(bomb, gzip))).toEqual(tooLarge);
    expect(told(await post(justOver, gzip))).toEqual(tooLarge);
    expect((await post(justFits, gzip)).status).toBe(200);
  });
});

describe("the coding of a body", () => {
  const coded = (make: (body: string) => Buffer, coding: string) =>
    post(make(JSON.stringify(newcomer())), { ...json, "content-encoding": coding });

  test.for(["gzip", "GZIP", "x-gzip"])("may be %s", async (coding) => {
    expect((await coded((body) => gzipSync(body), coding)).status).toBe(200);
  });

  test("may be gzip in chunks, as Toggl's desktop app sends it", async () => {
    const body = gzipSync(JSON.stringify(newcomer()));
    const head = lines(
      "POST /api/signup HTTP/1.1",
      "Host: any",
      "Content-Type: application/json; charset=utf-8",
      "Content-Encoding: gzip",
      "Transfer-Encoding: chunked",
    );

    const reply = await exchange(
      house.config.port,
      Buffer.concat([Buffer.from(head), chunked(body.subarray(0, 10), body.subarray(10))]),
    );

    expect([reply.status, reply.body]).toEqual([200, '{"success":true}']);
  });

  test.for([
    ["identity", (body: string) => Buffer.from(body), 200],
    ["deflate", (body: string) => deflateSync(body), 415],
    ["br", (body: string) => Buffer.from(body), 415],
    ["gzip, gzip", (body: string) => gzipSync(gzipSync(body)), 415],
    ["gzip", (body: string) => Buffer.from(body), 400],
    ["gzip", (body: string) => deflateRawSync(body), 400],
    ["gzip", (body: string) => gzipSync(body).subarray(0, 40), 400],
    ["gzip", (body: string) => Buffer.concat([gzipSync(body), Buffer.from("more")]), 400],
  ] satisfies [string, (body: string) => Buffer, number][])("%s: row %#", async ([coding, make, status]) => {
    const reply = await coded(make, coding);

    expect(reply.status).toBe(status);
    if (status === 415) expect(told(reply)).toEqual(wrongCoding);
    if (status === 400) expect(reply.json()).toBe("The body can't be decompressed with its Content-Encoding");
  });
});

describe("the type of a body", () => {
  test.for([
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/json ; charset=utf-8; v=1",
  ])("may be %s", async (type) => {
    expect((await post(JSON.stringify(newcomer()), { "content-type": type })).status).toBe(200);
  });

  test.for([
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "text/json",
    "application/json, text/plain",
    "",
  ])("may not be %s", async (type) => {
    expect(told(await post(JSON.stringify(newcomer()), { "content-type": type }))).toEqual(wrongType);
  });

  test("may not be left out", async () => {
    expect(told(await post(JSON.stringify(newcomer()), {}))).toEqual(wrongType);
  });

  test("does not matter when there is no body", async () => {
    const { email, password } = await house.person();

    const reply = await house.send("POST", "/api/sessions", {
      basic: [email, password],
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });

    expect(reply.status).toBe(200);
  });

  test("matters also where no body is needed", async () => {
    const { session } = await house.person();
    const send = (method: string, path: string) =>
      house.send(method, path, {
        session,
        body: "a=b",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });

    expect(told(await send("POST", "/api/v9/me/reset_token"))).toEqual(wrongType);
    expect(told(await send("POST", "/api/me/close_account/track"))).toEqual(wrongType);
    expect(told(await send("DELETE", "/api/sessions"))).toEqual(wrongType);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
  });
});

describe("JSON", () => {
  const nested = (levels: number) => `{"email":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  test.for([
    ["that is cut short", '{"email":"ada@example.com"', /^The body is not valid JSON/],
    ["with a comma too many", '{"email":"ada@example.com",}', /^The body is not valid JSON/],
    ["in JavaScript's manner", "{email:'ada@example.com'}", /^The body is not valid JSON/],
    ["of two values", '{"email":"a"}{"email":"b"}', /^The body is not valid JSON/],
    ["that is not UTF-8", Buffer.from('{"email":"\xe9"}', "latin1"), /^The body is not valid UTF-8$/],
    [
      "with half a surrogate pair",
      '{"email":"\\ud800"}',
      /^The body has a string with half a surrogate pair$/,
    ],
    ["of 100,000 open brackets in 60 KiB", nested(30_000), /^The body is nested more than 32 levels deep$/],
    ["of 33 levels", nested(32), /^The body is nested more than 32 levels deep$/],
    [
      "of 1,001 keys",
      JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, key) => [key, 1]))),
      /^The body has more than 1000 keys$/,
    ],
    ["that reaches for a prototype", '{"__proto__":{"admin":true}}', /^The body has the key __proto__/],
    [
      "that reaches for it in escapes",
      '{"\\u005f_proto__":{"admin":true}}',
      /^The body has the key __proto__/,
    ],
    ["null", "null", /^body must be a JSON object$/],
    ["true", "true", /^body must be a JSON object$/],
    ["a number", "7", /^body must be a JSON object$/],
    ["a string", '"email"', /^body must be a JSON object$/],
    ["a list", '[{"email":"ada@example.com"}]', /^body must be a JSON object$/],
  ] satisfies [string, string | Buffer, RegExp][])("%s is refused", async ([, body, sentence]) => {
    const reply = await post(body);

    expect(reply.status).toBe(400);
    expect(reply.json()).toMatch(sentence);
    expect(reply.cookies).toEqual([]);
  });

  test.for([
    ["nothing", ""],
    ["blanks", " \r\n\t "],
    ["an empty object", "{}"],
  ] satisfies [string, string][])("%s is refused with the fields that are needed", async ([, body]) => {
    const reply = await post(body);

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe("email is required; password is required; tos_accepted_for is required");
  });

  test("of a wrong password is never quoted", async () => {
    const reply = await post('{"email":"ada@example.com","password":"hunter2hunter2"', {
      ...json,
      accept: "application/problem+json",
    });

    expect(reply.status).toBe(400);
    expect(reply.text).not.toContain("hunter2");
    expect(house.logs.join("\n")).not.toContain("hunter2");
  });

  test("may begin with a byte order mark", async () => {
    expect((await post(`\ufeff${JSON.stringify(newcomer())}`)).status).toBe(200);
  });

  test("of a field told twice counts as the last one says", async () => {
    const { email, password } = await house.person();

    const good = `{"email":"nobody@example.com","email":"${email}","password":"wrong","password":"${password}"}`;
    const bad = `{"email":"${email}","password":"${password}","password":"wrong"}`;

    expect((await house.send("POST", "/api/sessions", { body: good, headers: json })).status).toBe(200);
    expect((await house.send("POST", "/api/sessions", { body: bad, headers: json })).status).toBe(403);
  });
});

describe("fields that nobody knows", () => {
  test.for([
    ["POST", "/api/signup", newcomer()],
    ["POST", "/api/sessions", { email: "ada@example.com", password: "a quiet river at noon" }],
    ["POST", "/api/me/password_reset/request", { email: "ada@example.com" }],
    ["POST", "/api/me/email_verification/request", { email: "ada@example.com" }],
    [
      "POST",
      "/api/me/password_reset/confirm/0123456789abcdefghjkmnpqrs",
      { password: "a quiet river at noon" },
    ],
  ] satisfies [string, string, object][])("are refused by name at %s %s", async ([method, path, known]) => {
    const before = (await house.mails()).length;

    const reply = await house.send(method, path, { json: { ...known, created_with: "curl", admin: true } });

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe("created_with is not a known field; admin is not a known field");
    expect(await house.mails()).toHaveLength(before);
  });

  test("are ignored at /api/v9", async () => {
    const { session } = await house.person();

    const put = await house.send("PUT", "/api/v9/me", {
      session,
      json: { created_with: "curl", fullname: "Ada" },
    });
    const reset = await house.send("POST", "/api/v9/me/reset_token", {
      session,
      json: { created_with: "curl" },
    });

    expect([put.status, reset.status]).toEqual([200, 200]);
    expect(put.json()).toMatchObject({ fullname: "Ada" });
    expect(put.text).not.toContain("created_with");
  });
});
