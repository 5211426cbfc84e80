import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusals } from "#app/refusals.ts";
import { ownersOf } from "#kernel/http/owners.ts";
import type { Route } from "#kernel/http/route.ts";
import { openHouse, type OpenHouse } from "../../scripts/house.ts";
import { basicHeader } from "../support/http.ts";

/** Every call that needs no credentials, and why it may do without. */
const open: Readonly<Record<string, string>> = {
  "POST /api/signup": "nobody has credentials before it",
  "POST /api/sessions": "reads the credentials itself: they are what it is about",
  "POST /api/me/close_account/undo/{code}": "no credential of a closed account works; the mailed code is one",
  "POST /api/me/password_reset/request":
    "for those who lost their credentials; mails the owner, tells nothing",
  "POST /api/me/email_verification/request":
    "for those who may not sign in before they have the mail; mails the owner, tells nothing",
  "POST /api/me/password_reset/confirm/{code}": "the mailed code is the credential",
  "POST /api/me/email_verification/confirm/{code}": "the mailed code is the credential",
  "GET /api/v9/status": "tells only that the API answers",
  "GET /api/v9/keys": "public keys",
  "GET /.well-known/jwks.json": "public keys",
  "GET /images/template-logos/{file}": "the same pictures for everybody",
  "POST /connect/telemetry": "what comes is dropped unread",
  "GET /healthz": "for whoever watches the process",
  "GET /readyz": "for whoever watches the process",
  "GET /openapi.json": "the documents are the same for everybody",
  "GET /docs/api": "the documents are the same for everybody",
  "GET /docs/api/start.js": "the documents are the same for everybody",
  "GET /docs/api/scalar.js": "the documents are the same for everybody",
  "GET /docs": "the documents are the same for everybody",
  "GET /docs/{page}": "the documents are the same for everybody",
  "GET /docs/providers/{page}": "the documents are the same for everybody",
  "GET /docs/guides/{page}": "the documents are the same for everybody",
  "GET /docs/reference/{page}": "the documents are the same for everybody",
  "GET /docs/decisions/{page}": "the documents are the same for everybody",
  "GET /docs/pictures/{file}": "the documents are the same for everybody",
  "GET /llms.txt": "the documents are the same for everybody",
  "GET /": "a page for whoever comes; it says who is signed in to them alone",
  "GET /signup": "a page for those who have no credentials yet",
  "GET /login": "a page for those who have not shown their credentials yet",
  "GET /forgot": "a page for those who lost their credentials",
  "GET /reset": "a page for those who lost their credentials; the mailed code is one",
  "GET /verify": "a page that only takes the mailed code along",
  "GET /undo-close": "a page that only takes the mailed code along",
  "GET /account": "leads to the sign-in who is not signed in",
  "GET /account/tokens": "leads to the sign-in who is not signed in",
  "GET /account/sessions": "leads to the sign-in who is not signed in",
  "GET /account/close": "leads to the sign-in who is not signed in",
  "GET /assets/{file}": "what the pages are made of is the same for everybody",
  "GET /connect/":
    "the form itself is the same for everybody; what it asks takes the token of a connect session",
  "GET /connect/assets/{file}": "what the form is made of is the same for everybody",
  "GET /connect/demo":
    "not there but on this machine, for this machine; leads to the sign-in who is not signed in",
  "GET /dev/mail": "not there but on this machine, for this machine",
  "GET /dev/mails": "not there but on this machine, for this machine",
};

/** Open writes that take neither a code nor the same-site rule, and what another site could do with them. */
const openToOtherSites: Readonly<Record<string, string>> = {
  "POST /api/me/password_reset/request":
    "a mail that only the owner can use, within the cap of mails; and it reads JSON, which a browser lets no other site send",
  "POST /api/me/email_verification/request":
    "as above: a mail that only the owner can use, asked for by JSON",
  "POST /connect/telemetry": "nothing: it is dropped",
};

type Asked = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: string };

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

let house: OpenHouse;
let rows: readonly Route[];

beforeAll(async () => {
  house = await openHouse();
  ({ rows } = house);
});
afterAll(() => house.close());

const ask = async ({ method, path }: Route, headers: Record<string, string> = {}): Promise<Asked> => {
  const url = path.replaceAll(/\{\w+\*?\}/g, "1");
  const {
    statusCode,
    headers: answered,
    body,
  } = await house.server.inject({
    method: method === "ANY" ? "GET" : method,
    url,
    // Some are there on this machine, for this machine only: that is where they are guarded.
    headers: { host: "localhost:3000", ...headers },
  });
  return { status: statusCode, headers: answered, body };
};

const guarded = (): readonly Route[] =>
  rows.filter(({ admits, wire }) => admits !== "anyone" && wire.title !== "Connect");

const guardedByKey = (): readonly Route[] =>
  rows.filter(({ admits, wire }) => admits !== "anyone" && wire.title === "Connect");

describe("every route", () => {
  test("is there once", () => {
    const names = rows.map(nameOf);
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(names.length).toBeGreaterThan(25);
  });

  test("asks for credentials, or is listed here with a reason", () => {
    const without = rows.filter((row) => row.admits === "anyone" && !row.notSupported).map(nameOf);
    expect(without.toSorted()).toEqual(Object.keys(open).toSorted());
  });

  test("that changes something without credentials takes a mailed code, or refuses other sites", () => {
    const loose = rows
      .filter((row) => row.admits === "anyone" && row.method !== "GET" && !row.notSupported)
      .filter(({ sameSite, path }) => sameSite !== true && !path.endsWith("/{code}"))
      .map(nameOf);
    expect(loose).toEqual(Object.keys(openToOtherSites));
  });

  test("is at a path where its wire is at home, or that is nobody's", () => {
    const { ownerOf } = ownersOf(rows);
    const astray = rows
      .filter(({ wire, path }) => wire.roots?.length !== 0 && ownerOf(path) !== wire)
      .map(nameOf);
    expect(astray).toEqual([]);
    // What no wire is at home with speaks plainly, also behind a path of another: it says so in its row.
    const guests = rows.filter(({ wire, path }) => wire.roots?.length === 0 && ownerOf(path)).map(nameOf);
    expect(guests.filter((name) => !/ \/connect\/(demo(\/|$)|assets\/|$)/.test(name))).toEqual([]);
  });

  test("refuses only with what the table of all refusals has, where no room takes a code of another", () => {
    const known = new Map(Object.values(refusals).map((kind) => [kind.code, kind.text]));
    const kinds = rows.flatMap(({ checks }) => checks.flatMap(({ refuses }) => refuses));
    const strange = kinds.filter(({ code, text }) => known.get(code) !== text).map(({ code }) => code);
    expect([...new Set(strange)]).toEqual([]);
  });

  test("that says it is not supported refuses everybody with that", async () => {
    const absent = rows.filter(({ notSupported }) => notSupported);
    expect(absent.length).toBeGreaterThan(10);
    for (const row of absent)
      expect({ row: nameOf(row), status: (await ask(row)).status }).toEqual({
        row: nameOf(row),
        status: 501,
      });
  });
});

describe("a guarded route", () => {
  test("answers 401 and nothing else to a caller who shows nothing", async () => {
    for (const row of guarded()) {
      const reply = await ask(row);
      expect({ row: nameOf(row), status: reply.status, body: reply.body }).toEqual({
        row: nameOf(row),
        status: 401,
        body: "",
      });
      expect(reply.headers).toMatchObject({ "x-authorization-missing": "true" });
      expect(reply.headers).not.toHaveProperty("www-authenticate");
      expect(reply.headers).not.toHaveProperty("set-cookie");
    }
  });

  test.each([
    [
      "a token that is nobody's",
      { authorization: basicHeader("0123456789abcdef0123456789abcdef", "api_token") },
    ],
    ["Basic that can't be read", { authorization: "Basic ???" }],
    [
      "a cookie that is no session",
      { cookie: "__Secure-accounts-session=e30.e30.e30", host: "localhost:3000" },
    ],
  ])("answers 403 to %s", async (_, headers) => {
    for (const row of guarded()) {
      const reply = await ask(row, headers);
      expect({ row: nameOf(row), status: reply.status }).toEqual({ row: nameOf(row), status: 403 });
      expect(reply.headers).not.toHaveProperty("set-cookie");
    }
  });

  test("takes no write with a cookie from another site", async () => {
    for (const row of guarded().filter(({ method }) => method !== "GET")) {
      const headers = { cookie: "__Secure-accounts-session=e30.e30.e30", host: "localhost:3000" };
      const reply = await ask(row, {
        ...headers,
        origin: "https://elsewhere.example",
        accept: "application/problem+json",
      });
      expect(JSON.parse(reply.body)).toMatchObject({ status: 403, code: "cross_site" });
    }
  });
});

test("a route that sets a cookie refuses other sites", async () => {
  for (const row of rows.filter(({ sameSite }) => sameSite === true)) {
    const reply = await ask(row, { origin: "https://elsewhere.example", accept: "application/problem+json" });
    expect(JSON.parse(reply.body)).toMatchObject({ status: 403, code: "cross_site" });
    expect(reply.headers).not.toHaveProperty("set-cookie");
  }
});

describe("a route of the Connect wire", () => {
  test.each([
    ["nothing", {}],
    ["a key that is nobody's", { authorization: `Bearer lk_dev_${"0".repeat(64)}` }],
    ["a session that is nobody's", { authorization: `Bearer nango_connect_session_${"0".repeat(64)}` }],
    ["Basic", { authorization: basicHeader("0123456789abcdef0123456789abcdef", "api_token") }],
    ["a cookie", { cookie: "__Secure-accounts-session=e30.e30.e30", host: "localhost:3000" }],
  ])("answers 401 with its envelope to %s", async (_, headers) => {
    expect(guardedByKey().length).toBeGreaterThan(3);
    for (const row of guardedByKey()) {
      const reply = await ask(row, headers);
      expect({ row: nameOf(row), status: reply.status }).toEqual({ row: nameOf(row), status: 401 });
      expect(JSON.parse(reply.body)).toMatchObject({
        error: { code: expect.any(String), message: expect.any(String) },
      });
      expect(reply.headers).toMatchObject({ "access-control-allow-origin": "*" });
      expect(reply.headers).not.toHaveProperty("set-cookie");
    }
  });

  test("lets no page of another origin use a cookie", async () => {
    for (const row of guardedByKey()) {
      expect((await ask(row)).headers).not.toHaveProperty("access-control-allow-credentials");
    }
  });
});
