import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { heading, keepSession, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit, type Visitor } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const places = ["/account", "/account/tokens", "/account/sessions", "/account/close"] as const;

const visitAs = async (person: Person): Promise<Visitor> => {
  const visitor = await visit(house);
  await keepSession(visitor.context, person.session);
  return visitor;
};

const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(path);
  await ready(page);
};

const signIn = async (page: Page, { email, password }: Person): Promise<void> => {
  await type(page, { Email: email, Password: password });
  await press(page, "Sign in");
};

const end = ({ session }: Person) => house.send("DELETE", "/api/sessions", { session });

const alert = (page: Page, text: string): Promise<void> =>
  page.getByRole("alert").getByText(text, { exact: false }).waitFor();

test("a tab of one account never acts on another that was signed in beside it", async () => {
  const anna = await house.person();
  const bob = await house.person();
  const { page, tab, faults } = await visitAs(anna);
  await open(page, "/account");
  const beside = await tab();
  await beside.goto("/account");
  await press(beside, "Sign out");
  await beside.waitForURL("/login");
  await signIn(beside, bob);
  await beside.waitForURL("/account");

  await page.getByText(bob.email).first().waitFor();
  expect(await page.content()).not.toContain(anna.email);
  expect(faults).toEqual([]);
});

describe("going back", () => {
  test("after signing in shows no second sign-in", async () => {
    const person = await house.person();
    const { page, faults } = await visit(house);
    await page.goto("/account/tokens");
    await page.waitForURL("/login?next=/account/tokens");
    await signIn(page, person);
    await page.waitForURL("/account/tokens");

    await page.goBack();
    await heading(page, "You are signed in");
    expect(await page.locator("input").count()).toBe(0);
    await page.getByRole("link", { name: "Continue" }).click();
    await page.waitForURL("/account/tokens");
    expect(faults).toEqual([]);
  });

  test("after signing out shows nothing of the account", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);
    const { page, faults } = await visitAs(person);
    for (const path of places) await open(page, path);
    await open(page, "/account/tokens");
    await press(page, "Show API token");
    await page.getByText(token, { exact: true }).first().waitFor();
    await press(page, "Sign out");
    await page.waitForURL("/login");

    for (const path of ["/account/tokens", ...places.toReversed()]) {
      await page.goBack();
      await page.waitForURL(`/login?next=${path}`);
      await heading(page, "Sign in");
      const content = await page.content();
      expect(content).not.toContain(person.email);
      expect(content).not.toContain(token);
    }
    expect(faults).toEqual([]);
  });
});

describe("signed out in another tab", () => {
  const deeds: Readonly<Record<(typeof places)[number], (page: Page, person: Person) => Promise<void>>> = {
    "/account": async (page) => {
      await type(page, { Name: "Somebody Else" });
      await press(page, "Save");
    },
    "/account/tokens": async (page) => {
      await press(page, "Replace…");
      await press(page, "Replace the token");
    },
    "/account/sessions": async (page) => {
      await press(page, "End all others");
    },
    "/account/close": async (page, { password }) => {
      await type(page, { "Current password": password });
      await press(page, "Close the account");
    },
  };

  test.for(places)(
    "what is sent from %s does nothing, says why, and the sign-in leads back",
    async (path) => {
      const person = await house.person();
      const { email, password } = person;
      await house.send("POST", "/api/sessions", { json: { email, password } });
      const { page, tab, faults } = await visitAs(person);
      await open(page, path);
      const other = await tab();
      await open(other, "/");
      await press(other, "Sign out");
      await other.waitForURL("/login");

      await deeds[path](page, person);

      await alert(page, "You are signed out. Sign in again.");
      expect(new URL(page.url()).pathname).toBe(path);
      await page.getByRole("alert").getByRole("link", { name: "Sign in" }).click();
      await signIn(page, person);
      await page.waitForURL(path);
      await ready(page);
      expect(await page.locator("main").innerText()).not.toContain("Somebody Else");
      expect(faults).toEqual([]);
    },
  );
});

test("a session that was ended elsewhere: every page leads to the sign-in, every deed says so", async () => {
  const person = await house.person();
  const token = await house.tokenOf(person);
  const { page, context, faults } = await visitAs(person);
  await open(page, "/account");
  const tokens = await context.newPage();
  await open(tokens, "/account/tokens");
  const home = await context.newPage();
  await open(home, "/");
  await end(person);

  await type(page, { "Current password": person.password, "New password": "another river at dusk" });
  await press(page, "Change password");
  await alert(page, "Your session has ended. Sign in again.");
  await press(tokens, "Show API token");
  await tokens.waitForURL(/\/login\?next=/);
  expect(await tokens.content()).not.toContain(token);
  await press(home, "Sign out");
  await home.waitForURL("/login");
  for (const path of places) {
    await page.goto(path);
    await page.waitForURL(`/login?next=${path}`);
    await page.getByText("Sign in to go on.").waitFor();
  }
  await open(page, "/");
  expect(await page.content()).not.toContain(person.email);
  expect(
    (await house.send("POST", "/api/sessions", { json: { ...person, session: undefined } })).status,
  ).toBe(200);
  expect(faults).toEqual([]);
});

test("two tabs: what one changed, the other shows after a reload, and neither undoes the other's work", async () => {
  const person = await house.person();
  const { page, tab, faults } = await visitAs(person);
  const other = await tab();
  await open(page, "/account/tokens");
  await open(other, "/account/tokens");
  const replaceIn = async (each: Page): Promise<string> => {
    await press(each, "Replace…");
    await press(each, "Replace the token");
    await each.getByText("This is your new token.", { exact: false }).waitFor();
    return each.evaluate<string>("document.querySelector('.copy-line code').textContent");
  };

  const older = await replaceIn(page);
  const newer = await replaceIn(other);

  expect(newer).not.toBe(older);
  expect(await house.tokenOf(person)).toBe(newer);
  await page.reload();
  await ready(page);
  await press(page, "Show API token");
  await page.getByText(newer, { exact: true }).first().waitFor();
  expect(await page.content()).not.toContain(older);
  expect(faults).toEqual([]);
});

describe("a browser that does not keep the cookie", () => {
  /** The server answers as it does; what it sets is lost on the way. */
  const loseCookies = async (page: Page): Promise<void> => {
    await page.route(/\/api\/(?:sessions|signup|me\/password_reset\/confirm\/\w+)$/, async (route) => {
      const request = route.request();
      if (request.method() !== "POST") return route.continue();
      const body = request.postData() ?? undefined;
      const path = new URL(request.url()).pathname;
      const reply = await house.send("POST", path, { body, headers: { "content-type": "application/json" } });
      expect(reply.cookies).toHaveLength(1);
      return route.fulfill({ status: reply.status, contentType: "application/json", body: reply.text });
    });
  };

  const expectTold = async (page: Page): Promise<void> => {
    await heading(page, "Your browser did not keep the session");
    const said = await page.getByRole("alert").innerText();
    expect(said).toContain("the session cookie did not come back");
    expect(said).toContain(`This page must be opened at ${house.config.origin.origin}, exactly.`);
    expect(said).toContain("Cookies are blocked");
    expect(said).toContain("Safari");
  };

  test.for([undefined, "stale"])(
    "is told so, and why, after the sign-in (its cookie before: %s)",
    async (old) => {
      const person = await house.person();
      const { page, context, faults } = await visit(house);
      if (old !== undefined) await keepSession(context, old);
      await loseCookies(page);
      await page.goto("/login?next=/account/tokens");
      await signIn(page, person);

      await expectTold(page);

      await page.unrouteAll();
      await page.getByRole("link", { name: "Try again" }).click();
      await signIn(page, person);
      await page.waitForURL("/account/tokens");
      expect(faults).toEqual([]);
    },
  );

  test("is told so after the sign-up and after the reset too", async () => {
    const { page, faults } = await visit(house);
    await loseCookies(page);
    const email = "without-cookies@example.com";
    await page.goto("/signup");
    await type(page, { Email: email, Password: "a quiet river at noon" });
    await page.getByLabel("I accept the terms of use of this server").check();
    await press(page, "Create account");
    await expectTold(page);

    await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const code = codeIn(await house.mailTo(email, "Reset your password"));
    await page.goto(`/reset#${code}`);
    await type(page, { "New password": "another river at dusk" });
    await press(page, "Set the password");
    await expectTold(page);

    // Both have happened: only the browser does not know.
    const sent = { json: { email, password: "another river at dusk" } };
    expect((await house.send("POST", "/api/sessions", sent)).status).toBe(200);
    expect(faults).toEqual([]);
  });
});
