import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { heading, keepSession, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit, type Visitor } from "../support/browser.ts";
import { authority, callOf, stateOf } from "../support/cross-site.ts";
import { attackFrom, type ForeignCall } from "../support/foreign-attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { variantsOf } from "../support/rounds.ts";
import { sessionCookieName } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";
import { noteWrites } from "../support/troubles.ts";

let house: TestHouse;
/** The same site as the house, for browsers: they send its cookies with whatever comes from there. */
let neighbour: Stranger;
let stranger: Stranger;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  neighbour = await startStranger("localhost");
  stranger = await startStranger("127.0.0.1");
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await neighbour.stop();
  await stranger.stop();
});

const sites = [
  ["another port of this machine, with the cookie", () => neighbour, true],
  ["another site", () => stranger, false],
] as const;

const password = "a quiet river at noon";

/** Every call that changes something, as it would work from our own pages. */
const calls = (person: Person, code: string): readonly ForeignCall[] =>
  Object.keys(authority).map((route) => {
    const { method, path, json } = callOf(route, { ...person, code });
    return { method, address: house.config.origin.origin + path, json };
  });

/** What would leave the visitor signed in as somebody else. */
const signInsAs = (attacker: Person, code: string, newcomer: string): readonly ForeignCall[] =>
  [
    { path: "/api/sessions", json: { email: attacker.email, password: attacker.password } },
    { path: "/api/signup", json: { email: newcomer, password, tos_accepted_for: "track" } },
    { path: `/api/me/password_reset/confirm/${code}`, json: { password: "another river at dusk" } },
  ].map(({ path, json }) => ({ method: "POST", address: house.config.origin.origin + path, json }));

const resetCodeOf = async ({ email }: Person): Promise<string> => {
  await house.send("POST", "/api/me/password_reset/request", { json: { email } });
  return codeIn(await house.mailTo(email, "Reset your password"));
};

/** A tab on somebody else's page, in the same profile. What happens to it there is no fault of ours. */
const tabAt = async ({ context }: Visitor, site: Stranger, html = ""): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(site.show("/", `<h1>Win a holiday</h1>${html}`));
  return page;
};

const sessionIn = async (context: BrowserContext): Promise<string | undefined> =>
  (await context.cookies()).find(({ name }) => name === sessionCookieName)?.value;

describe.each(sites)("a page of %s", (_, siteOf, sendsCookie) => {
  test("A37: changes nothing for somebody who is signed in here, and learns nothing", async () => {
    const person = await house.person();
    const attacker = await house.person();
    const visitor = await visit(house);
    const { page, context, faults } = visitor;
    await keepSession(context, person.session);
    await page.goto("/account");
    await ready(page);
    const code = await resetCodeOf(attacker);
    const newcomer = `newcomer-${crypto.randomUUID()}@example.com`;
    const before = await stateOf(house, person);
    const token = await house.tokenOf(person);
    const foreign = await tabAt(visitor, siteOf());
    let withCookie = 0;
    foreign.on("request", (request) => {
      // Of a request that is under way when the page closes there are no headers to be told.
      void request.allHeaders().then(
        ({ cookie }) => {
          if (cookie?.includes(sessionCookieName)) withCookie += 1;
        },
        () => undefined,
      );
    });
    const refusedBefore = house.logs.length;

    const read = await attackFrom(foreign, [...calls(person, code), ...signInsAs(attacker, code, newcomer)]);

    expect(read).toEqual([]);
    expect(await stateOf(house, person)).toEqual(before);
    expect(await house.tokenOf(person)).toBe(token);
    expect(await sessionIn(context)).toBe(person.session);
    expect(await house.inside.accounts.use.findAccount(newcomer)).toBeUndefined();
    // The attack did arrive, and with the cookie where a browser sends it.
    const refused = house.logs.slice(refusedBefore).filter((line) => line.includes("request_refused"));
    expect(refused.filter((line) => line.includes("cross_site")).length).toBeGreaterThan(10);
    expect(refused.filter((line) => line.includes("content_type_unsupported")).length).toBeGreaterThan(3);
    expect(withCookie > 0).toBe(sendsCookie);

    await page.reload();
    await ready(page);
    expect(await page.getByText(person.email).count()).toBeGreaterThan(0);
    // The same call from here does its work: what was refused is where it came from.
    const changed = await page.evaluate(`fetch("/api/v9/me", {
      method: "PUT", headers: { "content-type": "application/json" }, body: '{"fullname":"Changed here"}',
    }).then(({ status }) => status)`);
    expect(changed).toBe(200);
    expect(faults).toEqual([]);
  });

  test("A37: signs nobody in who is not", async () => {
    const attacker = await house.person();
    const visitor = await visit(house);
    const code = await resetCodeOf(attacker);
    const newcomer = `newcomer-${crypto.randomUUID()}@example.com`;
    const foreign = await tabAt(visitor, siteOf());

    expect(await attackFrom(foreign, signInsAs(attacker, code, newcomer))).toEqual([]);

    expect(await visitor.context.cookies()).toEqual([]);
    await visitor.page.goto("/account");
    await visitor.page.waitForURL("/login?next=/account");
    expect(await house.inside.accounts.use.findAccount(newcomer)).toBeUndefined();
    const { email } = attacker;
    expect((await house.send("POST", "/api/sessions", { json: { email, password } })).status).toBe(200);
    expect(visitor.faults).toEqual([]);
  });

  test("A37: sends nobody off with a form that fills the whole window", async () => {
    const person = await house.person();
    const attacker = await house.person();
    const visitor = await visit(house);
    const { context } = visitor;
    await keepSession(context, person.session);
    const before = await stateOf(house, person);
    const { origin } = house.config.origin;
    const inputs = `<input name="email" value="${attacker.email}"><input name="password" value="${password}">`;
    const foreign = await tabAt(visitor, siteOf());
    const submit = async (path: string, enctype: string): Promise<void> => {
      await foreign.goto(
        siteOf().show(
          "/form",
          `<form method="post" action="${origin}${path}" enctype="${enctype}">${inputs}<button>Go</button></form>`,
        ),
      );
      const answered = foreign.waitForResponse(origin + path);
      await foreign.getByRole("button").click();
      expect([401, 403, 405, 415], path).toContain((await answered).status());
      // For an answer without a body the browser shows a page of its own.
      await foreign.waitForURL(({ pathname }) => pathname !== "/form");
    };
    for (const path of [
      "/api/sessions",
      "/api/me/close_account/track",
      "/api/v9/me/close_account",
      "/api/v9/me/reset_token",
      "/api/me/email_change/request",
      "/login",
      "/account/close",
    ]) {
      await submit(path, "application/x-www-form-urlencoded");
    }
    await submit("/api/sessions", "text/plain");
    await submit("/api/v9/me/reset_token", "multipart/form-data");
    expect(await stateOf(house, person)).toEqual(before);
    expect(await sessionIn(context)).toBe(person.session);
  });

  test("A37: consumes no code by leading to it", async () => {
    const person = await house.person();
    const closed = await house.person();
    const visitor = await visit(house);
    const verify = codeIn(await house.mailTo(person.email, "Confirm your e-mail address"));
    const reset = await resetCodeOf(person);
    await house.send("POST", "/api/me/close_account/track", { session: closed.session });
    const undo = codeIn(await house.mailTo(closed.email, "Your account was closed"));
    const { origin } = house.config.origin;
    const links = { "/verify": verify, "/reset": reset, "/undo-close": undo };
    const html = Object.entries(links).flatMap(([path, code]) => [
      `<a href="${origin}${path}#${code}">${path}</a>`,
      `<iframe src="${origin}${path}#${code}"></iframe><link rel="prefetch" href="${origin}${path}#${code}">`,
      `<img src="${origin}/api/me/email_verification/confirm/${code}">`,
      `<img src="${origin}/api/me/password_reset/confirm/${code}">`,
      `<img src="${origin}/api/me/close_account/undo/${code}">`,
    ]);
    // From where the cookie comes along, somebody who is signed in; from elsewhere, somebody who is not.
    for (const session of variantsOf(
      sendsCookie ? [person.session, undefined] : [undefined, person.session],
    )) {
      if (session === undefined) await visitor.context.clearCookies();
      else await keepSession(visitor.context, session);
      for (const [path, code] of Object.entries(links)) {
        const foreign = await tabAt(visitor, siteOf(), html.join(""));
        const writes = noteWrites(foreign);
        await foreign.getByRole("link", { name: path }).click();
        await foreign.waitForURL(new RegExp(`${path}$`));
        await ready(foreign);
        expect(await foreign.getByLabel("Code", { exact: true }).inputValue()).toBe(code);
        expect(foreign.url()).not.toContain(code);
        await foreign.reload();
        await ready(foreign);
        expect(writes).toEqual([]);
        await foreign.close();
      }
    }

    const { page, context } = visitor;
    await keepSession(context, person.session);
    await page.goto(`/verify#${verify}`);
    await press(page, "Confirm");
    await heading(page, "Your address is confirmed");
    await page.goto(`/undo-close#${undo}`);
    await type(page, { "New password": "another river at dusk" });
    await press(page, "Take it back");
    await heading(page, "Your account is yours again");
    await page.goto(`/reset#${reset}`);
    await type(page, { "New password": "another river at dusk" });
    await press(page, "Set the password");
    await page.waitForURL("/account?notice=recovered");
    expect(visitor.faults).toEqual([]);
  });
});
