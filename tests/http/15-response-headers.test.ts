import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";

let house: TestHouse;
let secure: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
  secure = await startHouse({ ...roomy, LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" });
});
afterAll(stopHouses);

/** As recorded from Toggl. */
const track = {
  "cache-control": "no-cache, private, no-store, must-revalidate",
  "x-service-level": "GREEN",
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
  "referrer-policy": "strict-origin-when-cross-origin",
  "x-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
  "x-toggl-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
};
const ours = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "x-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
};

type Ask = readonly [name: string, status: number, method: string, path: string, (session: string) => Sent];

const trackCalls: readonly Ask[] = [
  ["a good answer", 200, "GET", "/api/v9/me", (session) => ({ session })],
  ["an empty one", 200, "GET", "/api/v9/me/logged", (session) => ({ session })],
  ["one to anybody", 200, "GET", "/api/v9/status", () => ({})],
  ["no credentials", 401, "GET", "/api/v9/me", () => ({})],
  ["bad credentials", 403, "GET", "/api/v9/me", () => ({ session: "x" })],
  ["bad input", 400, "PUT", "/api/v9/me", (session) => ({ session, json: { timezone: "Mars" } })],
  [
    "bad JSON",
    400,
    "PUT",
    "/api/v9/me",
    (session) => ({ session, body: "{", headers: { "content-type": "application/json" } }),
  ],
  ["an unknown path", 404, "GET", "/api/v9/nothing", (session) => ({ session })],
  ["an unknown method", 405, "DELETE", "/api/v9/me", (session) => ({ session })],
  ["too large a body", 413, "PUT", "/api/v9/me", (session) => ({ session, body: "x".repeat(70_000) })],
  ["a form", 415, "PUT", "/api/v9/me", (session) => ({ session, body: "a=b" })],
];

const accountCalls: readonly Ask[] = [
  ["a good answer", 200, "GET", "/api/sessions", (session) => ({ session })],
  ["no credentials", 401, "GET", "/api/sessions", () => ({})],
  ["bad credentials", 403, "GET", "/api/sessions", () => ({ session: "x" })],
  ["bad input", 400, "POST", "/api/signup", () => ({ json: {} })],
  ["an unknown path", 404, "GET", "/api/nothing", () => ({})],
  ["an unknown method", 405, "GET", "/api/signup", () => ({})],
  ["health", 200, "GET", "/healthz", () => ({})],
  ["an unknown page", 404, "GET", "/nothing", () => ({})],
];

const ask = async (of: TestHouse, [, status, method, path, sent]: Ask): Promise<Reply> => {
  const { session } = await of.person();
  const reply = await of.send(method, path, sent(session));
  expect(reply.status).toBe(status);
  return reply;
};

describe("the Track wire", () => {
  test.for(trackCalls.map((call) => [call[0], call] as const))(
    "carries the recorded headers: %s",
    async ([, call]) => {
      const reply = await ask(house, call);

      expect(reply.headers).toMatchObject(track);
      expect(reply.headers["x-toggl-request-id"]).toBe(reply.headers["x-request-id"]);
      expect(reply.headers["strict-transport-security"]).toBeUndefined();
    },
  );
});

describe("the Accounts wire, and what is on none", () => {
  test.for(accountCalls.map((call) => [call[0], call] as const))(
    "keep nothing and show nothing: %s",
    async ([, call]) => {
      const reply = await ask(house, call);

      expect(reply.headers).toMatchObject(ours);
      expect(reply.headers["x-toggl-request-id"]).toBeUndefined();
      expect(reply.headers["x-service-level"]).toBeUndefined();
      expect(reply.headers["strict-transport-security"]).toBeUndefined();
    },
  );
});

describe("every answer", () => {
  const calls = [...trackCalls, ...accountCalls].map(
    (call) => [`${call[1]} ${call[2]} ${call[3]}`, call] as const,
  );

  test.for(calls)("has the right type and length, and nothing that tells too much: %s", async ([, call]) => {
    const { headers, status, text, cookies } = await ask(house, call);

    expect(headers["content-type"]).toBe(text === "" ? undefined : "application/json; charset=utf-8");
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
    expect(headers["x-authorization-missing"]).toBe(status === 401 ? "true" : undefined);
    expect(cookies).toEqual([]);
    for (const name of [
      "www-authenticate",
      "server",
      "x-powered-by",
      "set-cookie",
      "access-control-allow-origin",
      "location",
    ]) {
      expect(headers[name], name).toBeUndefined();
    }
  });

  test.for(calls)("has HSTS, of this host only, when the origin is https: %s", async ([, call]) => {
    const { headers } = await ask(secure, call);

    expect(headers["strict-transport-security"]).toBe("max-age=15552000");
  });

  test("has a request id of its own, which is also in the log", async () => {
    const ids = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await house.send("GET", "/api/v9/status")).headers["x-request-id"],
      ),
    );

    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(house.logs.some((line) => line.includes(String(id)))).toBe(true);
  });

  test("takes no request id from outside", async () => {
    const reply = await house.send("GET", "/api/v9/status", {
      headers: { "x-request-id": "chosen", "request-id": "chosen" },
    });

    expect(reply.headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(house.logs.join("\n")).not.toContain("chosen");
  });
});
