import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { heading, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";
import { noteWrites } from "../support/troubles.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(path);
  await ready(page);
};

const alert = (page: Page, text: string): Promise<void> =>
  page.getByRole("alert").getByText(text, { exact: false }).waitFor();

describe("a code from a mail", () => {
  const refused = {
    "/reset": "This code is not valid, or not any more. Ask for a new one.",
    "/verify": "This code is not valid, or not any more. Ask for a new one.",
    "/undo-close":
      "This code is not valid, or not any more. Use the one in the mail about closing your account.",
  } as const;
  const buttons = {
    "/reset": "Set the password",
    "/verify": "Confirm",
    "/undo-close": "Take it back",
  } as const;

  const done = {
    "/reset": "Profile",
    "/verify": "Your address is confirmed",
    "/undo-close": "Your account is yours again",
  } as const;

  const codeFor = async (path: keyof typeof buttons): Promise<string> => {
    const { email, session } = await house.person();
    if (path === "/reset") await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    if (path === "/undo-close") await house.send("POST", "/api/me/close_account/track", { session });
    const subject = {
      "/reset": "Reset your password",
      "/verify": "Confirm your e-mail address",
      "/undo-close": "Your account was closed",
    }[path];
    return codeIn(await house.mailTo(email, subject));
  };

  const enter = async (page: Page, path: keyof typeof buttons, code: string): Promise<void> => {
    // A new document: only the fragment of the address differs.
    await page.goto("about:blank");
    await open(page, `${path}#${code}`);
    if (path !== "/verify") await type(page, { "New password": "another river at dusk" });
    await press(page, buttons[path]);
  };

  test.for(["/reset", "/verify", "/undo-close"] as const)(
    "%s refuses used and garbled ones, and keeps what was typed",
    async (path) => {
      const { page, faults } = await visit(house);
      const used = await codeFor(path);
      await enter(page, path, used);
      await heading(page, done[path]);
      await page.context().clearCookies();

      for (const code of [
        used,
        `${used.slice(0, 25)}${used.endsWith("0") ? "1" : "0"}`,
        "0".repeat(26),
        "nothing",
      ]) {
        await enter(page, path, code);
        await alert(page, refused[path]);
        expect(await page.getByLabel("Code", { exact: true }).inputValue()).toBe(code);
      }
      const writes = noteWrites(page);
      for (const typed of ["../../sessions", "?x=1#y", "..", "%2e%2e/%2e%2e", "<b>", "x".repeat(64)]) {
        await page.getByLabel("Code", { exact: true }).fill(typed);
        await press(page, buttons[path]);
        await alert(page, refused[path]);
      }
      // Whatever is typed stays in its place of the path.
      for (const write of writes) expect(write).toMatch(/^POST \/api\/me\/[a-z_]+\/(?:confirm|undo)\/[^/]*$/);
      expect(faults).toEqual([]);
    },
  );

  test("a code that is too old is refused like a wrong one", async () => {
    const { page, faults } = await visit(house);
    const code = await codeFor("/reset");
    house.clock.advance(30 * 60_000 + 1);

    await enter(page, "/reset", code);

    await alert(page, refused["/reset"]);
    await page.getByRole("link", { name: "Ask for one" }).click();
    await page.waitForURL("/forgot");
    expect(faults).toEqual([]);
  });

  test("a code may be typed in capitals, with hyphens, and with white space around it", async () => {
    const { page, faults } = await visit(house);
    const code = await codeFor("/verify");
    await open(page, "/verify");
    const written = ` ${code.toUpperCase().replaceAll(/(.{5})/g, "$1-")} `;
    await type(page, { Code: written });
    await press(page, "Confirm");

    await heading(page, "Your address is confirmed");
    expect(faults).toEqual([]);
  });

  test.for(["/reset", "/verify", "/undo-close"] as const)(
    "is filled in on %s also where the page stands already, and leaves the address",
    async (path) => {
      const { page, faults } = await visit(house);
      await open(page, path);
      for (const code of ["0".repeat(26), "1".repeat(26)]) {
        await page.evaluate(`location.assign("${path}#${code}")`);
        await expect.poll(() => page.getByLabel("Code", { exact: true }).inputValue()).toBe(code);
        expect(page.url()).toBe(house.config.origin.origin + path);
      }
      expect(faults).toEqual([]);
    },
  );
});
