import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

const listed = "https://time.example.com";
const localListed = "http://localhost:5173";
/** Of an extension, and of an app that brings its own browser. */
const extension = "chrome-extension://abcdefghijklmnop";
const shell = "capacitor://localhost";

let house: TestHouse;
let closed: TestHouse;
beforeAll(async () => {
  house = await startHouse({
    ...roomy,
    LATCHKEY_CORS_ORIGINS: [listed, localListed, extension, shell].join(", "),
  });
  closed = await startHouse(roomy);
});
afterAll(stopHouses);

const corsOf = ({ headers }: Reply): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")));

const preflight = (of: TestHouse, path: string, origin: string, method = "PUT") =>
  of.send("OPTIONS", path, {
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "authorization,content-type",
    },
  });

const exposed = ["Retry-After", "X-Request-Id", "X-Toggl-Quota-Remaining", "X-Toggl-Quota-Resets-In"];

describe("without LATCHKEY_CORS_ORIGINS", () => {
  test("no origin is let in, by preflight or by answer", async () => {
    const { session } = await closed.person();

    const before = await preflight(closed, "/api/v9/me", listed);
    const got = await closed.send("GET", "/api/v9/me", { session, headers: { origin: listed } });
    const put = await closed.send("PUT", "/api/v9/me", {
      session,
      headers: { origin: listed },
      json: { fullname: "X" },
    });

    expect([before.status, before.headers.allow]).toEqual([405, "GET, HEAD, PUT"]);
    expect([got.status, put.status]).toEqual([200, 403]);
    for (const reply of [before, got, put]) expect(corsOf(reply)).toEqual({});
  });
});

describe("with LATCHKEY_CORS_ORIGINS", () => {
  test.for([listed, localListed, extension, shell])(
    "a page of %s may ask, with credentials",
    async (origin) => {
      const reply = await preflight(house, "/api/v9/me", origin);

      expect(reply.status).toBe(204);
      expect(reply.text).toBe("");
      expect(reply.headers["access-control-allow-origin"]).toBe(origin);
      expect(reply.headers["access-control-allow-credentials"]).toBe("true");
      expect(String(reply.headers["access-control-allow-methods"]).split(", ")).toEqual(
        expect.arrayContaining(["GET", "POST", "PUT", "DELETE"]),
      );
      expect(reply.headers["access-control-allow-headers"]).toBe("authorization,content-type");
      expect(String(reply.headers.vary)).toMatch(/\bOrigin\b/);
    },
  );

  test("a page of a listed origin reads answers, good and bad, and the headers that it needs", async () => {
    const { email, password, session } = await house.person();
    const headers = { origin: listed };
    const replies = [
      await house.send("GET", "/api/v9/me", { session, headers }),
      await house.send("GET", "/api/v9/me", { basic: [email, password], headers }),
      await house.send("PUT", "/api/v9/me", { session, headers, json: { timezone: "Mars" } }),
      await house.send("GET", "/api/v9/me", { headers }),
      await house.send("GET", "/api/v9/me", { session: "x", headers }),
      await house.send("GET", "/api/nothing", { headers }),
      await house.send("POST", "/api/signup", { headers, body: "a=b" }),
      await house.send("POST", "/api/sessions", { headers, json: { email, password } }),
    ];

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 401, 403, 404, 415, 200]);
    for (const reply of replies) {
      expect(reply.headers["access-control-allow-origin"]).toBe(listed);
      expect(reply.headers["access-control-allow-credentials"]).toBe("true");
      expect(String(reply.headers["access-control-expose-headers"]).split(", ")).toEqual(
        expect.arrayContaining(exposed),
      );
      expect(String(reply.headers.vary)).toMatch(/\bOrigin\b/);
    }
  });

  test.for([extension, shell])("a page of %s may sign in", async (origin) => {
    const { email, password } = await house.person();
    const json = { email, password };
    expect((await house.send("POST", "/api/sessions", { json, headers: { origin } })).status).toBe(200);
    expect((await closed.send("POST", "/api/sessions", { json, headers: { origin } })).status).toBe(403);
  });

  test("a page of a listed origin may write with the session cookie", async () => {
    const { session } = await house.person();

    const reply = await house.send("PUT", "/api/v9/me", {
      session,
      headers: { origin: listed },
      json: { fullname: "Ada" },
    });

    expect(reply.json()).toMatchObject({ fullname: "Ada" });
  });

  test.for([
    "https://evil.example",
    "null",
    "http://time.example.com",
    "https://time.example.com:8443",
    "https://time.example.com.evil.example",
    "https://sub.time.example.com",
    "HTTPS://TIME.EXAMPLE.COM",
    "https://time.example.com/",
    "chrome-extension://bcdefghijklmnopa",
    "capacitor://localhost.evil.example",
    "*",
  ])("a page of %s may not", async (origin) => {
    const { session } = await house.person();

    const before = await preflight(house, "/api/v9/me", origin);
    const got = await house.send("GET", "/api/v9/me", { session, headers: { origin } });
    const put = await house.send("PUT", "/api/v9/me", {
      session,
      headers: { origin },
      json: { fullname: "X" },
    });
    const signedUp = await house.send("POST", "/api/signup", {
      headers: { origin },
      json: { email: "cross@example.com", password: "a quiet river at noon", tos_accepted_for: "track" },
    });

    for (const reply of [before, got, put, signedUp]) {
      expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect([put.status, signedUp.status, signedUp.cookies]).toEqual([403, 403, []]);
    expect((await house.send("GET", "/api/v9/me", { session })).json()).not.toMatchObject({ fullname: "X" });
  });

  test("what is not under /api is not opened", async () => {
    for (const path of ["/healthz", "/.well-known/jwks.json", "/nothing"]) {
      const reply = await house.send("GET", path, { headers: { origin: listed } });
      expect(reply.headers["access-control-allow-origin"], path).toBeUndefined();
    }
  });

  test("an answer to no page at all says that it depends on the origin", async () => {
    const { session } = await house.person();

    const reply = await house.send("GET", "/api/v9/me", { session });

    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    expect(String(reply.headers.vary)).toMatch(/\bOrigin\b/);
  });

  test("OPTIONS that is no preflight is what it was", async () => {
    const reply = await house.send("OPTIONS", "/api/v9/me");

    expect([reply.status, reply.headers.allow]).toEqual([405, "GET, HEAD, PUT"]);
  });
});
