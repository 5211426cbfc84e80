import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { startHouse, stopHouses, roomy, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { createDatabase } from "../support/postgres.ts";
import { startRelay } from "../support/relay.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const html = "text/html; charset=utf-8";
const asPerson = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

const titles: Readonly<Record<string, string>> = {
  "/": "Latchkey",
  "/signup": "Sign up · Latchkey",
  "/login": "Sign in · Latchkey",
  "/forgot": "Forgot password · Latchkey",
  "/reset": "New password · Latchkey",
  "/verify": "Confirm email · Latchkey",
  "/undo-close": "Take account back · Latchkey",
  "/account": "Profile · Latchkey",
  "/account/tokens": "API token · Latchkey",
  "/account/sessions": "Sessions · Latchkey",
  "/account/close": "Close account · Latchkey",
  "/dev/mail": "Mails · Latchkey",
};

const paths = pages.map(({ path }) => path);
const ofAccount = pages.filter(({ shownTo }) => shownTo === "account").map(({ path }) => path);
const forAnyone = paths.filter((path) => !ofAccount.includes(path));

const entities: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

/** What the page tells its script. */
const factsOf = ({ text }: Reply): Readonly<Record<string, unknown>> => {
  const content = /<meta name="latchkey" content="([^"]*)">/.exec(text)?.[1] ?? "";
  return fieldsOf(
    JSON.parse(content.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (name) => entities[name] ?? "")),
  );
};

const titleOf = ({ text }: Reply): string | undefined => /<title>([^<]*)<\/title>/.exec(text)?.[1];

describe("a page", () => {
  test("is known to this manual", () => {
    expect(Object.keys(titles).toSorted()).toEqual(paths.toSorted());
  });

  test.for(paths)("%s is HTML with its title, not to be kept, and sets no cookie", async (path) => {
    const { session } = await house.person();

    const reply = await house.send("GET", path, { session });

    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({ "content-type": html, "cache-control": "no-store" });
    expect(titleOf(reply)).toBe(titles[path]);
    expect(reply.text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(reply.cookies).toEqual([]);
  });

  test.for(forAnyone)("%s is there for those who are not signed in", async (path) => {
    for (const session of [undefined, "stale"]) {
      const reply = await house.send("GET", path, { session });

      expect([reply.status, titleOf(reply)]).toEqual([200, titles[path]]);
      expect(factsOf(reply)["signedIn"]).toBeNull();
      expect(reply.cookies).toEqual([]);
    }
  });

  test.for(ofAccount)("%s leads to the sign-in and back", async (path) => {
    const ended = await house.person();
    await house.send("DELETE", "/api/sessions", { session: ended.session });
    const closed = await house.person();
    await house.send("POST", "/api/me/close_account/track", { session: closed.session });

    for (const session of [undefined, "stale", ended.session, closed.session]) {
      const reply = await house.send("GET", path, { session, headers: asPerson });

      expect([reply.status, reply.text, reply.cookies]).toEqual([303, "", []]);
      expect(reply.headers.location).toBe(`/login?next=${path}`);
      expect(reply.headers["cache-control"]).toBe("no-store");
    }
  });

  test.for(paths)("%s may end in a slash and carry a query", async (path) => {
    const { session } = await house.person();

    for (const asked of [`${path}?notice=x&notice=y`, `${path === "/" ? "" : path}/?next=//example.com`]) {
      const reply = await house.send("GET", asked, { session });
      expect([reply.status, titleOf(reply)], asked).toEqual([200, titles[path]]);
    }
    // Where to come back to is the page, not what somebody wrote behind it.
    if (ofAccount.includes(path)) {
      const reply = await house.send("GET", `${path}/?next=//example.com`);
      expect(reply.headers.location).toBe(`/login?next=${path}`);
    }
  });

  test.for(paths)("%s answers HEAD as GET, without the body", async (path) => {
    const { session } = await house.person();
    const got = await house.send("GET", path, { session });

    const reply = await house.send("HEAD", path, { session });

    expect([reply.status, reply.text]).toEqual([200, ""]);
    const { date: _, "x-request-id": __, ...rest } = got.headers;
    expect(reply.headers).toMatchObject(rest);
  });

  test.for(paths.filter((path) => path !== "/dev/mail"))(
    "%s is nowhere but at our own origin",
    async (path) => {
      const { session } = await house.person();
      const hosts = ["other.example", "127.0.0.1", `localhost:1`, `evil.localhost:${house.config.port}`];
      // Reading a cookie looks at the host too: a page has to refuse of its own accord.
      const asked = hosts.flatMap((host) => [{ host }, { host, session }]);
      for (const { host, ...credential } of asked) {
        const reply = await house.send("GET", path, { ...credential, headers: { host } });

        expect([reply.status, reply.headers["content-type"]], host).toEqual([421, html]);
        expect(titleOf(reply)).toBe("This is not the address of this server · Latchkey");
        // The way home is the configured one; the host that came is named, and nothing leads there.
        expect(reply.text).toContain(`href="${house.config.origin.origin}"`);
        expect(reply.text).toContain(`(${host})`);
        expect(reply.text).toContain("a proxy in front of this server must pass on the Host header");
        expect(reply.text.split("<p>")[0]).not.toContain(host);
        for (const [, target] of reply.text.matchAll(/(?:href|src)="([^"]*)"/g)) {
          expect(target?.replace(house.config.origin.origin, "")).not.toContain(host);
        }
        expect(reply.text).not.toContain('name="latchkey"');
      }
    },
  );

  test("of any kind is refused under another host name, whoever asks", async () => {
    const shown: string[] = [];
    for (const { method, path } of house.inside.routes) {
      if (method !== "GET" || path.includes("{")) continue;
      const own = await house.send("GET", path);
      const isPage = own.status === 303 || own.headers["content-type"] === html;
      // What is refused at home as well has not been looked at by this.
      if (!isPage || own.status >= 400) continue;
      shown.push(path);

      const reply = await house.send("GET", path, { headers: { host: "other.example" } });

      // In local mode only: elsewhere such a page is not there.
      const refused = path === "/dev/mail" || path === "/connect/demo" ? 404 : 421;
      expect([path, reply.status, reply.headers.location]).toEqual([path, refused, undefined]);
    }
    expect(shown).toEqual(
      expect.arrayContaining([...paths, "/connect/", "/connect/demo", "/docs", "/docs/api"]),
    );
  });

  test.for(paths)("%s knows no other method", async (path) => {
    const { session } = await house.person();

    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const reply = await house.send(method, path, {
        session,
        body: "email=ada%40example.com&password=x",
        headers: { ...asPerson, "content-type": "application/x-www-form-urlencoded" },
      });
      expect([reply.status, reply.headers.allow, reply.cookies], method).toEqual([405, "GET, HEAD", []]);
    }
  });
});

describe("the facts that a page begins with", () => {
  test("are who is signed in, and what the pages have to say of the server", async () => {
    const { email, session } = await house.person("facts@example.com");

    const facts = factsOf(await house.send("GET", "/account", { session }));

    expect(facts).toEqual({
      signedIn: { email, name: "facts" },
      origin: house.config.origin.origin,
      passwordMin: 8,
      closeGraceDays: 14,
      revealToken: true,
      verifiesFirst: false,
      local: true,
      demo: true,
    });
  });

  test("follow the settings", async () => {
    const other = await startHouse({
      LATCHKEY_PASSWORD_MIN: "15",
      LATCHKEY_CLOSE_GRACE_DAYS: "0",
      LATCHKEY_REVEAL_TOKEN: "false",
      LATCHKEY_HIDE_ACCOUNTS: "strict",
      LATCHKEY_ORIGIN: "https://id.example.com",
      LATCHKEY_MAIL: "outbox",
    });

    expect(factsOf(await other.send("GET", "/signup"))).toEqual({
      signedIn: null,
      origin: "https://id.example.com",
      passwordMin: 15,
      closeGraceDays: 0,
      revealToken: false,
      verifiesFirst: true,
      local: false,
      demo: false,
    });
  });

  test.for([
    `"><script>alert(1)</script>`,
    `</title></head><body onload=alert(1)>`,
    `' onmouseover='alert(1)`,
    `&quot;&lt;&#34;`,
    `\\u0022\\u003e<\\/script>`,
    `{"signedIn":null}`,
    "שלום 🙂 ",
  ])("are text, whatever a name is: %s", async (name) => {
    const { session } = await house.person();
    await house.send("PUT", "/api/v9/me", { session, json: { fullname: name } });

    for (const path of paths) {
      const reply = await house.send("GET", path, { session });
      expect(factsOf(reply)["signedIn"]).toMatchObject({ name: name.trim() });
      expect(reply.text.match(/<script/g)).toHaveLength(1);
      expect(reply.text).not.toMatch(/<body [a-z]|onmouseover='/);
    }
  });

  test("have no secret in them", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);

    for (const path of paths) {
      const { text } = await house.send("GET", path, { session: person.session });
      for (const secret of [token, person.session, person.session.split(".")[2] ?? "", person.password]) {
        expect(text).not.toContain(secret);
      }
    }
  });

  test("are of the Basic credentials, where somebody shows them instead of a cookie", async () => {
    const { email, password } = await house.person();

    const reply = await house.send("GET", "/account", { basic: [email, password] });
    const wrong = await house.send("GET", "/account", { basic: [email, `${password}!`] });

    expect([reply.status, reply.cookies]).toEqual([200, []]);
    expect(factsOf(reply)["signedIn"]).toMatchObject({ email });
    expect([wrong.status, wrong.headers.location]).toEqual([303, "/login?next=/account"]);
  });
});

describe("an address without a page", () => {
  const unknown = [
    "/nothing",
    "/account/nothing",
    "/login/nothing",
    "/accounts",
    "/Login",
    "//login",
    "/dev",
  ];

  test.for(unknown)("%s is told to a person as a page, to a program in JSON", async (path) => {
    const page = await house.send("GET", path, { headers: asPerson });
    expect([page.status, page.headers["content-type"]]).toEqual([404, html]);
    expect(titleOf(page)).toBe("There is no such page · Latchkey");
    expect(page.text).toContain(`Request ${String(page.headers["x-request-id"])}`);
    expect(page.text).not.toContain("<script");

    for (const headers of [{}, { accept: "*/*" }, { accept: "application/json" }]) {
      const reply = await house.send("GET", path, { headers });
      expect([reply.status, reply.text]).toEqual([404, '"Not found"']);
    }
    const posted = await house.send("POST", path, { headers: asPerson });
    expect([posted.status, posted.text]).toEqual([404, '"Not found"']);
  });

  test.for(["/api/nothing", "/api/v9/nothing"])("%s is told in JSON to everybody", async (path) => {
    const reply = await house.send("GET", path, { headers: asPerson });

    expect([reply.status, reply.text]).toEqual([404, '"Not found"']);
  });

  test("shows nothing of what was asked for", async () => {
    for (const path of [`/<script>alert(1)</script>`, `/%3Cscript%3Ealert(1)`, `/"onload="alert(1)`]) {
      const reply = await house.send("GET", path, { headers: asPerson });
      expect([reply.status, reply.headers["content-type"]]).toEqual([404, html]);
      expect(reply.text).not.toContain("alert");
    }
  });
});

const store = inject("store");
// A file on this machine is not out of reach; a server can be.
describe.for(store.kind === "postgres" ? [store] : [])("without the database", ({ adminUrl }) => {
  test("whoever shows no cookie gets the pages, whoever does is told, in HTML", async () => {
    const database = await createDatabase(adminUrl);
    const url = new URL(database.url);
    const relay = await startRelay({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${relay.port}`;
    const cut = await startHouse({ LATCHKEY_DATABASE_URL: url.href });
    onTestFinished(async () => {
      await cut.stop();
      await relay.cut();
      await database.drop();
    });
    const { session } = await cut.person();
    const asked = (path: string, cookie?: string) =>
      cut.send("GET", path, { session: cookie, headers: asPerson });
    expect((await asked("/account", session)).status).toBe(200);

    await relay.cut();

    // Without word from the store nobody knows whether the session was ended meanwhile: "signed out" would be a guess.
    await expect.poll(async () => (await asked("/account", session)).status, { timeout: 10_000 }).toBe(503);
    for (const path of paths) {
      const told = await asked(path, session);
      expect([told.status, told.headers["content-type"]], path).toEqual([503, html]);
      expect(titleOf(told)).toBe("The server is busy · Latchkey");
      expect(told.text).toContain("The store can&#39;t be reached. Try again in a moment.");
      expect(told.headers["retry-after"]).toBe("1");
    }
    for (const path of forAnyone) expect((await asked(path)).status, path).toBe(200);
    for (const path of ofAccount) expect((await asked(path)).status, path).toBe(303);

    await relay.mend();

    await expect.poll(async () => (await asked("/account", session)).status, { timeout: 10_000 }).toBe(200);
  });
});
