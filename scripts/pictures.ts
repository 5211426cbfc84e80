// Makes the pictures of the README and of the guides from the pages as they are: npm run pictures

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { compose } from "#app/compose.ts";
import { serve } from "#app/server.ts";
import type { Connect } from "#connect";
import { systemClock } from "#kernel/clock.ts";
import { loadConfig } from "#kernel/config.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { findChromium } from "../tests/support/chromium.ts";
import { freePort } from "../tests/support/free-port.ts";

const folder = new URL("../docs/pictures/", import.meta.url);
/** What the pages show of the address is what a reader of the README has, whichever port the server got. */
const origin = "http://localhost:3000";

const openPage = async (
  browser: Browser,
  options: {
    readonly width: number;
    readonly height: number;
    readonly dark?: boolean;
    /** Of another page: whoever is signed in there is signed in here. */
    readonly storageState?: Awaited<ReturnType<BrowserContext["storageState"]>>;
  },
): Promise<Page> => {
  const { width, height, dark = false, storageState } = options;
  const context = await browser.newContext({
    ...(storageState ? { storageState } : {}),
    baseURL: origin,
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    deviceScaleFactor: 2,
  });
  return context.newPage();
};

/** @param whole also what the window does not show */
const keep = (page: Page, name: string, { whole = false } = {}): Promise<Buffer> =>
  page.screenshot({ path: new URL(`${name}.png`, folder).pathname, fullPage: whole, animations: "disabled" });

const drawSignIn = async (browser: Browser): Promise<void> => {
  const page = await openPage(browser, { width: 420, height: 620, dark: true });
  await page.goto("/login");
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill("a quiet river at noon");
  await keep(page, "sign-in");
};

const openToken = async (page: Page): Promise<void> => {
  await page.goto("/account/tokens");
  await page.getByRole("heading", { name: "Link this account elsewhere" }).waitFor();
};

/** What a guide shows is as wide as its column, and in the reader's theme. */
const drawTokenForGuide = async (browser: Browser, signedIn: Page): Promise<void> => {
  const storageState = await signedIn.context().storageState();
  for (const dark of [false, true]) {
    const page = await openPage(browser, { width: 704, height: 416, dark, storageState });
    await openToken(page);
    await keep(page, `account-token${dark ? "-dark" : ""}`);
  }
};

const drawToken = async (browser: Browser): Promise<void> => {
  const page = await openPage(browser, { width: 1080, height: 760 });
  await page.goto("/signup");
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("Password", { exact: true }).fill("a quiet river at noon");
  await page.getByLabel("I accept").check();
  await page.getByRole("button", { name: "Create account" }).click();
  await page.waitForURL("/account?notice=welcome");
  await openToken(page);
  await keep(page, "api-token");
  await drawTokenForGuide(browser, page);
};

/** The link that an app would send somebody to, for an account at Toggl Track. */
const connectLink = async ({ use }: Connect): Promise<string> => {
  const environment = "dev";
  await use.changeEnvironment({ environment, body: { app_name: "Weekly Reports" } });
  await use.createIntegration({ environment, body: { provider: "toggl", unique_key: "toggl" } });
  const body = { end_user: { id: "ada" }, allowed_integrations: ["toggl"] };
  return (await use.createConnectSession({ environment, body })).connect_link;
};

const drawForm = async (browser: Browser, link: string): Promise<void> => {
  for (const dark of [false, true]) {
    const page = await openPage(browser, { width: 480, height: 400, dark });
    for (const [shape, name] of [
      [/^API token/, "connect-form-token"],
      [/^E-mail and password/, "connect-form-password"],
    ] as const) {
      await page.goto(link);
      await page.getByRole("radio", { name: shape }).check();
      // Neither the mouse nor the focus is to be seen.
      await page.mouse.move(0, 0);
      await page.getByRole("heading", { name: "Link Toggl Track" }).focus();
      await keep(page, `${name}${dark ? "-dark" : ""}`, { whole: true });
    }
  }
};

const data = await mkdtemp(join(tmpdir(), "latchkey-pictures-"));
const port = await freePort();
const config = loadConfig(
  { LATCHKEY_DATA: data, LATCHKEY_PORT: String(port), LATCHKEY_ORIGIN: origin },
  false,
);
const log = createLog({ level: "error", clock: systemClock });
const house = await compose(config, log);
const server = await serve(house, log);
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: [
    `--host-resolver-rules=MAP localhost:3000 127.0.0.1:${port}`,
    "--disable-background-networking",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ],
});
try {
  await mkdir(folder, { recursive: true });
  await drawSignIn(browser);
  await drawToken(browser);
  await drawForm(browser, await connectLink(house.connect));
} finally {
  await browser.close();
  await server.stop();
  await rm(data, { recursive: true, force: true });
}
