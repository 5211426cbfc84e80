import type { BrowserContext, Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  expectEvents,
  formSays,
  heardIn,
  openAppPage,
  serveSdk,
  showListening,
  type AppPage,
} from "../support/app-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { startSdkHouse, type SdkHouse, type SdkScene } from "../support/sdk-scene.ts";
import { listOf } from "../support/shapes.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";

/** Attack A38 on the one page that others may frame: who shows it, who hands a token in, and who hears what comes of it. */

let all: SdkHouse;
/** Of two apps in environments of their own, and of somebody whom none of them knows. */
let app: Stranger;
let neighbour: Stranger;
let evil: Stranger;
let mine: SdkScene;
beforeAll(async () => {
  all = await startSdkHouse();
  [app, neighbour, evil] = [
    await startStranger("127.0.0.1"),
    await startStranger("127.0.0.1"),
    await startStranger("127.0.0.1"),
  ];
  for (const site of [app, neighbour, evil]) serveSdk(site);
  mine = await all.scene();
  await allow(mine, [app.origin], { app_name: "Acme Secret Plans" });
  await allow(await all.scene(), [neighbour.origin]);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  for (const site of [app, neighbour, evil]) await site.stop();
  await all.stop();
});

const origin = (): string => all.house.config.origin.origin;
const formAddress = (): string => `${origin()}/connect/`;

const allow = async (scene: SdkScene, origins: readonly string[], looks = {}): Promise<void> =>
  void (await done(scene.app.patch("/environment", { connect_origins: origins, ...looks })));

const contextOf = async (): Promise<BrowserContext> => (await visit(all.house)).context;

const openIn = async (site: Stranger, sessionToken: string): Promise<AppPage> => {
  const page = await openAppPage(await contextOf(), showListening(site, "/", "<h1>An app</h1>"));
  await page.open({ baseURL: formAddress(), apiURL: origin(), sessionToken });
  return page;
};

const linksOf = async ({ app: client }: SdkScene) =>
  listOf((await done(client.get("/connections")))["connections"]);

/** The form is there, and says that it is not for this page; the page hears no more than that it is there. */
const expectRefused = async (page: AppPage): Promise<void> => {
  await formSays(page.form, "This page may not open the form");
  const text = await page.form.locator("body").innerText();
  for (const word of ["Acme", "Toggl", "Link "]) expect(text).not.toContain(word);
  expect(await page.form.getByRole("button").count()).toBe(0);
  await page.page.keyboard.press("Escape");
  expect(await page.heard()).toEqual([{ origin: origin(), data: { type: "ready" } }]);
  await expectEvents(page, ["ready"]);
  expect(page.faults).toEqual([]);
};

const framesOf = (page: Page): readonly Frame[] =>
  page.frames().filter((frame) => frame !== page.mainFrame());

describe("A38: the form is framed", () => {
  test("by nobody whom no environment names, however many frames are in between", async () => {
    const token = await mine.session();
    const framed = `<iframe src="${formAddress()}#session_token=${token}"></iframe>`;
    const embedded = `<object data="${formAddress()}"></object><embed src="${formAddress()}">`;
    const around = (address: string): string => `<iframe src="${address}"></iframe>`;
    const inApp = showListening(app, "/frames", framed);
    const inEvil = showListening(evil, "/frames", framed + embedded);
    const page = await (await contextOf()).newPage();

    // Alone, around a page of the app that would be allowed to, and inside of one.
    for (const [address, refused] of [
      [inEvil, 3],
      [showListening(evil, "/around", around(inApp)), 1],
      [showListening(app, "/around", around(inEvil)), 3],
    ] as const) {
      const failed: string[] = [];
      page.on("console", (message) => {
        if (message.text().includes("frame-ancestors")) failed.push(message.text());
      });
      await page.goto(address);
      await expect.poll(() => failed.length).toBeGreaterThanOrEqual(refused);
      page.removeAllListeners("console");
      for (const frame of framesOf(page)) expect(frame.url()).not.toContain(origin());
      const listening = framesOf(page).filter((frame) => [inApp, inEvil].includes(frame.url()));
      for (const where of [page, ...listening]) expect(await heardIn(where)).toEqual([]);
    }

    // A page of the app around another one of it: all of them are allowed.
    await page.goto(showListening(app, "/inner", around(inApp)));
    await expect.poll(() => framesOf(page).some((frame) => frame.url().startsWith(formAddress()))).toBe(true);
  });
});

describe("A38: a token is handed in", () => {
  test("by a page that another environment allows, in vain", async () => {
    const page = await openIn(neighbour, await mine.session());

    await expectRefused(page);
    expect(await linksOf(mine)).toEqual([]);
  });

  test("by a page that the environment allows and the session does not, in vain", async () => {
    const scene = await all.scene();
    await allow(scene, [app.origin, neighbour.origin]);
    const narrow = await scene.session({ tags: {}, allowed_origins: [neighbour.origin] });

    await expectRefused(await openIn(app, narrow));
    const page = await openIn(neighbour, narrow);
    await formSays(page.form, "Link an account");
    await expectEvents(page, ["ready"]);
  });

  test("by a page that the environment no longer allows, in vain", async () => {
    const scene = await all.scene();
    await allow(scene, [app.origin]);
    const token = await scene.session();
    const before = await openIn(app, token);
    await formSays(before.form, "Link an account");
    await allow(scene, [neighbour.origin]);

    await expectRefused(await openIn(app, token));
    await formSays((await openIn(neighbour, token)).form, "Link an account");
  });

  test("by anybody but the page around the form, in vain", async () => {
    const token = await mine.session();
    const own = await mine.session({ tags: {}, allowed_integrations: ["toggl"] });
    // The frame behind the one of somebody else's.
    const attackOn = (where: string): string =>
      `${where}.frames[1].postMessage({ type: "session_token", sessionToken: "${token}" }, "*")`;
    // Beside the form, in the app's page; and in the window that has opened it.
    const beside = showListening(evil, "/beside");
    const appPage = showListening(app, "/opened", `<h1>An app</h1><iframe src="${beside}"></iframe>`);
    const context = await contextOf();
    const opener = await openAppPage(context, showListening(evil, "/opener"));
    const opened = context.waitForEvent("page");
    await opener.page.evaluate(`void (window.other = open("${appPage}"))`);
    const page = await opened;
    await page.waitForLoadState("load");
    await page.evaluate(`(async () => {
      const { default: Nango } = await import("/sdk/index.js");
      window.events = [];
      window.opened = new Nango().openConnectUI({
        baseURL: "${formAddress()}", apiURL: "${origin()}", onEvent: (event) => void events.push(event),
      });
    })()`);
    await expect.poll(() => page.evaluate("events.length")).toBe(1);
    const sibling = page.frames().find((frame) => frame.url() === beside);
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(request.url()));

    await opener.page.evaluate(attackOn("other"));
    await sibling?.evaluate(attackOn("parent"));
    expect(asked).toEqual([]);
    await page.evaluate(`opened.setSessionToken("${own}")`);
    const form = page.frameLocator("#connect-ui");
    await formSays(form, "Link Toggl Track");
    await form.getByLabel("API token", { exact: true }).last().fill("0".repeat(32));
    await form.getByRole("button", { name: "Link Toggl Track" }).click();
    await expect.poll(() => page.evaluate("events.map(({ type }) => type)")).toEqual(["ready", "error"]);

    expect(asked.filter((address) => address.includes("/connect/form"))).toHaveLength(1);
    // They hear nothing: neither that the form is there, nor what comes of it.
    expect(sibling && (await heardIn(sibling))).toEqual([]);
    expect(await opener.heard()).toEqual([]);
  });
});

describe("A38: a link that another page opens", () => {
  test("is out of its reach, and tells it nothing", async () => {
    const token = await mine.session({ tags: {}, allowed_integrations: ["toggl"] });
    const context = await contextOf();
    const opener = await openAppPage(context, showListening(evil, "/opener"));
    const opened = context.waitForEvent("page");
    await opener.page.evaluate(
      `void (window.other = open("${formAddress()}#session_token=${token}", "form"))`,
    );
    const page = await opened;
    await formSays(page, "Link Toggl Track");

    expect(await page.evaluate("opener")).toBeNull();
    expect(await opener.page.evaluate("other.closed")).toBe(true);
    expect(page.url()).toBe(formAddress());
    expect(await page.getByRole("button", { name: "Close" }).count()).toBe(0);
    await page.keyboard.press("Escape");
    expect(await opener.heard()).toEqual([]);
    expect(evil.asked.filter((line) => line.includes(token))).toEqual([]);
  });
});

test("Tab goes round within the form: what it covers can't be reached by keyboard", async () => {
  const page = await openIn(
    app,
    await mine.session({ end_user: { id: "user-1" }, allowed_integrations: ["toggl"] }),
  );
  await formSays(page.form, "Link Toggl Track");
  const close = page.form.getByRole("button", { name: "Close" });
  const guide = page.form.getByRole("link", { name: /^Help with linking/ });

  await guide.focus();
  await page.page.keyboard.press("Tab");
  expect(await close.and(page.form.locator(":focus")).count()).toBe(1);
  await page.page.keyboard.press("Shift+Tab");
  expect(await guide.and(page.form.locator(":focus")).count()).toBe(1);
});
