import type { FrameLocator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { heading, press, ready, signedInAt, signUp } from "../support/at-page.ts";
import { expectAccessible } from "../support/axe.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { connectClient, done, environmentKey } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectFits } from "../support/layout.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const formIn = (page: Page): FrameLocator => page.frameLocator("iframe");
const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.textContent");
const isOpen = (page: Page): Promise<boolean> => page.locator("dialog[open]").isVisible();

const expectFitsAt320 = async (page: Page, what: string): Promise<void> => {
  await page.setViewportSize({ width: 320, height: 640 });
  await expectFits(page, what);
};

/** Pastes a token into the form and sees it linked. */
const linkBy = async (page: Page, token: string): Promise<void> => {
  const form = formIn(page);
  await form.getByRole("textbox", { name: "API token" }).fill(token);
  await form.getByRole("button", { name: "Link Latchkey" }).click();
  await form.getByRole("heading", { name: "Latchkey is linked" }).waitFor();
  await form.getByRole("button", { name: "Finish" }).click();
  await page.getByText("The account is linked.").waitFor();
  await expect.poll(() => isOpen(page)).toBe(false);
};

test("link, see the answer, lose the token, link anew, unlink", async () => {
  const { page, person, faults, context } = await signedInAt(house, "/");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("link", { name: "Try Connect with this account" }).click();
  await page.waitForURL("/connect/demo");
  await ready(page);
  await heading(page, "Try Connect");
  await expectAccessible(page);
  await expectFitsAt320(page, "nothing linked");

  await press(page, "Copy API token");
  await page.getByText("Copied: API token").waitFor({ state: "attached" });
  const token = await page.evaluate<string>("navigator.clipboard.readText()");
  expect(token).toBe(await house.tokenOf(person));

  // Whoever says in the form's place that something was linked is not heard.
  await press(page, "Open the form");
  await formIn(page).getByRole("heading", { name: "Link Latchkey" }).waitFor();
  await page.evaluate(
    `postMessage({ type: "connect", payload: {} }, "*"); postMessage({ type: "close" }, "*")`,
  );
  await expectFitsAt320(page, "the form");
  await formIn(page).getByRole("button", { name: "Close" }).click();
  await expect.poll(() => isOpen(page)).toBe(false);
  expect(await focused(page)).toBe("Open the form");
  expect(await page.getByText("The account is linked.").count()).toBe(0);

  await page.keyboard.press("Enter");
  await linkBy(page, token);
  expect(await page.content()).not.toContain(token);
  await page.getByText("Works", { exact: true }).waitFor();
  await page.getByText("Answer of /api/v9/me, with status 200").waitFor();
  const answer = await page.locator(".answer pre").textContent();
  expect(JSON.parse(answer ?? "")).toMatchObject({ email: person.email, api_token: "not shown here" });
  expect(await page.getByText("curl http").textContent()).toMatch(
    /^curl http:\/\/localhost:\d+\/proxy\/api\/v9\/me -H "Authorization: Bearer \$KEY" -H 'Provider-Config-Key: latchkey' -H 'Connection-Id: [\w-]+'$/,
  );
  await expectAccessible(page, { dark: true });
  await expectFitsAt320(page, "linked");

  await house.send("POST", "/api/v9/me/reset_token", { session: person.session });
  await press(page, "Call again");
  await page.getByText("Answer of /api/v9/me, with status 403").waitFor();
  await page.getByText("The API does not take the credentials any more.", { exact: false }).waitFor();
  await page.getByText("Fails", { exact: true }).waitFor();
  await press(page, "Call again");
  await page.getByText("the API was not asked", { exact: false }).waitFor();
  await expectFitsAt320(page, "failing");

  await press(page, "Link anew");
  await linkBy(page, await house.tokenOf(person));
  await page.getByText("Works", { exact: true }).waitFor();
  await page.getByText("Answer of /api/v9/me, with status 200").waitFor();

  await page.reload();
  await ready(page);
  await page.getByText("Answer of /api/v9/me, with status 200").waitFor();
  await press(page, "Unlink");
  await page.getByText("Unlinked.", { exact: false }).waitFor();
  await page.getByText("Link your account first.").waitFor();
  expect(faults).toEqual([]);
});

test("without the integration the page says what to do", async () => {
  const other = await startHouse();
  const app = connectClient(other, await environmentKey(other));
  await done(app.delete("/integrations/latchkey"));
  const { page, faults } = await signedInAt(other, "/connect/demo");

  await heading(page, "There is nothing to try here");
  await page.getByText("integration create latchkey --provider latchkey", { exact: false }).waitFor();
  expect(await page.getByRole("button", { name: "Open the form" }).count()).toBe(0);
  await expectFitsAt320(page, "nothing to try");
  expect(faults).toEqual([]);
});

test("somebody who has no account yet gets here by way of signing up", async () => {
  const { page, faults } = await visit(house);
  await page.goto("/connect/demo");
  await page.waitForURL("/login?next=/connect/demo");
  await ready(page);
  await page.getByRole("link", { name: "Sign up" }).click();
  await ready(page);
  await signUp(page, `new-${crypto.randomUUID()}@example.com`);

  await page.waitForURL("/connect/demo");
  await heading(page, "Try Connect");
  expect(faults).toEqual([]);
});
