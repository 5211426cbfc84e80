import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { heading, keepSession, press, ready, type } from "../support/at-page.ts";
import { audited } from "../support/attacks.ts";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { holdUp, noteWrites } from "../support/troubles.ts";

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

let newcomers = 0;

/** The sign-up page, filled in. @returns the address */
const fillSignUp = async (page: Page): Promise<string> => {
  const email = `newcomer${++newcomers}@example.com`;
  await page.goto("/signup");
  await type(page, { Email: email, Password: password });
  await page.getByLabel("I accept the terms of use of this server").check();
  return email;
};

const main = (page: Page) => page.locator("form button[type=submit]");

test("a slow answer: nothing for a moment, then the button says it; nothing is sent twice", async () => {
  const { email } = await house.person();
  const { page, faults } = await visitAlone(house);
  const writes = noteWrites(page);
  await page.clock.install();
  await page.goto("/login");
  await type(page, { Email: email, Password: password });
  const letGo = await holdUp(page, /\/api\/sessions$/);
  await page.clock.pauseAt(Date.now() + 3_600_000);
  const shot = async () => page.locator("main").innerText();
  const before = await shot();

  await page.keyboard.press("Enter");
  await page.clock.runFor(290);
  expect(await shot()).toBe(before);
  await page.clock.runFor(200);
  expect(await main(page).innerText()).toBe("Signing in…");
  expect(await main(page).getAttribute("aria-disabled")).toBe("true");
  await page.keyboard.press("Enter");
  await page.evaluate("document.querySelector('form button[type=submit]').click()");
  await page.clock.runFor(10_000);
  expect(writes).toEqual(["POST /api/sessions"]);

  await page.clock.resume();
  letGo();
  await page.waitForURL("/account");
  expect(writes).toEqual(["POST /api/sessions"]);
  expect(faults).toEqual([]);
});

test("while the next page is still on its way, the form that is done can't be sent once more", async () => {
  const { page, faults } = await visit(house);
  const writes = noteWrites(page);
  const email = await fillSignUp(page);
  const letGo = await holdUp(page, /\/account\?notice=welcome$/);
  const asked = page.waitForRequest(/\/account\?notice=welcome$/);

  await press(page, "Create account");
  await asked;
  // The button still has the focus.
  await page.keyboard.press("Enter");
  await page.keyboard.press("Space");
  letGo();
  await page.waitForURL("/account?notice=welcome");

  expect(writes).toEqual(["POST /api/signup"]);
  expect(await audited(house, "sign_up", email)).toBe(1);
  expect(faults).toEqual([]);
});

test("a double click makes one account, one token, one end", async () => {
  const { page, faults } = await visit(house);
  const writes = noteWrites(page);
  const email = await fillSignUp(page);
  await main(page).dblclick();
  await page.waitForURL("/account?notice=welcome");
  expect(writes).toEqual(["POST /api/signup"]);

  await page.goto("/account/tokens");
  await press(page, "Replace…");
  await page.getByRole("button", { name: "Replace the token" }).dblclick();
  await page.getByText("This is your new token.", { exact: false }).waitFor();
  const token = await page.evaluate<string>("document.querySelector('.copy-line code').textContent");
  expect((await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(200);
  expect(await audited(house, "token_replaced", email)).toBe(1);

  await page.goto("/account/close");
  await type(page, { "Current password": password });
  await main(page).dblclick();
  await heading(page, "Your account is closed");
  expect(writes).toEqual([
    "POST /api/signup",
    "POST /api/v9/me/reset_token",
    "POST /api/me/close_account/track",
  ]);
  expect(
    (await house.mails()).filter((mail) => mail.to === email && /closed/.test(mail.subject)),
  ).toHaveLength(1);
  expect(faults).toEqual([]);
});

test("reload repeats nothing, whatever was just done", async () => {
  const person = await house.person();
  const { page, context, faults } = await visit(house);
  const deeds: readonly (readonly [path: string, deed: () => Promise<void>])[] = [
    [
      "/forgot",
      async () => {
        await type(page, { Email: person.email });
        await press(page, "Send the code");
        await heading(page, "Check your mail");
      },
    ],
    [
      "/login",
      async () => {
        await type(page, { Email: person.email, Password: "not the password" });
        await press(page, "Sign in");
        await page.getByRole("alert").getByText("Wrong email or password", { exact: false }).waitFor();
        await keepSession(context, person.session);
      },
    ],
    [
      "/account",
      async () => {
        await type(page, { Name: "Somebody Else" });
        await press(page, "Save");
        await page.getByText("Saved.").waitFor();
      },
    ],
    [
      "/account/tokens",
      async () => {
        await press(page, "Replace…");
        await press(page, "Replace the token");
        await page.getByText("This is your new token.", { exact: false }).waitFor();
      },
    ],
    [
      "/account/sessions",
      async () => {
        await page.getByText("You are signed in here only.").waitFor();
      },
    ],
    [
      "/account/close",
      async () => {
        await type(page, { "Current password": password });
        await press(page, "Close the account");
        await heading(page, "Your account is closed");
      },
    ],
  ];
  for (const [path, deed] of deeds) {
    await page.goto(path);
    await deed();
    const writes = noteWrites(page);
    await page.reload();
    await ready(page);
    expect([path, writes]).toEqual([path, []]);
  }
  expect(await audited(house, "token_replaced", person.email)).toBe(1);
  expect(faults).toEqual([]);
});
