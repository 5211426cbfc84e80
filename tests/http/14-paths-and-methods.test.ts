import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { exchange, lines } from "../support/raw-http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

describe("paths", () => {
  test.for([
    "/nothing",
    "/api",
    "/api/",
    "/api/v9",
    "/api/v9/",
    "/api/v9/nothing",
    "/api/v9/me/nothing",
    "/api/v9/workspaces/1/nothing",
    "/api/v8/me",
    "/api/signup/more",
    "/api/me/password_reset/confirm/",
    "/api/me/password_reset/confirm",
    "/api/v9/ME",
    "/API/v9/me",
    "//nothing",
    "//api.example.com/v9/me",
    "//dev/mails",
    "/api//v9/me",
    "/api/v9/me/..",
    "/api/v9/me%2f",
    "/dev",
    "/.env",
    "/.git/config",
  ])("%s is unknown, to those with and without credentials", async (path) => {
    const { session } = await house.person();

    for (const sent of [{}, { session }]) {
      const reply = await house.send("GET", path, sent);
      expect([reply.status, reply.text]).toEqual([404, '"Not found"']);
      expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(reply.headers.allow).toBeUndefined();
    }
  });

  test("of the API may begin with more slashes than one; others may not", async () => {
    const { session } = await house.person();
    for (const path of ["//api/v9/me", "///api/v9/me?with_related_data=true", "//api/me"]) {
      const reply = await house.send("GET", path, { session });
      expect([reply.status, reply.headers.location], path).toEqual([200, undefined]);
    }
    const foreign = await house.send("GET", "//api/v9/me", { session, headers: { host: "evil.example" } });
    expect(foreign.status).toBe(421);
    expect((await house.send("GET", "//connections")).status).toBe(401);
    for (const path of ["//login", "//docs/", "//proxy/api/v9/me", "//connect/", "//assets/x"]) {
      const reply = await house.send("GET", path, { session });
      expect([reply.status, reply.headers.location], path).toEqual([404, undefined]);
    }
  });

  test("may end in a slash", async () => {
    const { email, password, session } = await house.person();

    expect((await house.send("GET", "/api/v9/me/", { session })).status).toBe(200);
    expect((await house.send("GET", "/api/v9/workspaces/?x=1", { session })).status).toBe(200);
    expect((await house.send("POST", "/api/sessions/", { json: { email, password } })).status).toBe(200);
    expect((await house.send("PATCH", "/api/v9/me/", { session })).headers.allow).toBe("GET, HEAD, PUT");
  });

  test("that can't be decoded are refused, not served", async () => {
    for (const path of ["/api/v9/%zz", "/api/v9/workspaces/%E0%A4%A", "/api/me/password_reset/confirm/%"]) {
      const reply = await house.send("GET", path);
      expect([reply.status, reply.text], path).toEqual([400, '"The request is not valid HTTP"']);
    }
  });

  test("may carry a query that means nothing", async () => {
    const { session } = await house.person();

    for (const query of [
      "?a=1&a=2",
      "?__proto__[x]=1",
      "?constructor.prototype.x=1",
      `?${"a[".repeat(100)}`,
      "?%zz",
      "?=",
      "?&&&",
    ]) {
      expect((await house.send("GET", `/api/v9/me${query}`, { session })).status, query).toBe(200);
    }
  });
});

describe("methods", () => {
  test.for([
    ["/api/signup", "POST"],
    ["/api/sessions", "DELETE, GET, HEAD, POST"],
    ["/api/me", "GET, HEAD"],
    ["/api/me/sessions", "DELETE, GET, HEAD"],
    ["/api/me/sessions/x", "DELETE"],
    ["/api/me/audit", "GET, HEAD"],
    ["/api/me/email_change", "DELETE"],
    ["/api/me/email_change/request", "POST"],
    ["/api/me/email_verification/request", "POST"],
    ["/api/me/close_account/track", "POST"],
    ["/api/me/close_account/undo/x", "POST"],
    ["/api/me/password_reset/request", "POST"],
    ["/api/me/password_reset/confirm/x", "POST"],
    ["/api/me/email_verification/confirm/x", "POST"],
    ["/api/v9/me", "GET, HEAD, PUT"],
    ["/api/v9/me/logged", "GET, HEAD"],
    ["/api/v9/me/id", "GET, HEAD"],
    ["/api/v9/me/reset_token", "POST"],
    ["/api/v9/me/close_account", "POST"],
    ["/api/v9/me/quota", "GET, HEAD"],
    ["/api/v9/me/organizations", "GET, HEAD"],
    ["/api/v9/me/workspaces", "GET, HEAD"],
    ["/api/v9/workspaces", "GET, HEAD"],
    ["/api/v9/workspaces/1", "GET, HEAD"],
    ["/api/v9/status", "GET, HEAD"],
    ["/api/v9/keys", "GET, HEAD"],
    ["/.well-known/jwks.json", "GET, HEAD"],
    ["/healthz", "GET, HEAD"],
    ["/readyz", "GET, HEAD"],
  ] satisfies [string, string][])("of %s are %s, and every other is 405", async ([path, allowed]) => {
    const methods = [
      "GET",
      "HEAD",
      "POST",
      "PUT",
      "PATCH",
      "DELETE",
      "OPTIONS",
      "TRACE",
      "PROPFIND",
      "REPORT",
    ];

    for (const method of methods) {
      const reply = await house.send(method, path);
      if (allowed.split(", ").includes(method)) {
        expect(reply.status, method).not.toBe(405);
        continue;
      }
      expect(reply.status, method).toBe(405);
      expect(reply.headers.allow, method).toBe(allowed);
      expect(reply.text, method).toBe(method === "HEAD" ? "" : '"This path does not know that method"');
    }
  });

  test("that override another one by a header are not looked at", async () => {
    const { session } = await house.person();

    const reply = await house.send("POST", "/api/v9/me/reset_token", {
      session,
      headers: { "x-http-method-override": "DELETE" },
    });

    expect(reply.status).toBe(200);
  });
});

describe("HEAD", () => {
  test.for(["/api/v9/me", "/api/v9/me/workspaces", "/api/sessions", "/api/v9/status", "/healthz"])(
    "of %s says what GET says, without the body",
    async (path) => {
      const { session } = await house.person();
      const got = await house.send("GET", path, { session });

      const reply = await house.send("HEAD", path, { session });

      expect(reply.status).toBe(200);
      expect(reply.text).toBe("");
      expect(reply.headers["content-type"]).toBe(got.headers["content-type"]);
      expect(reply.headers["content-length"]).toBe(got.headers["content-length"]);
    },
  );

  test("asks for credentials as GET does", async () => {
    expect((await house.send("HEAD", "/api/v9/me")).status).toBe(401);
    expect((await house.send("HEAD", "/api/v9/me", { session: "x" })).status).toBe(403);
  });
});

describe("what is no HTTP", () => {
  test.for([
    ["no request line", "nonsense\r\n\r\n"],
    ["an unknown method", "FROBNICATE / HTTP/1.1\r\nHost: any\r\n\r\n"],
    ["a blank in the path", "GET /api/v9/me x HTTP/1.1\r\nHost: any\r\n\r\n"],
    ["a header without a name", "GET / HTTP/1.1\r\nHost: any\r\n: x\r\n\r\n"],
    ["a blank before a header's colon", "GET / HTTP/1.1\r\nHost : any\r\n\r\n"],
    ["a length that is no number", "POST /api/signup HTTP/1.1\r\nHost: any\r\nContent-Length: many\r\n\r\n"],
    [
      "two lengths",
      "POST /api/signup HTTP/1.1\r\nHost: any\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
    [
      "a length and chunks",
      "POST /api/signup HTTP/1.1\r\nHost: any\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ] satisfies [string, string][])("%s is answered in JSON, and the connection closed", async ([, bytes]) => {
    const reply = await exchange(house.config.port, bytes);

    expect(reply.status).toBe(400);
    expect(reply.head.toLowerCase()).toContain("content-type: application/json; charset=utf-8");
    expect(reply.head.toLowerCase()).toContain("connection: close");
    expect(reply.body).toBe('"The request is not valid HTTP"');
  });

  test("HTTP/1.1 without a Host is refused", async () => {
    const reply = await exchange(house.config.port, "GET /api/v9/status HTTP/1.1\r\n\r\n");

    expect(reply.status).toBe(400);
    expect(reply.body).not.toContain("OK");
  });

  test("headers beyond 16 KiB are 431", async () => {
    const reply = await exchange(
      house.config.port,
      lines("GET /api/v9/status HTTP/1.1", "Host: any", `X-Long: ${"x".repeat(20_000)}`),
    );

    expect([reply.status, reply.body]).toEqual([431, `"The request's headers are too large"`]);
  });

  test("HTTP/1.0 is served, and the connection closed", async () => {
    const reply = await exchange(house.config.port, "GET /api/v9/status HTTP/1.0\r\n\r\n");

    expect([reply.status, reply.body]).toEqual([200, '{"status":"OK"}']);
  });

  test("two requests in one go are answered in their order", async () => {
    const reply = await exchange(
      house.config.port,
      `GET /api/v9/me HTTP/1.1\r\nHost: any\r\n\r\n${lines("GET /api/v9/status HTTP/1.1", "Host: any")}`,
    );

    expect(reply.status).toBe(401);
    expect(reply.body).toContain("HTTP/1.1 200 OK");
    expect(reply.body).toContain('{"status":"OK"}');
  });
});
