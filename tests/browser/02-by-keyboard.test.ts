import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectFault, expectFocus, retype, tabTo, use, walk } from "../support/keyboard.ts";
import { linkIn } from "../support/mails.ts";
import { keepSession, ready } from "../support/at-page.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const first = "a quiet river at noon";
const second = "an old mill at the ford";
const firefox = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";

test("a whole life without a mouse", async () => {
  const email = "grace@example.com";
  const grace = await visitAlone(house, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = grace;
  const { keyboard } = page;
  const token = (): Promise<string> => page.evaluate("document.querySelector('.copy-line code').textContent");

  await page.goto("/signup");
  await expectFocus(page, "Email", "input");
  await keyboard.press("Enter");
  await expectFault(page, "Email", "Enter your email address.");
  await keyboard.type(email);
  expect(await tabTo(page, "Password")).toEqual(["Name", "Password"]);
  await keyboard.type("short");
  await use(page, "I accept the terms of use of this server", "Space");
  await use(page, "Create account");
  await expectFault(page, "Password", "at least 8 characters");
  await retype(page, first);
  await keyboard.press("Enter");
  await page.waitForURL("/account?notice=welcome");

  await page.goto(linkIn(await house.mailTo(email, "Confirm your e-mail address")));
  await ready(page);
  await use(page, "Confirm");
  await expectFocus(page, "Your address is confirmed", "h1");
  expect(await tabTo(page, "To your account")).toHaveLength(1);
  await keyboard.press("Enter");
  await page.waitForURL("/account");
  await ready(page);

  await use(page, "Sign out");
  await page.waitForURL("/login");
  await expectFocus(page, "Email", "input");
  await keyboard.type(email);
  // Nothing comes between the two fields that everybody fills.
  expect(await tabTo(page, "Password")).toEqual(["Password"]);
  await keyboard.type("not the password");
  await keyboard.press("Enter");
  await page.getByRole("alert").getByText("Wrong email or password", { exact: false }).waitFor();
  await expectFocus(page, "Password", "input");
  await retype(page, first);
  await keyboard.press("Enter");
  await page.waitForURL("/account");
  await ready(page);

  await use(page, "API token");
  await page.waitForURL("/account/tokens");
  await ready(page);
  await use(page, "Show API token");
  await expectFocus(page, "Hide API token", "button");
  const shown = await token();
  expect(shown).toMatch(/^[0-9a-f]{32}$/);
  await use(page, "Copy API token", "Space");
  await page.getByText("Copied: API token").first().waitFor();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(shown);

  await use(page, "Replace…");
  // The way out comes first, so that Enter pressed twice breaks nothing.
  await expectFocus(page, "Cancel", "button");
  await keyboard.press("Escape");
  await expectFocus(page, "Replace…", "button");
  expect(await token()).toBe(shown);
  await keyboard.press("Enter");
  await expectFocus(page, "Cancel", "button");
  expect(await tabTo(page, "Replace the token")).toEqual(["Replace the token"]);
  // What lies behind the dialog can't be reached.
  expect(new Set(await tabTo(page, "Replace the token"))).toEqual(
    new Set(["Replace the token", "Cancel", ""]),
  );
  await keyboard.press("Enter");
  await page.getByText("This is your new token.", { exact: false }).waitFor();
  await expectFocus(page, "Replace…", "button");
  expect(await token()).not.toBe(shown);

  const elsewhere = await house.send("POST", "/api/sessions", {
    json: { email, password: first },
    headers: { "user-agent": firefox },
  });
  const isIn = async (): Promise<boolean> =>
    (await house.send("GET", "/api/sessions", { session: sessionOf(elsewhere) })).status === 200;
  expect(await isIn()).toBe(true);
  await tabTo(page, "Sessions", "Shift+Tab");
  await keyboard.press("Enter");
  await page.waitForURL("/account/sessions");
  await ready(page);
  await use(page, "End the session of Firefox on Android");
  await page.getByText("The session has ended.").waitFor();
  expect(await isIn()).toBe(false);
  await expectFocus(page, "Signed in", "h2");

  await tabTo(page, "Sign out", "Shift+Tab");
  await keyboard.press("Enter");
  await page.waitForURL("/login");
  await use(page, "Forgot password?");
  await page.waitForURL("/forgot");
  await expectFocus(page, "Email", "input");
  await keyboard.type(email);
  await keyboard.press("Enter");
  await expectFocus(page, "Check your mail", "h1");
  await use(page, "Use another address");
  await expectFocus(page, "Email", "input");
  await page.goto(linkIn(await house.mailTo(email, "Reset your password")));
  await expectFocus(page, "New password", "input");
  await keyboard.type(second);
  await keyboard.press("Enter");
  await page.waitForURL("/account?notice=recovered");
  await ready(page);

  await use(page, "Close account");
  await page.waitForURL("/account/close");
  await ready(page);
  await tabTo(page, "Current password");
  await keyboard.type(first);
  await keyboard.press("Enter");
  await expectFault(page, "Current password", "This is not your current password.");
  await retype(page, second);
  await keyboard.press("Enter");
  await expectFocus(page, "Your account is closed", "h1");
  expect(await tabTo(page, "Take it back")).toEqual(["To the start page", "Take it back"]);

  await page.goto(linkIn(await house.mailTo(email, "Your account was closed")));
  await ready(page);
  await expectFocus(page, "New password", "input");
  await keyboard.type(first);
  await keyboard.press("Enter");
  await expectFocus(page, "Your account is yours again", "h1");
  await use(page, "Sign in");
  await page.waitForURL("/login");
  await expectFocus(page, "Email", "input");

  expect(grace.faults).toEqual([]);
});

test("on every page Tab leads through everything in the order of the page, visibly, and back", async () => {
  const person = await house.person();
  await house.send("POST", "/api/sessions", { json: { email: person.email, password: person.password } });
  const greets = ["/", "/login"];
  for (const signedIn of [false, true]) {
    const { page, context, faults } = await visit(house);
    if (signedIn) await keepSession(context, person.session);
    const shown = pages.filter(
      ({ path, shownTo }) => (shownTo === "account") === signedIn || greets.includes(path),
    );
    for (const { path } of shown) {
      await page.goto(path);
      await ready(page);
      const { stops, forth, back } = await walk(page);
      const inOrder = Array.from({ length: stops }, (_, index) => index);
      expect(stops, path).toBeGreaterThan(0);
      expect({ path, forth, back }).toEqual({ path, forth: inOrder, back: inOrder.toReversed() });
    }
    expect(faults).toEqual([]);
  }
});

test("where a form opens, is sent or is given up, the focus stays near", async () => {
  const person = await house.person();
  const { page, context, faults } = await visit(house);
  await keepSession(context, person.session);
  await page.goto("/account");
  await ready(page);
  const { keyboard } = page;

  await use(page, "Change address");
  await expectFocus(page, "New email address", "input");
  await use(page, "Cancel");
  await expectFocus(page, "Email address", "h2");

  await use(page, "Change address");
  await expectFocus(page, "New email address", "input");
  await keyboard.type("hopper@example.com");
  await tabTo(page, "Current password");
  await keyboard.type(person.password);
  await keyboard.press("Enter");
  await page.getByText("Waiting for hopper@example.com", { exact: false }).waitFor();
  await expectFocus(page, "Email address", "h2");
  await use(page, "Keep the old address");
  await page.getByRole("button", { name: "Change address" }).waitFor();
  await expectFocus(page, "Email address", "h2");

  await tabTo(page, "Current password");
  await keyboard.type(person.password);
  await tabTo(page, "New password");
  await keyboard.type(second);
  await keyboard.press("Enter");
  await page.waitForURL("/account?notice=password");
  await page.getByText("Your password is changed", { exact: false }).waitFor();
  expect(faults).toEqual([]);
});
