import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import {
  authority,
  callOf,
  codeOf,
  elsewhere,
  here,
  problem,
  stateOf,
  withAuthority,
} from "../support/cross-site.ts";
import { sessionOf, basicHeader, sessionCookieName } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { resetCode } from "../support/reset.ts";

const generous = { LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000", LATCHKEY_SIGN_UPS: "100000" };

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...generous, LATCHKEY_MAILS: "100000" });
});
afterAll(stopHouses);

test("A37 every route that changes something is known to this table, and nothing else is", () => {
  const changing = house.inside.routes
    // Nothing that a browser adds by itself opens the Connect wire: keys and tokens only.
    .filter(({ method, wire }) => method !== "GET" && wire.title !== "Connect")
    .map(({ method, path }) => `${method} ${path}`);
  expect(new Set(Object.keys(authority))).toEqual(new Set(changing));
});

const refusesTokens = (name: string): boolean =>
  house.inside.routes.some(
    ({ method, path, admits }) => name === `${method} ${path}` && admits === "cookie or password",
  );

describe.each(withAuthority("cookie"))("%s with the cookie", (route) => {
  test("A37 is refused from elsewhere, whatever the page sends, and nothing happens", async () => {
    const person = await house.person();
    const before = await stateOf(house, person);
    const { method, path, json } = callOf(route, person);
    for (const [where, headers] of Object.entries(elsewhere(house.config.origin))) {
      const reply = await house.send(method, path, {
        session: person.session,
        json,
        headers: { ...problem, ...headers },
      });
      expect([reply.status, codeOf(reply), reply.cookies], where).toEqual([403, "cross_site", []]);
    }
    expect(await stateOf(house, person)).toEqual(before);
  });

  test("A37 is carried out from our own pages, and where there is no browser", async () => {
    for (const [where, headers] of Object.entries(here(house.config.origin))) {
      const person = await house.person();
      const { session } = person;
      const { method, path, json } = callOf(route, person);
      expect((await house.send(method, path, { session, json, headers })).status, where).toBe(200);
    }
  });

  test("A37 with a password or a token instead comes from anywhere: no browser adds those by itself", async () => {
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
      const person = await house.person();
      const { email, password } = person;
      const { method, path, json } = callOf(route, person);
      expect((await house.send(method, path, { basic: [email, password], json, headers })).status).toBe(200);
      if (refusesTokens(route)) continue;
      const token = await house.tokenOf(await house.person());
      expect((await house.send(method, path, { basic: [token, "api_token"], json, headers })).status).toBe(
        200,
      );
    }
  });
});

test("A37 signing out with Basic leaves the cookie that a foreign page sent along", async () => {
  const person = await house.person();
  const reply = await house.send("DELETE", "/api/sessions", {
    session: person.session,
    basic: [person.email, person.password],
    headers: { ...problem, origin: "https://evil.example" },
  });

  expect([reply.status, codeOf(reply), reply.cookies]).toEqual([403, "cross_site", []]);
  expect((await house.send("GET", "/api/sessions", { session: person.session })).status).toBe(200);
});

describe.each(withAuthority("begins a session"))("%s", (route) => {
  const prepare = async (): Promise<{
    readonly method: string;
    readonly path: string;
    readonly json: unknown;
  }> => {
    const { email, password } = await house.person();
    if (route === "POST /api/signup") {
      const fresh = `fresh-${crypto.randomUUID()}@example.com`;
      return { ...callOf(route), json: { email: fresh, password, tos_accepted_for: "track" } };
    }
    if (route === "POST /api/sessions") return { ...callOf(route), json: { email, password } };
    return callOf(route, { code: await resetCode(house, email) });
  };

  test("A37 signs nobody in from elsewhere, and does nothing else", async () => {
    const { method, path, json } = await prepare();
    const mails = (await house.mails()).length;
    for (const [where, headers] of Object.entries(elsewhere(house.config.origin))) {
      const reply = await house.send(method, path, { json, headers: { ...problem, ...headers } });
      expect([reply.status, codeOf(reply), reply.cookies], where).toEqual([403, "cross_site", []]);
    }
    expect(await house.mails()).toHaveLength(mails);
    // Nothing was used up or made: the same call still does its work.
    expect((await house.send(method, path, { json })).status).toBe(200);
  });

  test("A37 signs in from our own pages, and where there is no browser", async () => {
    for (const [where, headers] of Object.entries(here(house.config.origin))) {
      const { method, path, json } = await prepare();
      const reply = await house.send(method, path, { json, headers });
      expect([reply.status, typeof sessionOf(reply)], where).toEqual([200, "string"]);
    }
  });
});

test("A37 signing in by Basic with an empty body follows the same rule", async () => {
  const { email, password } = await house.person();
  for (const [where, headers] of Object.entries(elsewhere(house.config.origin))) {
    const reply = await house.send("POST", "/api/sessions", { basic: [email, password], headers });
    expect([reply.status, reply.cookies], where).toEqual([403, []]);
  }
});

describe.each([...withAuthority("mailed code"), ...withAuthority("nothing")])("%s", (route) => {
  test("A37 draws nothing from a cookie that comes along", async () => {
    const person = await house.person();
    const before = await stateOf(house, person);
    const { method, path } = callOf(route);
    for (const headers of [{}, { origin: house.config.origin.origin }, { origin: "https://evil.example" }]) {
      const reply = await house.send(method, path, { session: person.session, headers });
      expect([reply.status, reply.cookies]).toEqual([400, []]);
    }
    expect(await stateOf(house, person)).toEqual(before);
  });
});

test("A37 a mailed code works wherever it is typed, and only for its own account", async () => {
  const person = await house.person();
  const other = await house.person();
  const code = codeIn(await house.mailTo(person.email));
  const reply = await house.send("POST", `/api/me/email_verification/confirm/${code}`, {
    session: other.session,
    headers: { origin: "https://evil.example" },
  });
  expect([reply.status, reply.cookies]).toEqual([200, []]);
});

test("A37 what another page reads it may not look at", async () => {
  const { session, email } = await house.person();
  for (const headers of Object.values(elsewhere(house.config.origin))) {
    const reply = await house.send("GET", "/api/v9/me", { session, headers });
    expect(reply.json()).toMatchObject({ email });
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    expect(reply.headers["access-control-allow-credentials"]).toBeUndefined();
  }
});

test("A37 an origin that the operator lists counts as ours, to the letter", async () => {
  const listed = "https://app.example.com";
  const open = await startHouse({ ...generous, LATCHKEY_CORS_ORIGINS: listed });
  const { session } = await open.person();
  const write = (origin: string) =>
    open.send("PUT", "/api/v9/me", { session, json: { fullname: "Ada" }, headers: { origin } });

  expect((await write(listed)).status).toBe(200);
  for (const origin of [
    `${listed}/`,
    `${listed}:443`,
    `${listed}.evil.example`,
    "http://app.example.com",
    "https://example.com",
  ]) {
    const reply = await write(origin);
    expect([reply.status, reply.headers["access-control-allow-origin"]], origin).toEqual([403, undefined]);
  }
});

test("A37 with the cookie a host that is not ours is refused, so that a rebound name is of no use", async () => {
  const { session, email, password } = await house.person();
  const { port } = house.config;
  for (const host of [`127.0.0.1:${port}`, "evil.example", `localhost:${port}.`, "localhost", ""]) {
    const headers = { host, cookie: `${sessionCookieName}=${session}` };
    expect([421, 400], host).toContain((await house.send("GET", "/api/v9/me", { headers })).status);
    const basic = { host, authorization: basicHeader(email, password) };
    expect((await house.send("GET", "/api/v9/me", { headers: basic })).status, host).toBe(200);
  }
});
