import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

const friend = "https://friend.example";

let house: TestHouse;
let secure: TestHouse;
/** A page of another origin may call its API; that opens no page of its own. */
let friendly: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  secure = await startHouse({ ...roomy, LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" });
  friendly = await startHouse({ ...roomy, LATCHKEY_CORS_ORIGINS: friend });
});
afterAll(stopHouses);

const asPerson = { accept: "text/html" };

const policyOf = ({ headers }: Reply): Readonly<Record<string, string>> =>
  Object.fromEntries(
    String(headers["content-security-policy"])
      .split("; ")
      .map((directive) => [directive.split(" ", 1)[0] ?? "", directive.replace(/^\S+ /, "")]),
  );

const expectPageHeaders = (reply: Reply): void => {
  expect(policyOf(reply)).toEqual({
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
  });
  expect(String(reply.headers["content-security-policy"])).not.toMatch(/unsafe|data:|blob:|http|\*/);
  expect(reply.headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "permissions-policy": expect.stringContaining("camera=()"),
    "cache-control": "no-store",
  });
  for (const name of ["access-control-allow-origin", "server", "x-powered-by", "set-cookie"]) {
    expect(reply.headers[name], name).toBeUndefined();
  }
};

const paths = pages.map(({ path }) => path);

describe("A38: the page", () => {
  test.for(paths)(
    "%s has the headers that keep others out, whoever asks and whatever comes of it",
    async (path) => {
      const { session } = await house.person();
      const sent = [
        {},
        { session },
        { session: "stale" },
        { session, headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } },
        { session, headers: { "sec-fetch-dest": "iframe", "sec-fetch-mode": "navigate" } },
        { session, headers: { host: "evil.example" } },
        { basic: ["nobody@example.com", "a quiet river at noon"] as const },
      ];
      for (const method of ["GET", "HEAD"]) {
        for (const each of sent) expectPageHeaders(await house.send(method, path, each));
      }
    },
  );

  test.for(["/nothing", "/account/nothing", "/assets/nothing.js"])(
    "%s that is none has them too",
    async (path) => {
      const reply = await house.send("GET", path, { headers: asPerson });

      expect(reply.status).toBe(404);
      expectPageHeaders(reply);
    },
  );

  test.for(paths)("%s has nothing inline that the policy would have to allow", async (path) => {
    const { session } = await house.person();
    const { text } = await house.send("GET", path, { session });

    const scripts = text.match(/<script[^>]*>[^<]*/g);
    expect(scripts).toEqual([expect.stringMatching(/^<script type="module" src="\/assets\/[\w-]+\.js">$/)]);
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<base|<iframe|<object|<embed|javascript:/i);
    for (const [, address = ""] of text.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(address).toMatch(/^\/(?:assets\/[\w.-]+|docs\/api)$/);
    }
  });

  test.for(paths)("%s is not opened to origins that may call the API", async (path) => {
    const { session } = await friendly.person();
    const headers = { origin: friend };

    const reply = await friendly.send("GET", path, { session, headers });

    expectPageHeaders(reply);
    expect(reply.headers["access-control-allow-credentials"]).toBeUndefined();
    const api = await friendly.send("GET", "/api/sessions", { session, headers });
    expect(api.headers["access-control-allow-origin"]).toBe(friend);
  });

  test.for(paths)("%s has HSTS only where the origin is https, and of this host alone", async (path) => {
    for (const sent of [
      {},
      { session: (await secure.person()).session },
      { headers: { host: "evil.example" } },
    ]) {
      const reply = await secure.send("GET", path, sent);
      expect(reply.headers["strict-transport-security"]).toBe("max-age=15552000");
    }
    expect((await house.send("GET", path)).headers["strict-transport-security"]).toBeUndefined();
  });
});

test("A38: the files of the pages are typed, not to be sniffed, and not to be had by other sites", async () => {
  const { text } = await house.send("GET", "/");
  const files = [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThan(2);
  for (const path of files) {
    const { headers } = await house.send("GET", path);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "x-frame-options": "DENY",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
    });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  }
});

describe("A38: every call of the API, with credentials", () => {
  test("keeps nothing, sniffs nothing and is framed by nobody else, whatever it answers", async () => {
    const calls = house.inside.routes.filter(({ path }) => path.startsWith("/api/"));
    expect(calls.length).toBeGreaterThan(20);
    for (const { method, path } of calls) {
      const asked = path.replaceAll(/\{\w+\}/g, "1");
      // What was sent is wrong wherever something is read; the call must have these headers either way.
      for (const [of, hsts] of [
        [house, undefined],
        [secure, "max-age=15552000"],
      ] as const) {
        const { session } = await of.person();
        const { headers, status } = await of.send(method, asked, { session });
        expect(status, path).toBeLessThan(500);
        // The public keys are the same for everybody.
        if (path !== "/api/v9/keys") expect(headers["cache-control"], path).toContain("no-store");
        expect(headers["x-content-type-options"], path).toBe("nosniff");
        expect(headers["x-frame-options"], path).toMatch(/^(?:DENY|SAMEORIGIN)$/);
        expect(headers["referrer-policy"], path).toMatch(/^(?:no-referrer|strict-origin-when-cross-origin)$/);
        expect(headers["strict-transport-security"], path).toBe(hsts);
        expect(headers["access-control-allow-origin"], path).toBeUndefined();
        expect(headers["content-type"] ?? "application/json", path).toMatch(
          /^application\/(?:problem\+)?json/,
        );
      }
    }
  });

  test("answers in JSON also to those who ask for HTML: no text of anybody becomes a page", async () => {
    const { session } = await house.person();
    await house.send("PUT", "/api/v9/me", { session, json: { fullname: "<script>alert(1)</script>" } });

    for (const path of ["/api/me", "/api/v9/me", "/api/me/sessions", "/api/me/audit", "/api/v9/workspaces"]) {
      const { headers } = await house.send("GET", path, { session, headers: asPerson });
      expect(headers["content-type"], path).toBe("application/json; charset=utf-8");
    }
  });
});
