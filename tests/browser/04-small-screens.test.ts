import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { heading, keepSession, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visitAlone } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { expectFits, movingParts, shiftsOf, slowDown, watchShifts } from "../support/layout.ts";
import { variantsOf } from "../support/rounds.ts";
import { resetCode } from "../support/reset.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

/** As long as an address may be before the @, without a place to break it. */
const longAddress = (start: string): string =>
  `${start.padEnd(64, "m")}@${"mailboxes".repeat(6)}.department.example.com`;
const longName = "Wolfeschlegelsteinhausenbergerdorff".repeat(3);
const longDevice = `${"Synchronisationsprogramm".padEnd(40, "m")}/1.0`;

/** Somebody for whom everything is as long as can be, with a session elsewhere and an address that waits. */
const longPerson = async (start: string): Promise<Person> => {
  const person = await house.person(longAddress(start));
  const { email, password, session } = person;
  await house.send("PUT", "/api/v9/me", { session, json: { fullname: longName } });
  await house.send("POST", "/api/me/email_change/request", {
    session,
    json: { email: longAddress(`new-${start}`), current_password: password },
  });
  await house.send("POST", "/api/sessions", {
    json: { email, password, remember_me: true },
    headers: { "user-agent": longDevice },
  });
  await house.mails();
  return person;
};

const screens = [
  { name: "320 px", width: 320, textSize: "100%" },
  { name: "1280 px with text of twice the size", width: 1280, textSize: "200%" },
] as const;

/** Each state of a page in the narrowest window; with larger text, each page as it opens, and its states in the soak. */
for (const screen of screens) {
  const { name, width, textSize } = screen;
  test(`at ${name} nothing sticks out and nothing is cut`, async () => {
    const start = `at${width}`;
    const person = await longPerson(start);
    const { email, password } = person;
    const { page, context, faults } = await visitAlone(house, { viewport: { width, height: 640 } });
    const go = async (path: string): Promise<void> => {
      await page.goto(path);
      await ready(page);
      await page.evaluate(`document.documentElement.style.fontSize = "${textSize}"`);
    };
    const fits = (what: string): Promise<void> => expectFits(page, what);

    for (const { path } of pages.filter(({ shownTo }) => shownTo !== "account")) {
      await go(path);
      await fits(path);
    }
    if (!variantsOf(screens).includes(screen)) {
      await keepSession(context, person.session);
      for (const { path } of pages.filter(({ shownTo }) => shownTo === "account")) {
        await go(path);
        await fits(path);
      }
      expect(faults).toEqual([]);
      return;
    }
    for (const path of ["/signup", "/login", "/reset"]) {
      await go(path);
      await page.getByRole("main").getByRole("button").last().click();
      await page.locator(".fault").first().waitFor();
      await fits(`${path} with nothing filled in`);
    }
    await go("/login");
    await type(page, { Email: email, Password: "wrong" });
    await press(page, "Sign in");
    await page.getByText("Wrong email or password").waitFor();
    await fits("a wrong password");
    await go("/forgot");
    await type(page, { Email: email });
    await press(page, "Send the code");
    await heading(page, "Check your mail");
    await fits("a code on its way");
    await go("/no/such/page");
    await fits("no such page");

    await keepSession(context, person.session);
    for (const { path } of pages) {
      await go(path);
      await fits(`${path} signed in`);
    }
    await go("/account");
    await press(page, "Keep the old address");
    await press(page, "Change address");
    await press(page, "Save");
    await page.getByText("Saved.").waitFor();
    await fits("the form for another address");
    await go("/account/tokens");
    await press(page, "Show API token");
    await fits("the token shown");
    await press(page, "Replace…");
    await page.getByRole("dialog").waitFor();
    await fits("the dialog");
    await press(page, "Replace the token");
    await page.getByText("This is your new token.").waitFor();
    await fits("the token replaced");
    await go("/account/close");
    await type(page, { "Current password": password });
    await press(page, "Close the account");
    await heading(page, "Your account is closed");
    await fits("the account closed");
    expect(faults).toEqual([]);
  });
}

test("whoever wants less motion gets none", async () => {
  const person = await house.person();
  const { page, context } = await visitAlone(house, { reducedMotion: "reduce" });
  await keepSession(context, person.session);
  for (const { path } of pages) {
    await page.goto(path);
    await ready(page);
    expect({ path, moves: await movingParts(page) }).toEqual({ path, moves: [] });
  }
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await movingParts(page)).toContain("button");
});

const expectStill = async (page: Page, path: string): Promise<void> => {
  await page.goto(path);
  await ready(page);
  const shifts = await shiftsOf(page);
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  expect(sum, `${path}: ${JSON.stringify(shifts)}`).toBeLessThanOrEqual(0.02);
};

test("nothing jumps while a page comes in over a slow network", async () => {
  const person = await house.person();
  await resetCode(house, person.email);
  for (const width of variantsOf([375, 1280])) {
    const { page, context } = await visitAlone(house, { viewport: { width, height: 800 } });
    await watchShifts(page);
    await slowDown(page, 50);
    await expectStill(page, "/login");
    await expectStill(page, "/reset");
    await keepSession(context, person.session);
    for (const { path } of pages) await expectStill(page, path);
    await slowDown(page, 350);
    // So slow that pages say that they are loading.
    for (const path of ["/account", "/account/sessions", "/dev/mail"]) await expectStill(page, path);
  }
});
