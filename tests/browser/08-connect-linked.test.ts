import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { press } from "../support/at-page.ts";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import {
  chooseShape,
  enter,
  factsOf,
  labelsOf,
  noticeOf,
  openLink,
  submit,
  titleOf,
} from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectFault, expectFocus, retype, tabTo, use } from "../support/keyboard.ts";
import { movingParts, shiftsOf, watchShifts } from "../support/layout.ts";
import { identityOf, newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** Whose account was linked, for the first time or anew, and getting there by keyboard. */

let house: TestHouse;
let upstream: Upstream;
let scene: LinkScene;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
  const connect_origins = ["https://app.example.com"];
  await done(scene.app.patch("/environment", { app_name: "Acme Time", connect_origins }));
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await upstream.stop();
});

const [ada, bob] = [newHolder(), newHolder()];

const openAt = async (session: string) => {
  const visitor = await visit(house);
  await openLink(visitor.page, session);
  return visitor;
};

const become = (page: Page, title: string): Promise<void> => expect.poll(() => titleOf(page)).toBe(title);

const linkedNow = async (): Promise<readonly unknown[]> =>
  (await scene.connections()).map(({ account }) => account);

test("success says whose account it is, and leads back to the app with the connection's names", async () => {
  scene.answers(toggl(ada));
  const redirect_url = "https://app.example.com/done?step=2#top";
  const { page, faults } = await openAt(await scene.session({ tags: {}, redirect_url }));
  await page.getByText("Acme Time would like to use your Toggl Track account.").waitFor();
  await chooseShape(page, "E-mail and password");
  await enter(page, "E-mail address", ada.email);
  await enter(page, "Password", ada.password);
  const before = await scene.connections();
  await submit(page);
  await become(page, "Toggl Track is linked");
  await expectFocus(page, "Toggl Track is linked", "h1");
  expect(await page.title()).toBe("Toggl Track is linked");
  await page.getByText("Acme Time can use this account now.").waitFor();
  expect(await factsOf(page)).toEqual({ Name: ada.name, "E-mail": ada.email, Workspace: "7" });
  const old = before.map((one) => one["connection_id"]);
  const made = (await scene.connections()).find((one) => !old.includes(one["connection_id"]));
  const back = page.getByRole("link", { name: "Back to Acme Time" });
  expect(await back.getAttribute("href")).toBe(
    `https://app.example.com/done?step=2&connection_id=${String(made?.["connection_id"])}&provider_config_key=toggl-here#top`,
  );
  expect(await page.content()).not.toContain(ada.password);
  expect(faults).toEqual([]);

  await page.reload();
  await become(page, "This link has been used");
  expect(await back.getAttribute("href")).toBe(redirect_url);
});

test("without an address to go back to the tab may be closed, and what is not known is not shown", async () => {
  const { email: _email, ...nameless } = identityOf(ada);
  scene.answers({
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...nameless, fullname: null, default_workspace_id: null }),
  });
  const { page } = await openAt(await scene.session());
  await enter(page, "API token", ada.token);
  await submit(page);
  await become(page, "Toggl Track is linked");
  expect(await factsOf(page)).toEqual({ Account: String(ada.id) });
  await page.getByText("You can close this tab now.").waitFor();
  expect(await page.getByRole("link").count()).toBe(0);
});

test("another account than before is asked about first; going back keeps what was typed", async () => {
  scene.answers(toggl(ada, bob));
  const connection = await scene.link(ada);
  const before = await linkedNow();
  const { page, faults } = await openAt(await scene.sessionFor(connection));
  await page.getByText(`Linked so far: ${ada.name}.`).waitFor();
  await enter(page, "API token", bob.token);
  await submit(page);
  await expectFocus(page, "This is a different account", "h2");
  await page.getByText("If you go on, Acme Time uses this account from now on.").waitFor();
  expect(await factsOf(page)).toEqual({
    "Linked until now": expect.stringContaining(ada.name),
    "What you just entered": expect.stringMatching(`${bob.name}\\s+${bob.email}\\s+workspace 7`),
  });
  // One thing at a time: the fields are away until they are wanted again.
  expect([await page.locator("form").isVisible(), await page.getByRole("link").count()]).toEqual([false, 0]);
  expect(await linkedNow()).toEqual(before);

  await press(page, "Go back");
  expect([await page.locator("form").isVisible(), await noticeOf(page)]).toEqual([true, []]);
  expect(await page.getByLabel("API token", { exact: true }).inputValue()).toBe(bob.token);
  await expectFocus(page, "API token", "input");

  await page.keyboard.press("Enter");
  await expectFocus(page, "This is a different account", "h2");
  await press(page, "Use the new account");
  await become(page, "Toggl Track is linked");
  expect((await factsOf(page))["Name"]).toBe(bob.name);
  const { account } = await scene.read(connection);
  expect(account).toMatchObject({ id: String(bob.id) });
  expect(faults).toEqual([]);
});

test("the same account anew is not asked about, and a confirmed one that fails says why", async () => {
  scene.answers(toggl(ada, bob));
  const connection = await scene.link(ada);
  const same = await openAt(await scene.sessionFor(connection));
  await enter(same.page, "API token", ada.token);
  await submit(same.page);
  await become(same.page, "Toggl Track is linked");

  const { page } = await openAt(await scene.sessionFor(connection));
  await enter(page, "API token", bob.token);
  await submit(page);
  await page.getByRole("heading", { name: "This is a different account" }).waitFor();
  scene.answers({ status: 500 });
  await press(page, "Use the new account");
  await page.getByText("Toggl Track does not answer").waitFor();
  expect(await page.getByRole("heading", { name: "This is a different account" }).count()).toBe(0);
  expect(await page.getByLabel("API token", { exact: true }).inputValue()).toBe(bob.token);
  expect((await scene.read(connection))["account"]).toMatchObject({ id: String(ada.id) });
});

test("a whole link by keyboard, and nothing moves by itself", async () => {
  const own = await openLinkScene(house, upstream);
  await done(own.app.post("/integrations", { provider: "slack-token", unique_key: "slack" }));
  own.answers(toggl(ada));
  const visitor = await visitAlone(house, { reducedMotion: "reduce" });
  const { page } = visitor;
  await watchShifts(page);
  await openLink(page, await own.session());
  expect(await movingParts(page)).toEqual([]);
  await expectFocus(page, "Link an account", "h1");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expectFocus(page, "Link Toggl Track", "h1");
  // One stop for the choice, which the arrows make.
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.value")).toBe("token");
  await page.keyboard.press("ArrowDown");
  expect(await labelsOf(page)).toEqual(["E-mail address", "Password"]);
  await page.keyboard.press("ArrowUp");
  await tabTo(page, "API token");
  await page.keyboard.press("Enter");
  await expectFault(page, "API token", "API token is missing.");
  await retype(page, ada.token);
  await use(page, "Show: API token", "Space");
  await use(page, "Link Toggl Track");
  await expectFocus(page, "Toggl Track is linked", "h1");
  expect(await shiftsOf(page)).toEqual([]);
});

test("a slow check is announced, and goes out once", async () => {
  const own = await openLinkScene(house, upstream);
  let answer = (): void => undefined;
  const after = new Promise<void>((resolve) => (answer = resolve));
  own.answers((asked) => ({ ...toggl(ada)(asked), after }));
  const { page } = await openAt(await own.session());
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.method()));
  await enter(page, "API token", ada.token);
  await submit(page);
  await page.getByRole("button", { name: "Checking…" }).waitFor();
  expect(await page.locator("form > [role=status]").textContent()).toBe("Checking with Toggl Track…");
  // A person's click does not wait until the button says that it may be used.
  await page.locator("form button.main").click({ force: true });
  await page.getByLabel("API token", { exact: true }).press("Enter");
  answer();
  await become(page, "Toggl Track is linked");
  expect([sent, own.asked().length, (await own.connections()).length]).toEqual([["POST"], 1, 1]);
});
