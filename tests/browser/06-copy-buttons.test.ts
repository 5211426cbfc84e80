import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { keepSession, press, ready } from "../support/at-page.ts";
import { closeBrowser, leave, visitAlone, type Visitor } from "../support/browser.ts";
import { curls } from "../support/curl.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";

let house: TestHouse;
let once: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
  once = await startHouse({ ...roomy, LATCHKEY_REVEAL_TOKEN: "false" });
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

/** Every sign that a shell would take for its own, and that an address may have. */
const email = "o'neil$(id)`id`&|#*?{a,b}~!=/+%^_-@example.com".replaceAll(/[(),]/g, "");

const atTokens = async (of: TestHouse, person: Person, permissions: string[]): Promise<Visitor> => {
  const visitor = await visitAlone(of, { permissions });
  await keepSession(visitor.context, person.session);
  await visitor.page.goto("/account/tokens");
  await ready(visitor.page);
  return visitor;
};

const copied = (page: Page): Promise<string> => page.evaluate("navigator.clipboard.readText()");

/** Presses the copy button of this thing. @returns what is on the clipboard then */
const copy = async (page: Page, what: string, nth = 0): Promise<string> => {
  await page.evaluate("navigator.clipboard.writeText('')");
  await page
    .getByRole("button", { name: `Copy ${what}`, exact: true })
    .nth(nth)
    .click();
  await page.getByText(`Copied: ${what}`, { exact: true }).nth(0).waitFor();
  // The button before it may say the same for a moment still.
  await expect.poll(() => copied(page)).not.toBe("");
  return copied(page);
};

const run = promisify(execFile);

/** The words that a real shell makes of the line behind `curl`. */
const words = async (line: string): Promise<readonly string[]> => {
  const script = `curl() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n${line}`;
  const { stdout } = await run("/bin/sh", ["-c", script]);
  return stdout.trimEnd().split("\n");
};

const both = ["clipboard-read", "clipboard-write"];

test("each copy button copies what it says, and the copied lines work in a terminal", async () => {
  const person = await house.person(email);
  const token = await house.tokenOf(person);
  const { page, faults } = await atTokens(house, person, both);
  const me = `${house.config.origin.origin}/api/v9/me`;

  // Masked, and copied all the same; what is copied is not shown for that.
  expect(await copy(page, "API token", 0)).toBe(token);
  expect(await copy(page, "API token", 1)).toBe(token);
  expect(await copy(page, "the word api_token, exactly as it stands")).toBe("api_token");
  expect(await copy(page, "Email")).toBe(email);
  const byToken = await copy(page, "curl line with token");
  const byEmail = await copy(page, "curl line with email");
  expect(await page.content()).not.toContain(token);

  expect(await words(byToken)).toEqual(["-u", `${token}:api_token`, me]);
  expect(await words(byEmail)).toEqual(["-u", email, me]);
  for (const [name, curl] of curls) {
    // The second one asks for the password, which a test gives beside the address.
    for (const pair of [`${token}:api_token`, `${email}:${person.password}`]) {
      expect(await curl(["-i", "-u", pair, me]), name).toMatch(/^HTTP\/1\.1 200/);
    }
  }

  await press(page, "Show API token");
  await page.getByText(token, { exact: true }).first().waitFor();
  expect(await copy(page, "API token")).toBe(token);
  expect(await page.getByText(byToken, { exact: true }).count()).toBe(1);
  expect(faults).toEqual([]);
});

test("after a replacement every button copies the new token", async () => {
  const person = await house.person();
  const old = await house.tokenOf(person);
  const { page, faults } = await atTokens(house, person, both);
  expect(await copy(page, "API token")).toBe(old);

  await press(page, "Replace…");
  await press(page, "Replace the token");
  await page.getByText("This is your new token.", { exact: false }).waitFor();

  const token = await house.tokenOf(person);
  expect(await copy(page, "API token", 0)).toBe(token);
  expect(await copy(page, "API token", 1)).toBe(token);
  expect(await words(await copy(page, "curl line with token"))).toContain(`${token}:api_token`);
  expect(faults).toEqual([]);
});

test("where tokens are shown once, there is nothing to copy but what stands there", async () => {
  const person = await once.person();
  const { page, faults } = await atTokens(once, person, both);
  expect(await page.getByRole("button", { name: "Show API token" }).count()).toBe(0);
  expect(await copy(page, "API token")).toBe("<API token>");

  await press(page, "Replace…");
  await press(page, "Replace the token");
  await page.getByText("Copy it now: it is not shown again.", { exact: false }).waitFor();
  const token = await copy(page, "API token", 0);
  expect((await once.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(200);
  expect(await words(await copy(page, "curl line with token"))).toContain(`${token}:api_token`);

  await page.reload();
  await ready(page);
  expect(await page.content()).not.toContain(token);
  expect(faults).toEqual([]);
});

test("a clipboard that refuses is told of, to readers of screens too, and nothing else breaks", async () => {
  const person = await house.person();
  const { page, context, faults } = await atTokens(house, person, []);
  // Nothing is granted, not even what a press of a button allows.
  await context.grantPermissions([]);

  const button = page.getByRole("button", { name: "Copy Email", exact: true });
  await button.click();

  await page.getByText("Not copied", { exact: false }).first().waitFor();
  await page.getByText("Could not copy: Email. Select it and copy it by hand.", { exact: true }).waitFor();
  expect(await page.getByText("Copied:", { exact: false }).count()).toBe(0);
  // And after a moment it is the button that it was.
  await button.waitFor();
  await press(page, "Show API token");
  await page
    .getByText(await house.tokenOf(person), { exact: true })
    .first()
    .waitFor();
  expect(faults).toEqual([]);
});
