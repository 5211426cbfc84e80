import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { chooseShape, enter, expectNotice, faultsOf, openLink, submit, titleOf } from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import { expectFault } from "../support/keyboard.ts";
import {
  byToken,
  identityOf,
  newHolder,
  openLinkScene,
  toggl,
  type LinkScene,
} from "../support/link-scene.ts";
import { startUpstream, type Script, type Upstream } from "../support/upstream.ts";

/** What comes of a try that links nothing, in words for a person, and with everything that was typed still there. */

let house: TestHouse;
let upstream: Upstream;
let scene: LinkScene;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  scene = await openLinkScene(house, upstream);
});
beforeEach(() => {
  // A provider that said when to come back is not asked before, whoever's link it is.
  house.clock.advance(hour);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await upstream.stop();
});

const { token } = newHolder();
const stillHere = "What you typed is still here.";

/** One integration: the form itself, and no list. */
const newSession = (integration = scene.integration): Promise<string> =>
  scene.session({ tags: {}, allowed_integrations: [integration] });

const open = async (session?: string) => {
  const visitor = await visit(house);
  await visitor.page.clock.install();
  await openLink(visitor.page, session ?? (await newSession()));
  return visitor;
};

const typed = (page: Page, label = "API token"): Promise<string> =>
  page.getByLabel(label, { exact: true }).inputValue();

const html: Script = { headers: { "content-type": "text/html" }, body: "<!doctype html><p>Maintenance" };

test("each outcome is told once, with what to do, and blames nobody for the provider's trouble", async () => {
  const before = await scene.connections();
  const { page, faults } = await open();
  await enter(page, "API token", token);
  const cases: readonly (readonly [Script, tone: "bad" | "warn", ...lines: readonly string[]])[] = [
    [
      { status: 403 },
      "bad",
      "Toggl Track did not accept this",
      "Check that the token or the password is complete. If you sign in with Google, Apple or your company's account, you have no Toggl password: use the API token.",
      stillHere,
    ],
    [{ status: 401 }, "bad", "Toggl Track did not accept this", "Check it and try again.", stillHere],
    [
      { status: 500 },
      "warn",
      "Toggl Track does not answer",
      "This is not your fault. Try again in a few minutes.",
      stillHere,
    ],
    [
      { instead: "reset" },
      "warn",
      "Toggl Track does not answer",
      "This is not your fault. Try again in a few minutes.",
      stillHere,
    ],
    [
      html,
      "warn",
      "Toggl Track gave an answer that we don’t understand",
      "This is not your fault. Try again later; if it stays like this, tell the app’s support.",
      stillHere,
    ],
    [
      { status: 429, headers: { "x-toggl-quota-resets-in": "600" } },
      "warn",
      "Toggl Track is too busy to check this",
      "This has nothing to do with what you typed. Try again in a moment.",
      stillHere,
      "You can try again in 10 minutes.",
    ],
  ];
  for (const [script, tone, ...lines] of cases) {
    scene.answers(script);
    await submit(page);
    await expectNotice(page, ...lines);
    expect(await page.locator(`.notice.${tone}`).count(), lines[0]).toBe(1);
    expect([await typed(page), await faultsOf(page), await titleOf(page)]).toEqual([
      token,
      {},
      "Link Toggl Track",
    ]);
  }
  expect([await scene.connections(), faults]).toEqual([before, []]);
});

test("what the provider says of when is counted down", async () => {
  const { page } = await open();
  await page.setViewportSize({ width: 375, height: 600 });
  await enter(page, "API token", token);
  scene.answers({ status: 402, headers: { "x-toggl-quota-resets-in": "600" } });
  await submit(page);
  await expectNotice(
    page,
    "Toggl Track allows no more checks for now",
    "Toggl counts these checks, and the hour's allowance of this account is used up. Your details may well be right: try again later.",
    stillHere,
    "You can try again in 10 minutes.",
  );
  const wait = page.getByText("You can try again");
  // On a phone it is in sight, wherever the button was.
  const lowest = "document.querySelector('.notice').getBoundingClientRect().bottom";
  await expect.poll(() => page.evaluate<number>(lowest)).toBeLessThanOrEqual(600);
  // Screen readers are not told of every second.
  expect(await wait.getAttribute("aria-live")).toBe("off");
  await page.clock.fastForward(540_000);
  await expect.poll(() => wait.innerText()).toMatch(/^You can try again in [56]\d seconds\.$/);
  await page.clock.fastForward(60_000);
  await expect.poll(() => wait.innerText()).toBe("You can try again now.");
  expect(await wait.getAttribute("aria-live")).toBe("polite");
  expect(await typed(page)).toBe(token);
});

test("a password without a token, and a choice that takes the notice away", async () => {
  const { page } = await open();
  const { api_token: _token, ...tokenless } = identityOf(newHolder());
  scene.answers({ headers: { "content-type": "application/json" }, body: JSON.stringify(tokenless) });
  await chooseShape(page, "E-mail and password");
  await enter(page, "E-mail address", "ada@example.com");
  await enter(page, "Password", "correct horse");
  await submit(page);
  await expectNotice(
    page,
    "Toggl Track gave us no API token for this password",
    "The password is right, but there is no token to link with. Choose API token above instead.",
    stillHere,
  );
  expect([await typed(page, "E-mail address"), await typed(page, "Password")]).toEqual([
    "ada@example.com",
    "correct horse",
  ]);
  await chooseShape(page, "API token");
  await expectNotice(page);
});

test("ten wrong tries use the link up", async () => {
  const session = await newSession();
  scene.answers({ status: 403 });
  for (let count = 0; count < 10; count++) await scene.submit(session, byToken({ token }));
  const { page } = await open(session);
  await enter(page, "API token", token);
  await submit(page);
  await expectNotice(page, "Too many tries with this link", "Go back to the app and start linking again.");
  expect(await typed(page)).toBe(token);
});

test("without the server, and with it again", async () => {
  const holder = newHolder();
  scene.answers(toggl(holder));
  const { page } = await open();
  await enter(page, "API token", holder.token);
  await page.route("**/api-auth/**", (route) => route.abort());
  await submit(page);
  await expectNotice(
    page,
    "There is no connection to the server",
    "Check your internet connection and try again.",
    stillHere,
  );
  await page.unroute("**/api-auth/**");
  await submit(page);
  await expect.poll(() => titleOf(page)).toBe("Toggl Track is linked");
});

test("what the server finds wrong stands beside its field, and nobody is asked", async () => {
  const asked = scene.asked().length;
  const { page } = await open();
  await submit(page);
  await expectFault(page, "API token", "API token is missing.");
  await enter(page, "API token", "abc");
  await submit(page);
  await expectFault(page, "API token", "API token must be 32 characters, the digits and the letters a to f.");
  await enter(page, "API token", "a".repeat(1025));
  await submit(page);
  await expectFault(page, "API token", "This is too long. Paste only what is asked for here.");
  await expectNotice(page);
  expect(await typed(page)).toBe("a".repeat(1025));

  await chooseShape(page, "E-mail and password");
  expect(await faultsOf(page)).toEqual({});
  await enter(page, "E-mail address", "ada");
  await submit(page);
  await expectFault(page, "Password", "Password is missing.");
  await enter(page, "Password", "x");
  await submit(page);
  await expectFault(
    page,
    "E-mail address",
    "E-mail address must be an e-mail address, like ada@example.com.",
  );
  expect(scene.asked()).toHaveLength(asked);
});

test("an address: what is wrong with it stands beside it, and one of our own network is refused", async () => {
  await done(scene.app.post("/integrations", { provider: "gitlab-token", unique_key: "gitlab" }));
  const { page, faults } = await open(await newSession("gitlab"));
  await enter(page, "Access token", "glpat-0123456789abcdefghij");
  await enter(page, "GitLab server", "git lab");
  await submit(page);
  await expectFault(
    page,
    "GitLab server",
    "GitLab server must be a host name, without https:// and without a path, like gitlab.example.com.",
  );
  await enter(page, "GitLab server", "localhost");
  await submit(page);
  await expectNotice(
    page,
    "We can’t call this address",
    "Check the address above for a typing error.",
    stillHere,
  );
  expect([await faultsOf(page), await typed(page, "GitLab server"), faults]).toEqual([{}, "localhost", []]);
});

test("an integration that is gone, and a link that another tab has used", async () => {
  const other = await openLinkScene(house, upstream);
  const holder = newHolder();
  other.answers(toggl(holder));
  const session = await other.session();
  const { page, tab } = await open(session);
  const second = await tab();
  await openLink(second, session);
  await other.submit(session, byToken(holder));
  await enter(page, "API token", holder.token);
  await submit(page);
  await expect.poll(() => titleOf(page)).toBe("This link has been used");
  expect(await page.getByLabel("API token", { exact: true }).count()).toBe(0);
  expect(await other.connections()).toHaveLength(1);

  const late = await other.session();
  await openLink(second, late);
  await done(other.app.delete(`/integrations/${other.integration}`));
  await enter(second, "API token", holder.token);
  await submit(second);
  await expect.poll(() => second.locator(".outcome-title").allInnerTexts()).toEqual(["That did not work"]);
  expect(await typed(second)).toBe(holder.token);
});

test("what people paste beside the bare token is understood, and stays as it was pasted", async () => {
  const { page } = await open();
  scene.answers({ status: 403 });
  for (const pasted of [
    `  ${token}  `,
    `${token}:api_token`,
    `curl -u ${token}:api_token https://api.track.toggl.com/api/v9/me`,
    basicHeader(token, "api_token"),
    `Authorization: ${basicHeader(token, "api_token")}`,
  ]) {
    const before = scene.asked().length;
    await enter(page, "API token", pasted);
    await page.clock.runFor(1000);
    expect(await page.locator(".doubt").count(), pasted).toBe(0);
    await submit(page);
    await expect.poll(() => scene.asked().length).toBe(before + 1);
    expect(scene.asked().at(-1)?.headers.authorization, pasted).toBe(basicHeader(token, "api_token"));
    await page.locator(".notice.bad").waitFor();
    expect(await typed(page)).toBe(pasted);
  }
});
