import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { openLink, titleOf } from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** Where there is more than one thing to link: which there are, and finding one of many. */

let house: TestHouse;
let upstream: Upstream;
let scene: LinkScene;
const others = ["jira-basic", "ashby", "freshdesk", "posthog", "zendesk-api-key", "slack-token"];
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
  for (const name of others) {
    await done(scene.app.post("/integrations", { provider: name, unique_key: name }));
  }
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await upstream.stop();
});

const few = ["slack-token", "toggl-here", "jira-basic"];

test("several: their marks, what is linked already, and the way back", async () => {
  const holder = newHolder();
  scene.answers(toggl(holder));
  await scene.link(holder, { end_user: { id: "u-9" } });
  const { page, faults } = await visit(house);
  await openLink(page, await scene.session({ end_user: { id: "u-9" }, allowed_integrations: few }));
  expect([await titleOf(page), await page.getByRole("searchbox").count()]).toEqual(["Link an account", 0]);
  await page.getByText("Choose what the app may use.").waitFor();
  const rows = page.locator(".integrations button");
  // In the order in which the app set them up, with initials in place of the providers' own logos.
  expect(await rows.allTextContents()).toEqual(["TTToggl TrackLinked", "JIJira", "SLSlack"]);
  expect(await page.locator(".mark:not([aria-hidden=true])").count()).toBe(0);
  await rows.filter({ hasText: "Jira" }).click();
  expect([await titleOf(page), await page.title()]).toEqual(["Link Jira", "Link Jira"]);
  await page.getByRole("button", { name: "Back" }).click();
  expect([await titleOf(page), await page.title()]).toEqual(["Link an account", "Link an account"]);

  // Somebody else has linked nothing.
  await openLink(page, await scene.session({ end_user: { id: "u-10" }, allowed_integrations: few }));
  expect(await page.locator(".tag").count()).toBe(0);
  expect(faults).toEqual([]);
});

test("more than six can be searched, and what is found is announced", async () => {
  const { page } = await visit(house);
  await openLink(page, await scene.session({ tags: {}, allowed_integrations: others }));
  expect(await page.getByRole("searchbox").count()).toBe(0);
  await openLink(page, await scene.session());
  const search = page.getByRole("searchbox", { name: "Search" });
  const status = page.getByRole("status");
  const rows = page.locator(".integration-name");
  expect([await rows.count(), await status.textContent()]).toEqual([7, ""]);
  await search.fill(" SLACK");
  expect([await rows.allInnerTexts(), await status.textContent()]).toEqual([["Slack"], "1 found"]);
  await search.fill("s");
  expect([await rows.count(), await status.textContent()]).toEqual([5, "5 found"]);
  await search.fill("<b>zz");
  expect([await rows.count(), await status.innerText()]).toEqual([0, "Nothing here is called “<b>zz”."]);
  await search.fill("");
  expect([await rows.count(), await status.textContent()]).toEqual([7, ""]);
});
