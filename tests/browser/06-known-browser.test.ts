import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { closeBrowser, leave, visitAlone } from "../support/browser.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_SIGN_UPS: "1000" });
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const email = "ada@example.com";
const password = "a quiet river at noon";

test("whoever signed in in this browser before is let in while strangers guess, and others have to wait", async () => {
  const [home, away] = [await visitAlone(house), await visitAlone(house)];
  await house.person(email, password);
  const signIn = async ({ page }: typeof home): Promise<void> => {
    await page.goto("/login");
    await page.getByLabel("Email", { exact: true }).fill(email);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  await signIn(home);
  await home.page.waitForURL("/account");
  const kept = await home.page.context().cookies();
  expect(kept.find(({ name }) => name === "__Host-latchkey-device")).toMatchObject({
    path: "/",
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
  });
  await home.page.getByRole("button", { name: "Sign out", exact: true }).click();
  await home.page.waitForURL((url) => url.pathname !== "/account");

  for (let guess = 0; guess < 12; guess += 1) {
    await house.send("POST", "/api/sessions", { json: { email, password: `guess number ${guess}` } });
  }
  await signIn(away);
  await away.page.getByText("Too many wrong passwords for this address.", { exact: false }).waitFor();
  await signIn(home);
  await home.page.waitForURL("/account");
});
