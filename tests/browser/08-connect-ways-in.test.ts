import { gzipSync } from "node:zlib";
import type { Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { keepSession } from "../support/at-page.ts";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { enter, openLink, submit, titleOf } from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectFocus } from "../support/keyboard.ts";
import { byToken, newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** How somebody gets to the form, what it costs until it stands, and what becomes of a link's token on the way. */

let house: TestHouse;
let upstream: Upstream;
let stranger: Stranger;
let scene: LinkScene;
beforeAll(async () => {
  upstream = await startUpstream();
  stranger = await startStranger("127.0.0.1");
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await stranger.stop();
  await upstream.stop();
});

const requestsOf = (page: Page): readonly Request[] => {
  const requests: Request[] = [];
  page.on("request", (request) => requests.push(request));
  return requests;
};

const expectOver = async (page: Page, title: string): Promise<void> => {
  await expect.poll(() => titleOf(page)).toBe(title);
  expect([await page.title(), await page.locator("form").count()]).toEqual([title, 0]);
  await expectFocus(page, title, "h1");
};

test("one call, one script, and the form stands: under 30 KB of script, no cookie, no other host", async () => {
  const { context, page, faults } = await visit(house);
  await keepSession(context, (await house.person()).session);
  const requests = requestsOf(page);
  await openLink(page, await scene.session());
  expect(await titleOf(page)).toBe("Link Toggl Track");

  const ours = requests.filter((request) => request.url().startsWith("http"));
  const calls = ours.filter(
    (request) => !/\/connect\/(?:assets\/.*)?$/.test(new URL(request.url()).pathname),
  );
  expect(calls.map((request) => new URL(request.url()).pathname)).toEqual(["/connect/form"]);
  expect(await calls[0]?.headerValue("cookie")).toBeNull();

  const scripts = ours.filter((request) => request.resourceType() === "script");
  let size = 0;
  for (const request of scripts) size += gzipSync((await (await request.response())?.body()) ?? "").length;
  expect(scripts.length).toBeGreaterThan(0);
  expect(size).toBeLessThan(30 * 1024);
  expect(faults).toEqual([]);
});

test.for(["#", "?"])(
  "a link's token behind %s leaves the address bar, and nothing gives it away",
  async (mark) => {
    const holder = newHolder();
    const own = await openLinkScene(house, upstream);
    own.answers(toggl(holder));
    const token = await own.session();
    const { page, faults } = await visit(house);
    const requests = requestsOf(page);
    await page.goto(`/connect/${mark}session_token=${token}`);
    await page.locator("h1").waitFor();
    expect(page.url()).toBe(`${house.config.origin.origin}/connect/`);

    // A reload goes on, and so does coming back.
    await page.reload();
    await expect.poll(() => titleOf(page)).toBe("Link Toggl Track");
    await page.goto("about:blank");
    await page.goBack();
    await expect.poll(() => titleOf(page)).toBe("Link Toggl Track");

    await enter(page, "API token", holder.token);
    await submit(page);
    await expect.poll(() => titleOf(page)).toBe("Toggl Track is linked");
    const secrets = [token, holder.token];
    const shown = requests.slice(mark === "?" ? 1 : 0).flatMap((request) => {
      const { referer = "" } = request.headers();
      return [request.url(), referer];
    });
    for (const secret of secrets) {
      expect(shown.join("\n")).not.toContain(secret);
      expect(house.logs.join("")).not.toContain(secret);
      expect(await page.evaluate("Object.values({ ...localStorage, ...sessionStorage }).join()")).toBe("");
    }
    await page.reload();
    await expectOver(page, "This link has been used");
    expect(faults).toEqual([]);
  },
);

test("what is no link, or is none any more, says so and what to do", async () => {
  const { page } = await visit(house);
  const requests = requestsOf(page);
  await page.goto("/connect/");
  await expectOver(page, "This link is not complete");
  await openLink(page, "");
  await expectOver(page, "This link is not complete");
  expect(requests.filter((request) => request.url().includes("/connect/form"))).toEqual([]);

  await openLink(page, `nango_connect_session_${"0".repeat(64)}`);
  await expectOver(page, "This link is not valid any more");

  const deleted = await scene.session();
  await house.send("DELETE", "/connect/session", { headers: { authorization: `Bearer ${deleted}` } });
  await openLink(page, deleted);
  await expectOver(page, "This link is not valid any more");

  const used = await scene.session();
  const holder = newHolder();
  scene.answers(toggl(holder));
  await done(scene.submit(used, byToken(holder)));
  await openLink(page, used);
  await expectOver(page, "This link has been used");
  // Nobody who finds the link hears whose account it was.
  expect(await page.content()).not.toContain(holder.name);

  const empty = await openLinkScene(house, upstream);
  await done(empty.app.delete(`/integrations/${empty.integration}`));
  await openLink(page, await empty.session());
  await expectOver(page, "There is nothing to link yet");
});

test("a link that runs out while it is open says so", async () => {
  const passing = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  const own = await openLinkScene(passing, upstream);
  const { page } = await visit(passing);
  await openLink(page, await own.session());
  passing.clock.advance(31 * 60_000);
  await enter(page, "API token", newHolder().token);
  await submit(page);
  await expectOver(page, "This link is not valid any more");
  expect(own.asked()).toEqual([]);
});

test("without the server the form can be asked for again", async () => {
  const { page } = await visit(house);
  await page.route("**/connect/form*", (route) => route.abort());
  await openLink(page, await scene.session());
  await expectOver(page, "There is no connection to the server");
  await page.getByRole("button", { name: "Try again" }).click();
  await expectOver(page, "There is no connection to the server");
  await page.unroute("**/connect/form*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect.poll(() => titleOf(page)).toBe("Link Toggl Track");
});

test("another link in the same tab opens another form", async () => {
  const { page } = await visit(house);
  const other = await openLinkScene(house, upstream);
  await done(other.app.patch(`/integrations/${other.integration}`, { display_name: "Time of the office" }));
  await openLink(page, await scene.session());
  expect(await titleOf(page)).toBe("Link Toggl Track");
  const token = await other.session();
  await page.evaluate(`location.hash = "session_token=${token}"`);
  await expect.poll(() => titleOf(page).catch(() => "")).toBe("Link Time of the office");
  expect(page.url()).not.toContain(token);
});

test("a frame whose page hands nothing in gives up after ten seconds, and can be left", async () => {
  const { page } = await visitAlone(house);
  await page.clock.install();
  await page.goto(
    stranger.show(
      "/silent",
      `<script>window.heard = []; addEventListener("message", ({ data }) => heard.push(data));</script>
       <iframe src="${house.config.origin.origin}/connect/" width="400" height="600"></iframe>`,
    ),
  );
  const frame = page.frameLocator("iframe");
  await expect.poll(() => page.evaluate("heard")).toEqual([{ type: "ready" }]);
  await page.clock.runFor(9000);
  expect(await frame.getByRole("heading").allInnerTexts()).toEqual(["One moment…"]);
  await page.clock.runFor(2000);
  await frame.getByRole("heading", { name: "The app did not answer" }).waitFor();
  await frame.getByRole("button", { name: "Close" }).click();
  await expect.poll(() => page.evaluate("heard")).toEqual([{ type: "ready" }, { type: "close" }]);
});
