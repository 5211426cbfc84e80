import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { closeBrowser, leave, visitAlone, type Visitor } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { linkIn } from "../support/mails.ts";

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
const third = "a bridge behind the mill";

const type = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
  for (const [label, text] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).fill(text);
  }
};

const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name, exact: true }).waitFor();

const signUp = async ({ page }: Visitor, email: string): Promise<void> => {
  await page.goto("/signup");
  await type(page, { Email: email, Name: "Ada Lovelace", Password: first });
  await page.getByLabel("I accept the terms of use of this server").check();
  await press(page, "Create account");
  await page.waitForURL("/account?notice=welcome");
};

const signIn = async ({ page }: Visitor, email: string, password: string): Promise<void> => {
  await page.goto("/login");
  await type(page, { Email: email, Password: password });
  await press(page, "Sign in");
  await page.waitForURL("/account");
};

const statusWith = async (token: string): Promise<number> =>
  (await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status;

test("sign up, verify, sign out and in, replace the token, end a session, reset, close, undo, close", async () => {
  const email = "ada@example.com";
  const ada = await visitAlone(house, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = ada;

  await signUp(ada, email);
  await page.getByText("Welcome! Your account is ready.").waitFor();
  await page.getByText("Not confirmed", { exact: true }).waitFor();

  await page.goto(linkIn(await house.mailTo(email, "Confirm your e-mail address")));
  await press(page, "Confirm");
  await heading(page, "Your address is confirmed");
  expect(page.url()).not.toContain("#");
  await page.getByRole("link", { name: "To your account" }).click();
  await page.getByText("Confirmed", { exact: true }).waitFor();

  await press(page, "Sign out");
  await page.waitForURL("/login");
  await page.goto("/account/tokens");
  await page.waitForURL("/login?next=/account/tokens");
  await type(page, { Email: email, Password: first });
  await press(page, "Sign in");
  await page.waitForURL("/account/tokens");

  expect(await page.content()).not.toMatch(/[0-9a-f]{32}/);
  await press(page, "Show API token");
  await page
    .getByText(/^[0-9a-f]{32}$/)
    .first()
    .waitFor();
  const shown = await page.evaluate<string>("document.querySelector('.copy-line code').textContent");
  expect(await statusWith(shown)).toBe(200);
  await page.getByRole("button", { name: "Copy API token", exact: true }).first().click();
  await page.getByText("Copied: API token").first().waitFor();
  expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe(shown);

  await press(page, "Replace…");
  await page.getByText("The old token stops working at once.", { exact: false }).waitFor();
  expect(await statusWith(shown)).toBe(200);
  await press(page, "Replace the token");
  await page.getByText("This is your new token.", { exact: false }).waitFor();
  const fresh = await page.evaluate<string>("document.querySelector('.copy-line code').textContent");
  expect(fresh).not.toBe(shown);
  expect([await statusWith(shown), await statusWith(fresh)]).toEqual([403, 200]);

  const phone = await visitAlone(house, {
    userAgent: "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
  });
  await signIn(phone, email, first);
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByText("Firefox on Android").first().waitFor();
  await press(page, "End the session of Firefox on Android");
  await page.getByText("The session has ended.").waitFor();
  await phone.page.reload();
  await phone.page.waitForURL("/login?next=/account");

  await phone.page.getByRole("link", { name: "Forgot password?" }).click();
  await type(phone.page, { Email: email });
  await press(phone.page, "Send the code");
  await heading(phone.page, "Check your mail");
  await phone.page.goto(linkIn(await house.mailTo(email, "Reset your password")));
  await type(phone.page, { "New password": second });
  await press(phone.page, "Set the password");
  await phone.page.waitForURL("/account?notice=recovered");
  await phone.page.getByText("the API token was replaced", { exact: false }).waitFor();
  expect(await statusWith(fresh)).toBe(403);
  await page.reload();
  await page.waitForURL("/login?next=/account/sessions");

  const close = async (password: string): Promise<void> => {
    await phone.page.goto("/account/close");
    await type(phone.page, { "Current password": password });
    await press(phone.page, "Close the account");
    await heading(phone.page, "Your account is closed");
  };
  await close(second);
  await phone.page.goto(linkIn(await house.mailTo(email, "Your account was closed")));
  await type(phone.page, { "New password": third });
  await press(phone.page, "Take it back");
  await heading(phone.page, "Your account is yours again");
  await phone.page.getByText("the API token was replaced", { exact: false }).waitFor();
  await phone.page.getByRole("link", { name: "Sign in" }).click();
  await signIn(phone, email, third);
  await close(third);

  expect([...ada.faults, ...phone.faults]).toEqual([]);
});
