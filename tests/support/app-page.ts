// An app's page on an origin of its own. It opens the form with the original's published SDK, and notes all that it hears.

import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Frame, FrameLocator, Page } from "playwright-core";
import { expect } from "vitest";
import { patienceMs } from "./browser.ts";
import type { Stranger } from "./stranger.ts";

const folder = dirname(fileURLToPath(import.meta.resolve("@nangohq/frontend")));
const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));

/** What the page hears, from whomever. */
const ears = `<script>
  window.heard = [];
  addEventListener("message", ({ data, origin }) => heard.push({ origin, data }));
</script>`;

export type OpenedWith = {
  readonly baseURL: string;
  readonly apiURL: string;
  readonly sessionToken?: string;
  readonly lang?: string;
  readonly themeOverride?: string;
  readonly detectClosedAuthWindow?: boolean;
};

export type Heard = { readonly origin: string; readonly data: unknown };

export type AppPage = {
  readonly page: Page;
  /** What the SDK has put above the page. */
  readonly form: FrameLocator;
  /** `openConnectUI` of the SDK. */
  open(options: OpenedWith): Promise<void>;
  /** `setSessionToken` of what was opened. */
  handIn(token: string): Promise<void>;
  /** What the app was told by `onEvent`. */
  events(): Promise<readonly unknown[]>;
  /** Every message that came to the page, by whichever way. */
  heard(): Promise<readonly Heard[]>;
  /** Sends it to what was opened, as a script of the page could. @param message an expression */
  post(message: string): Promise<void>;
  /** The addresses that the page and everything in it asked for since it was opened. */
  readonly asked: readonly string[];
  /** What went wrong in the scripts of page and form. */
  readonly faults: readonly string[];
};

/** Serves the SDK beside the pages of a site. */
export const serveSdk = (site: Stranger): void => {
  for (const name of scripts) site.serveScript(`/sdk/${name}`, readFileSync(`${folder}/${name}`, "utf8"));
};

/** A page of the site that listens. @returns its address */
export const showListening = (
  site: Stranger,
  path: string,
  html = "",
  headers: Readonly<Record<string, string>> = {},
): string => site.show(path, ears + html, headers);

/** What a listening page, or one in a frame, has heard so far. */
export const heardIn = (where: Page | Frame): Promise<readonly Heard[]> => where.evaluate("window.heard");

/** Opens a page of the site, made by `showListening`, in a tab of its own. */
export const openAppPage = async (context: BrowserContext, address: string): Promise<AppPage> => {
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const asked: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => void asked.push(request.url()));
  page.on("pageerror", (error) => void faults.push(String(error)));
  page.on("console", (message) => {
    const isRefusal = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isRefusal) faults.push(message.text());
  });
  await page.goto(address);
  return {
    page,
    form: page.frameLocator("#connect-ui"),
    open: (options) =>
      page.evaluate(`(async () => {
        const { default: Nango } = await import("/sdk/index.js");
        window.events = [];
        window.opened = new Nango().openConnectUI({
          ...${JSON.stringify(options)},
          onEvent: (event) => void events.push(event),
        });
      })()`),
    handIn: (token) => page.evaluate(`opened.setSessionToken(${JSON.stringify(token)})`),
    events: () => page.evaluate("window.events"),
    heard: () => heardIn(page),
    post: (message) =>
      page.evaluate(`document.getElementById("connect-ui").contentWindow.postMessage(${message}, "*")`),
    asked,
    faults,
  };
};

/** The form has this heading. */
export const formSays = (form: FrameLocator | Page, name: string): Promise<void> =>
  form.getByRole("heading", { name, exact: true }).waitFor();

/** The app has been told of these, and of nothing else, in this order. */
export const expectEvents = (app: AppPage, types: readonly string[]): Promise<void> =>
  expect.poll(() => app.page.evaluate("events.map(({ type }) => type)")).toEqual(types);
