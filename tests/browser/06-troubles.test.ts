import { sql } from "kysely";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { refusals } from "#kernel/errors.ts";
import { keepSession, press, type } from "../support/at-page.ts";
import { audited } from "../support/attacks.ts";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { answerOnce, holdUp } from "../support/troubles.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const password = "a quiet river at noon";
const unreachable = "There is no answer from the server. What you typed is still here; check your connection";

let newcomers = 0;

/** The sign-up page, filled in. @returns the address */
const fillSignUp = async (page: Page): Promise<string> => {
  const email = `newcomer${++newcomers}@example.com`;
  await page.goto("/signup");
  await type(page, { Email: email, Name: "Ada Lovelace", Password: password });
  await page.getByLabel("I accept the terms of use of this server").check();
  return email;
};

const fillSignIn = async (page: Page, email: string): Promise<void> => {
  await page.goto("/login");
  await type(page, { Email: email, Password: password });
};

const typed = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`[...document.querySelectorAll("form input")].map((input) =>
    input.type === "checkbox" ? String(input.checked) : input.value)`);

const alert = (page: Page, text: string): Promise<void> =>
  page.getByRole("alert").getByText(text, { exact: false }).waitFor();

const noAlert = async (page: Page): Promise<void> => {
  await expect.poll(async () => (await page.getByRole("alert").allInnerTexts()).join("")).toBe("");
};

test("the network goes while something is sent: that is said, nothing typed is lost, and it goes on afterwards", async () => {
  const { page, context, faults } = await visit(house);
  const email = await fillSignUp(page);
  const before = await typed(page);

  await context.setOffline(true);
  await press(page, "Create account");
  await alert(page, unreachable);
  expect(await typed(page)).toEqual(before);
  expect(await house.inside.accounts.use.findAccount(email)).toBeUndefined();

  await context.setOffline(false);
  await press(page, "Create account");
  await page.waitForURL("/account?notice=welcome");
  expect(await audited(house, "sign_up", email)).toBe(1);
  expect(faults).toEqual([]);
});

test("answers that are not ours are no answers", async () => {
  const { email } = await house.person();
  const { page, faults } = await visit(house);
  await fillSignIn(page, email);
  const before = await typed(page);

  const strange = [
    { status: 502, contentType: "text/html", body: "<h1>502 Bad Gateway</h1><script>alert(1)</script>" },
    { status: 200, contentType: "text/html", body: "<h1>Sign in to the Wi-Fi of this hotel</h1>" },
    { status: 200, contentType: "application/json", body: "" },
    { status: 500, contentType: "application/json", body: '{"error":"upstream"}' },
    { status: 403, contentType: "application/json", body: "null" },
    "reset",
  ] as const;
  for (const answer of strange) {
    await answerOnce(page, /\/api\/sessions$/, answer);
    await press(page, "Sign in");
    await alert(page, unreachable);
    expect(await page.locator("main").innerText()).not.toMatch(/502|Gateway|Wi-Fi|upstream|null|undefined/);
    expect([await typed(page), new URL(page.url()).pathname]).toEqual([before, "/login"]);
    // Each failure is one of its own: the sentence goes when the next try begins.
    const letGo = await holdUp(page, /\/api\/sessions$/);
    await type(page, { Password: "not the password" });
    await press(page, "Sign in");
    await noAlert(page);
    letGo();
    await alert(page, "Wrong email or password.");
    await type(page, { Password: password });
  }
  await press(page, "Sign in");
  await page.waitForURL("/account");
  expect(faults).toEqual([]);
});

test("the server fails: the page says so, with the number that the operator finds in the log", async () => {
  const { email } = await house.person();
  const { page, faults } = await visit(house);
  await fillSignIn(page, email);
  const before = await typed(page);
  const { query } = house.inside.store;

  await sql`alter table sessions rename to sessions_away`.execute(query);
  await press(page, "Sign in");
  await alert(page, "Something went wrong on the server. What you typed is still here; try again.");
  await sql`alter table sessions_away rename to sessions`.execute(query);

  const [, id = ""] = /Request ([0-9a-f]{32})/.exec(await page.getByRole("alert").innerText()) ?? [];
  const line = house.logs.find((each) => each.includes("request_failed") && each.includes(id));
  expect(line).toContain("sessions");
  expect(await page.content()).not.toContain("no such table");
  expect(await typed(page)).toEqual(before);
  await press(page, "Sign in");
  await page.waitForURL("/account");
  expect(faults).toEqual([]);
});

test("the server is busy: the page says so and counts down", async () => {
  const { email } = await house.person();
  const { page, faults } = await visit(house);
  await fillSignIn(page, email);
  const { status, text } = refusals.busy;
  await page.route(
    /\/api\/sessions$/,
    (route) =>
      route.fulfill({
        status,
        contentType: "application/problem+json",
        headers: { "retry-after": "1" },
        body: JSON.stringify({ code: "busy", detail: text, status, instance: "urn:latchkey:request:0" }),
      }),
    { times: 1 },
  );

  await press(page, "Sign in");

  await alert(page, "The server is busy. What you typed is still here; try again in a moment.");
  await alert(page, "You can try again now.");
  await press(page, "Sign in");
  await page.waitForURL("/account");
  expect(faults).toEqual([]);
});

test("too many tries: the page counts down until the next one is possible", async () => {
  const strict = await startHouse({ LATCHKEY_PASSWORD_TRIES: "3" });
  const { email } = await strict.person();
  const { page, faults } = await visitAlone(strict);
  await page.clock.install();
  await page.goto("/login");
  for (let wrong = 0; wrong < 3; wrong++) {
    await type(page, { Email: email, Password: "not the password" });
    await press(page, "Sign in");
    await alert(page, "Wrong email or password.");
  }
  await type(page, { Password: password });
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await page.keyboard.press("Enter");

  await alert(page, "Too many wrong passwords for this address. Wait a little, or reset the password.");
  await page.clock.runFor(100);
  await alert(page, "You can try again in 2 seconds.");
  await page.clock.runFor(1000);
  await alert(page, "You can try again in 1 second.");
  await page.clock.runFor(1000);
  await alert(page, "You can try again now.");
  strict.clock.advance(2000);
  await page.clock.resume();
  expect((await typed(page)).slice(0, 2)).toEqual([email, password]);
  await press(page, "Sign in");
  await page.waitForURL("/account");
  expect(faults).toEqual([]);
});

test("a slow page: nothing for a moment, then it says so; what can't be loaded can be tried again", async () => {
  const person = await house.person();
  const { page, context, faults } = await visitAlone(house);
  await keepSession(context, person.session);
  await page.clock.install();
  await page.goto("/");
  const breakOff = await holdUp(page, /\/api\/me$/, "reset");
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await page.goto("/account");
  await page.locator("h1").waitFor();

  await page.clock.runFor(290);
  expect(await page.locator(".waiting").innerText()).toBe("");
  await page.clock.runFor(200);
  expect(await page.locator(".waiting").innerText()).toBe("Loading…");
  await page.clock.resume();
  breakOff();
  await alert(page, unreachable);
  await page.unrouteAll();
  await press(page, "Try again");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await noAlert(page);
  expect(faults).toEqual([]);
});

test("a token that can't be fetched is told of, and shown with the next press", async () => {
  const person = await house.person();
  const { page, context, faults } = await visit(house);
  await keepSession(context, person.session);
  await page.goto("/account/tokens");
  await answerOnce(page, /\/api\/v9\/me$/, "reset");

  await press(page, "Show API token");
  await alert(page, unreachable);
  await press(page, "Show API token");

  await page
    .getByText(await house.tokenOf(person), { exact: true })
    .first()
    .waitFor();
  await noAlert(page);
  expect(faults).toEqual([]);
});
