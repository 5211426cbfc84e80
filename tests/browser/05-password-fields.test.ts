import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { press, ready, signedInAt, signIn, signUp, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit, type Visitor } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionCookieName } from "../support/http.ts";
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

const other = "an old mill at the ford";

/** What a password manager reads of the forms of a page. */
const formsOf = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.forms]
    .map((form) => [...form.elements].filter((element) => element.localName === "input")
      .map(({ type, autocomplete, value }) => [type, autocomplete, ...(autocomplete === "username" ? [value] : [])]))
    .filter((fields) => fields.some(([type]) => type === "password"))`);

test("password managers know every field of a password, and whose it is", async () => {
  const { page } = await visit(house);
  const box = ["checkbox", ""];
  await page.goto("/signup");
  expect(await formsOf(page)).toEqual([
    [["email", "username", ""], ["text", "name"], ["password", "new-password"], box, box],
  ]);
  await page.goto("/login");
  expect(await formsOf(page)).toEqual([[["email", "username", ""], ["password", "current-password"], box]]);
  // Whose password it is, only the server knows: the code is all that the mail's reader has.
  const byCode = [
    ["text", "one-time-code"],
    ["password", "new-password"],
  ];
  await page.goto("/reset");
  expect(await formsOf(page)).toEqual([[...byCode, box]]);
  await page.goto("/undo-close");
  expect(await formsOf(page)).toEqual([byCode]);
  await page.goto("/verify");
  expect(await page.getByLabel("Code").getAttribute("autocomplete")).toBe("one-time-code");
  await page.goto("/forgot");
  expect(await page.getByLabel("Email").getAttribute("autocomplete")).toBe("username");

  const own = await signedInAt(house, "/account");
  const name = ["text", "username", own.person.email];
  await press(own.page, "Change address");
  expect(await formsOf(own.page)).toEqual([
    [name, ["email", "email"], ["password", "current-password"]],
    [name, ["password", "current-password"], ["password", "new-password"]],
  ]);
  await own.page.goto("/account/close");
  expect(await formsOf(own.page)).toEqual([[name, ["password", "current-password"]]]);
});

test("a password that was taken leads to a new page, a refused one does not", async () => {
  const { page } = await visit(house);
  const email = "navigator@example.com";
  const mark = (): Promise<unknown> => page.evaluate("window.isSame = true");
  const isSame = (): Promise<unknown> => page.evaluate("window.isSame === true");

  await page.goto("/signup");
  await mark();
  await signUp(page, email, { password: "password" });
  await page.getByText("Too many people use this password", { exact: false }).waitFor();
  expect(await isSame()).toBe(true);
  await signUp(page, email);
  await page.waitForURL("/account?notice=welcome");
  expect(await isSame()).toBe(false);
  await ready(page);

  await mark();
  const form = page.getByRole("form", { name: "Change password" });
  await form.getByLabel("Current password").fill("a quiet river at noon");
  await form.getByLabel("New password").fill(other);
  await press(page, "Change password");
  await page.waitForURL("/account?notice=password");
  expect(await isSame()).toBe(false);

  await page.context().clearCookies();
  await page.goto("/login");
  await mark();
  await signIn(page, email, { password: "wrong" });
  await page.getByText("Wrong email or password", { exact: false }).waitFor();
  expect([await isSame(), await page.getByLabel("Email").inputValue()]).toEqual([true, email]);
  await signIn(page, email, { password: other });
  await page.waitForURL("/account");
  expect(await isSame()).toBe(false);

  await page.goto("/reset");
  await mark();
  await type(page, { Code: await resetCode(house, email), "New password": "a third one, by the lake" });
  await press(page, "Set the password");
  await page.waitForURL("/account?notice=recovered");
  expect(await isSame()).toBe(false);
});

test("a password can be looked at while it is typed", async () => {
  const { page } = await visit(house);
  await page.goto("/login");
  const field = page.getByLabel("Password", { exact: true });
  const button = page.getByRole("button", { name: "Show password" });
  await field.fill("typed");
  const state = async (): Promise<unknown> => [
    await field.getAttribute("type"),
    await field.inputValue(),
    await button.getAttribute("aria-pressed"),
    await button.textContent(),
  ];
  expect(await state()).toEqual(["password", "typed", "false", "Show"]);
  await button.click();
  expect(await state()).toEqual(["text", "typed", "true", "Hide"]);
  await button.click();
  expect(await state()).toEqual(["password", "typed", "false", "Show"]);
});

test("who wants to stay signed in keeps the cookie for 28 days, who does not until the browser ends", async () => {
  const days = async ({ context }: Visitor): Promise<number | "session"> => {
    const cookie = (await context.cookies()).find(({ name }) => name === sessionCookieName);
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
    const expires = cookie?.expires ?? 0;
    return expires === -1 ? "session" : Math.round((expires - Date.now() / 1000) / 86_400);
  };
  for (const remember of [true, false]) {
    const kept = remember ? 28 : "session";
    const email = `remember-${remember}@example.com`;
    const newcomer = await visit(house);
    await newcomer.page.goto("/signup");
    await signUp(newcomer.page, email, { remember });
    await newcomer.page.waitForURL("/account?notice=welcome");
    expect(await days(newcomer)).toBe(kept);

    const back = await visit(house);
    await back.page.goto("/login");
    await signIn(back.page, email, { remember });
    await back.page.waitForURL("/account");
    expect(await days(back)).toBe(kept);
  }
});
