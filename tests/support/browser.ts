// People in front of the pages: each has a browser profile of their own, and notices what must never happen there.

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from "playwright-core";
import { inject } from "vitest";
import type { TestHouse } from "./house.ts";

export const flags: readonly string[] = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  // The sandbox of Chromium refuses to run as root.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/** The refusals that a page shows are errors on the console too; everything else there is a fault. */
const isRefusal = (text: string): boolean => text.startsWith("Failed to load resource");

export type Visitor = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What must not have happened: breaches of the content security policy, errors of scripts, calls to other hosts. */
  readonly faults: readonly string[];
  /** One more tab of the same profile. */
  tab(): Promise<Page>;
};

let browser: Promise<Browser> | undefined;
const visitors: BrowserContext[] = [];

/** Started once for all the files that this process runs, unless it died on the way. */
const launch = async (): Promise<Browser> => {
  const running = await browser?.catch(() => undefined);
  if (running?.isConnected()) return running;
  // The runner ends this process by SIGTERM and does not wait long: what Playwright does at the exit, it does at once.
  process.once("SIGTERM", () => process.exit());
  browser = chromium.launch({ executablePath: inject("chromium"), args: [...flags], handleSIGTERM: false });
  return browser;
};

const watch = (page: Page, origin: string, faults: string[]): void => {
  page.on("console", (message) => {
    if (message.type() === "error" && !isRefusal(message.text())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (asked !== origin && !["about:", "data:", "blob:"].includes(protocol)) {
      faults.push(`asked another host: ${request.url()}`);
    }
  });
};

const notePolicyBreaches = async (context: BrowserContext, faults: string[]): Promise<void> => {
  await context.exposeBinding("noteBreach", (_, breach: string) => void faults.push(breach));
  await context.addInitScript(`addEventListener("securitypolicyviolation", (event) => {
    noteBreach("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample);
  })`);
};

/** A new profile: no cookie, nothing remembered. */
export const visit = async (house: TestHouse, options: BrowserContextOptions = {}): Promise<Visitor> => {
  const { origin } = house.config.origin;
  const context = await (await launch()).newContext({ baseURL: origin, ...options });
  visitors.push(context);
  const faults: string[] = [];
  await notePolicyBreaches(context, faults);
  const tab = async (): Promise<Page> => {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    watch(page, origin, faults);
    return page;
  };
  return { context, page: await tab(), faults, tab };
};

/** For `afterEach`. */
export const leave = async (): Promise<void> => {
  for (const context of visitors.splice(0)) await context.close();
};

/** For `afterAll`: everybody has left. The browser itself waits for the next file, and ends with this process. */
export const closeBrowser = (): Promise<void> => leave();
