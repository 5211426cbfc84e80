import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "../support/axe.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { chooseShape, enter, factsOf, openLink, submit, titleOf } from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectFits } from "../support/layout.ts";
import { identityOf, newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** Each state of the form as axe and a ruler see it, in an environment's own looks, and with texts of strangers. */

let house: TestHouse;
let upstream: Upstream;
let scene: LinkScene;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await upstream.stop();
});

const [ada, bob] = [newHolder(), newHolder()];

/** As axe sees it, and as it lies in the narrowest window. @param dark looked at in the dark by `npm test` too */
const expectGood = async (page: Page, what: string, dark = false): Promise<void> => {
  await expectAccessible(page, { widths: [320, 1280], dark });
  await page.setViewportSize({ width: 320, height: 800 });
  await expectFits(page, `${what} at 320 px`);
};

test("everything before a try is accessible in both themes, and fits 320 px", async () => {
  const { page, faults } = await visit(house);
  await page.goto("/connect/");
  await expectGood(page, "incomplete");
  const own = await openLinkScene(house, upstream);
  await done(own.app.patch("/environment", { app_name: "Acme Time" }));
  for (const name of ["ashby", "freshdesk", "jira-basic", "posthog", "slack-token", "zendesk-api-key"]) {
    await done(own.app.post("/integrations", { provider: name, unique_key: name }));
  }
  await openLink(page, await own.session());
  await expectGood(page, "list", true);
  await page.getByRole("searchbox").fill("nothing like it");
  await expectGood(page, "nothing found");
  await openLink(page, await own.session({ tags: {}, allowed_integrations: ["zendesk-api-key"] }));
  await expectGood(page, "prefix and suffix");
  await openLink(page, await own.session({ tags: {}, allowed_integrations: ["posthog"] }));
  await expectGood(page, "choices", true);
  expect(faults).toEqual([]);
});

test("everything that comes of a try is, too", async () => {
  scene.answers(toggl(ada, bob));
  const connection = await scene.link(ada);
  const { page, faults } = await visit(house);
  await openLink(page, await scene.sessionFor(connection));
  await chooseShape(page, "E-mail and password");
  await submit(page);
  await page.locator(".fault").first().waitFor();
  await expectGood(page, "missing");
  await chooseShape(page, "API token");
  await enter(page, "API token", "short");
  await page.locator(".doubt").waitFor();
  await expectGood(page, "doubt");
  await enter(page, "API token", newHolder().token);
  await submit(page);
  await page.locator(".notice.bad").waitFor();
  await expectGood(page, "refused", true);
  scene.answers({ status: 402, headers: { "x-toggl-quota-resets-in": "1800" } });
  await submit(page);
  await page.locator(".notice.warn").waitFor();
  await expectGood(page, "quota", true);
  scene.answers(toggl(ada, bob));
  await enter(page, "API token", bob.token);
  await submit(page);
  await page.getByRole("heading", { name: "This is a different account" }).waitFor();
  await expectGood(page, "different account", true);
  await page.getByRole("button", { name: "Use the new account" }).click();
  await expect.poll(() => titleOf(page)).toBe("Toggl Track is linked");
  await expectGood(page, "linked");
  await page.reload();
  await expect.poll(() => titleOf(page)).toBe("This link has been used");
  await expectGood(page, "used");
  expect(faults).toEqual([]);
});

const contrastScript = `(() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((value) => value / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const card = getComputedStyle(document.querySelector(".card")).backgroundColor;
  const button = getComputedStyle(document.querySelector("button.main"));
  const edges = [button.backgroundColor, button.borderTopColor].filter((colour) => !/^rgba.*, 0\\)$/.test(colour));
  return {
    button: contrast(button.color, button.backgroundColor),
    link: contrast(getComputedStyle(document.querySelector(".aside a")).color, card),
    edge: Math.max(...edges.map((colour) => contrast(colour, card))),
  };
})()`;

test("whatever colours an environment has, what stands on them and in them can be read", async () => {
  const { page } = await visit(house);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const session = await scene.session();
  await openLink(page, session);
  for (const colour of ["#ffff00", "#ffffff", "#000000", "#7a7a7a", "#767676", "#17181c", "#ff8800"]) {
    await done(scene.app.patch("/environment", { light_colour: colour, dark_colour: colour }));
    await page.reload();
    await page.locator("button.main").waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const hovered of [false, true]) {
        await (hovered ? page.locator("button.main") : page.locator("h1")).hover();
        const { button, link, edge } = await page.evaluate<Record<string, number>>(contrastScript);
        const what = `${colour} ${colorScheme} ${hovered ? "hovered" : ""}`;
        expect(button, `button ${what}`).toBeGreaterThanOrEqual(4.5);
        expect(link, `link ${what}`).toBeGreaterThanOrEqual(4.5);
        expect(edge, `edge ${what}`).toBeGreaterThanOrEqual(hovered ? 1 : 3);
      }
    }
  }
});

test("the theme is the environment's, unless the app's page asks for another one", async () => {
  const own = await openLinkScene(house, upstream);
  const { page } = await visit(house);
  const isDark = async (): Promise<boolean> => {
    const background = await page.evaluate<string>(
      "getComputedStyle(document.querySelector('.card')).backgroundColor",
    );
    return background !== "rgb(255, 255, 255)";
  };
  const session = await own.session();
  const cases = [
    ["system", "", "light", false],
    ["system", "", "dark", true],
    ["dark", "", "light", true],
    ["light", "", "dark", false],
    ["dark", "?theme=light", "dark", false],
    ["light", "?theme=dark", "light", true],
    ["light", "?theme=system", "dark", true],
    ["dark", "?theme=pink", "light", true],
  ] as const;
  for (const [theme, query, machine, expected] of cases) {
    await done(own.app.patch("/environment", { theme }));
    await page.emulateMedia({ colorScheme: machine });
    await page.goto("about:blank");
    await page.goto(`/connect/${query}#session_token=${session}`);
    await page.locator("form").waitFor();
    expect(await isDark(), `${theme} ${query} ${machine}`).toBe(expected);
  }
  expect(page.url()).toBe(`${house.config.origin.origin}/connect/?theme=pink`);
});

const rightToLeft = "\u202eעברית ‎<script>alert(1)</script>";
const endless = "Wmmmmmmmmm".repeat(25);

test("texts of strangers stay texts, and stay in the card", async () => {
  const own = await openLinkScene(house, upstream);
  const html = '<img src=x onerror="document.title=1">';
  await done(own.app.patch("/environment", { app_name: `${html}${"W".repeat(20)}` }));
  const path = `/integrations/${own.integration}`;
  await done(own.app.patch(path, { display_name: `<b>${"Wide".repeat(12)}</b>` }));
  const person = (fields: object) => ({
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...identityOf(ada), ...fields }),
  });
  own.answers(person({ fullname: rightToLeft, email: `${endless}@example.com`, default_workspace_id: html }));
  const connection = await own.link(ada);
  const { page, faults } = await visit(house);
  await page.setViewportSize({ width: 320, height: 700 });
  await openLink(page, await own.sessionFor(connection));
  await expectFits(page, "a hostile form");
  own.answers(person({ id: 99, fullname: endless, email: html, default_workspace_id: rightToLeft }));
  await enter(page, "API token", ada.token);
  await submit(page);
  await page.getByRole("heading", { name: "This is a different account" }).waitFor();
  await expectFits(page, "a hostile question");
  await page.getByRole("button", { name: "Use the new account" }).click();
  await expect.poll(() => titleOf(page)).toContain("is linked");
  await expectFits(page, "a hostile answer");
  expect(await factsOf(page)).toEqual({ Name: endless, "E-mail": html, Workspace: rightToLeft });
  expect(await page.locator("img, script:not([src]):not([type]), main b").count()).toBe(0);
  expect(await page.title()).toBe(await titleOf(page));

  await done(own.app.post("/integrations", { provider: "ashby", unique_key: "ashby" }));
  await openLink(page, await own.session());
  await expectFits(page, "a hostile list");
  expect(faults).toEqual([]);
});
