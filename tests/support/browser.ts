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
  // No process in reserve for the next page. Sites are kept apart all the same.
  "--renderer-process-limit=1",
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

/** Of one visitor after another, unless it is one's own: a new one costs as much as four pages. */
type Profile = {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly origin: string;
  readonly isOwn: boolean;
  /** Of whoever has it now. */
  faults: string[];
};

/** Longer than a page takes on a busy machine: what is not there by then does not come. */
export const patienceMs = 30_000;

let browser: Promise<Browser> | undefined;
const inUse: Profile[] = [];
const idle: Profile[] = [];

/** Started once for all the files that this process runs, unless it died on the way. */
const launch = async (): Promise<Browser> => {
  const running = await browser?.catch(() => undefined);
  if (running?.isConnected()) return running;
  // The runner ends this process by SIGTERM and does not wait long: what Playwright does at the exit, it does at once.
  process.once("SIGTERM", () => process.exit());
  browser = chromium.launch({ executablePath: inject("chromium"), args: [...flags], handleSIGTERM: false });
  return browser;
};

const watch = (page: Page, { origin, faults }: Profile): void => {
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

const notePolicyBreaches = async (profile: Profile): Promise<void> => {
  await profile.context.exposeBinding("noteBreach", (_, breach: string) => void profile.faults.push(breach));
  await profile.context.addInitScript(`addEventListener("securitypolicyviolation", (event) => {
    noteBreach("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample);
  })`);
};

const openTab = async (context: BrowserContext): Promise<Page> => {
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  return page;
};

const openProfile = async (house: TestHouse, options?: BrowserContextOptions): Promise<Profile> => {
  const { origin } = house.config.origin;
  const context = await (await launch()).newContext({ baseURL: origin, ...options });
  const page = await openTab(context);
  const profile = { context, page, origin, isOwn: options !== undefined, faults: [] };
  await notePolicyBreaches(profile);
  return profile;
};

const enter = (profile: Profile): Visitor => {
  const { context, page, faults } = profile;
  inUse.push(profile);
  watch(page, profile);
  const tab = async (): Promise<Page> => {
    const one = await openTab(context);
    watch(one, profile);
    return one;
  };
  return { context, page, faults, tab };
};

/** Somebody of whom the browser knows nothing: no cookie, nothing remembered. */
export const visit = async (house: TestHouse): Promise<Visitor> => {
  const { origin } = house.config.origin;
  const index = idle.findIndex((profile) => profile.origin === origin);
  const [emptied] = index === -1 ? [] : idle.splice(index, 1);
  return enter(emptied ?? (await openProfile(house)));
};

/** Likewise, with a profile that nobody gets afterwards: for a clock, a slow network, scripts of the test in every page. */
export const visitAlone = async (house: TestHouse, options: BrowserContextOptions = {}): Promise<Visitor> =>
  enter(await openProfile(house, options));

/** What tests listen to. Playwright listens to other events itself. */
const heard = [
  "console",
  "dialog",
  "download",
  "framenavigated",
  "pageerror",
  "popup",
  "request",
  "response",
];

/** As it was before anybody came. A page of the house without scripts stays open: to go back to it costs nothing. */
const empty = async (profile: Profile): Promise<void> => {
  const { context, page, origin } = profile;
  for (const event of heard) await page.removeAllListeners(event, { behavior: "ignoreErrors" });
  await page.unrouteAll({ behavior: "ignoreErrors" });
  for (const other of context.pages()) if (other !== page) await other.close();
  if (!(await page.evaluate<boolean>("String(Date).includes('[native code]')"))) {
    throw new Error("Whoever sets the clock of a page needs a profile alone: visitAlone");
  }
  await context.setOffline(false);
  await page.goto(`${origin}/no/such/page`);
  await page.evaluate("localStorage.clear(); sessionStorage.clear()");
  await context.clearCookies();
  await context.clearPermissions();
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  profile.faults = [];
};

/** For `afterEach`. */
export const leave = async (): Promise<void> => {
  for (const profile of inUse.splice(0)) {
    if (profile.isOwn || profile.page.isClosed()) await profile.context.close();
    else {
      await empty(profile);
      idle.push(profile);
    }
  }
};

/** For `afterAll`: everybody has left. The browser itself waits for the next file, and ends with this process. */
export const closeBrowser = async (): Promise<void> => {
  for (const { context } of [...inUse.splice(0), ...idle.splice(0)]) await context.close();
};
