import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusals } from "#app/refusals.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const asked = { accept: "application/problem+json" };
const differs = new Set(["date", "content-length", "content-type", "x-request-id", "x-toggl-request-id"]);
const json = { "content-type": "application/json" };

type Row = readonly [code: keyof typeof refusals, status: number, method: string, path: string, sent: Sent];

const rows: readonly Row[] = [
  ["credentials_missing", 401, "GET", "/api/v9/me", {}],
  ["credentials_missing", 401, "GET", "/api/sessions", {}],
  ["credentials_wrong", 403, "GET", "/api/v9/me", { basic: ["nobody@example.com", "wrong"] }],
  [
    "credentials_wrong",
    403,
    "POST",
    "/api/sessions",
    { json: { email: "nobody@example.com", password: "wrong" } },
  ],
  ["session_not_current", 403, "GET", "/api/v9/me", { session: "x" }],
  [
    "token_makes_no_session",
    403,
    "POST",
    "/api/sessions",
    { basic: ["1971800d4d82861d8f2c1651fea4d212", "api_token"] },
  ],
  ["cross_site", 403, "POST", "/api/signup", { json: {}, headers: { origin: "https://evil.example" } }],
  ["input_invalid", 400, "POST", "/api/signup", { json: {} }],
  ["json_invalid", 400, "POST", "/api/signup", { body: "{", headers: json }],
  ["request_malformed", 400, "GET", "/api/%zz", {}],
  [
    "encoding_invalid",
    400,
    "POST",
    "/api/signup",
    { body: "x", headers: { ...json, "content-encoding": "gzip" } },
  ],
  ["code_refused", 400, "POST", "/api/me/close_account/undo/x", { json: { password: "a river taken back" } }],
  ["not_found", 404, "GET", "/api/nothing", {}],
  ["method_not_allowed", 405, "GET", "/api/signup", {}],
  ["body_too_large", 413, "POST", "/api/signup", { body: "x".repeat(70_000), headers: json }],
  ["content_type_unsupported", 415, "POST", "/api/signup", { body: "a=b" }],
  [
    "encoding_unsupported",
    415,
    "POST",
    "/api/signup",
    { body: "x", headers: { ...json, "content-encoding": "br" } },
  ],
  ["host_unknown", 421, "GET", "/api/v9/me", { session: "x", headers: { host: "evil.example" } }],
];

const rowsByName = rows.map((row) => [`${row[0]} at ${row[2]} ${row[3]}`, row] as const);

describe("Accept: application/problem+json", () => {
  test.for(rowsByName)("gets a problem document: %s", async ([, [code, status, method, path, sent]]) => {
    const plain = await house.send(method, path, sent);

    const reply = await house.send(method, path, { ...sent, headers: { ...sent.headers, ...asked } });

    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    const problem = fieldsOf(reply.json());
    expect(problem).toMatchObject({
      type: `urn:latchkey:problem:${code}`,
      title: refusals[code].text,
      status,
      detail: plain.text === "" ? expect.any(String) : plain.json(),
      code,
      instance: `urn:latchkey:request:${String(reply.headers["x-request-id"])}`,
    });
    expect(Object.keys(problem).filter((name) => name !== "errors")).toEqual([
      "type",
      "title",
      "status",
      "detail",
      "code",
      "instance",
    ]);
    expect("errors" in problem).toBe(code === "input_invalid");
  });

  test.for(rowsByName)(
    "changes nothing but the body and its type: %s",
    async ([, [, status, method, path, sent]]) => {
      const plain = await house.send(method, path, sent);
      const reply = await house.send(method, path, { ...sent, headers: { ...sent.headers, ...asked } });

      expect([plain.status, reply.status]).toEqual([status, status]);
      const stays = Object.entries(plain.headers).filter(([name]) => !differs.has(name));
      expect(reply.headers).toMatchObject(Object.fromEntries(stays));
      expect(plain.text === "" || typeof plain.json() === "string").toBe(true);
    },
  );

  test.for([
    ["application/json, application/problem+json", true],
    ["application/problem+json;q=0.9, */*;q=0.1", true],
    ["Application/Problem+JSON", true],
    ["*/*", false],
    ["application/json", false],
    ["text/html", false],
    ["", false],
  ] satisfies [string, boolean][])("is asked for by %j: %s", async ([accept, wanted]) => {
    const reply = await house.send("GET", "/api/nothing", { headers: { accept } });

    expect(reply.headers["content-type"]).toBe(
      wanted ? "application/problem+json; charset=utf-8" : "application/json; charset=utf-8",
    );
  });

  test("says when it has to do with waiting", async () => {
    const strict = await startHouse({ LATCHKEY_SIGN_UPS: "1" });
    const late = { email: "late@example.com", password: "a quiet river at noon", tos_accepted_for: "track" };
    await strict.person();

    const reply = await strict.send("POST", "/api/signup", { json: late, headers: asked });

    expect(reply.status).toBe(429);
    expect(reply.headers["retry-after"]).toBe("3600");
    expect(reply.json()).toMatchObject({ code: "sign_up_throttled", status: 429 });
  });

  test("names all that is wrong with an input, as the plain sentence does", async () => {
    const { session } = await house.person();
    const wrong = { beginning_of_week: 9, timezone: "Mars", fullname: 7, country_id: "x" };

    const plain = await house.send("PUT", "/api/v9/me", { session, json: wrong });
    const reply = await house.send("PUT", "/api/v9/me", { session, json: wrong, headers: asked });

    const sentences = [
      "Invalid beginning_of_week",
      "Invalid country_id",
      "Invalid fullname",
      "Invalid timezone",
    ];
    expect(String(plain.json()).split("; ")).toEqual(sentences);
    expect(fieldsOf(reply.json())["errors"]).toEqual(
      sentences.map((message) => ({ field: message.split(" ")[1], rule: expect.any(String), message })),
    );
  });

  test("does not touch good answers", async () => {
    const { session } = await house.person();

    const reply = await house.send("GET", "/api/v9/me", { session, headers: asked });

    expect([reply.status, reply.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  });
});
