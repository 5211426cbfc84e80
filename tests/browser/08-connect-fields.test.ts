import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { closeBrowser, leave, visit, visitAlone } from "../support/browser.ts";
import {
  connectClient,
  connectSession,
  done,
  environmentKey,
  type ConnectClient,
} from "../support/connect.ts";
import {
  chooseShape,
  enter,
  expectNotice,
  faultsOf,
  labelsOf,
  maskOf,
  openLink,
  submit,
  titleOf,
} from "../support/form.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import {
  open as openProvider,
  vaulted,
  writeProviders,
  type ProviderFiles,
} from "../support/provider-files.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** What the form asks for, of every provider, and how it takes what is typed. */

let house: TestHouse;
let upstream: Upstream;
let files: ProviderFiles;
let app: ConnectClient;

const names = {
  ashby: "Ashby",
  freshdesk: "Freshdesk",
  "gitlab-token": "GitLab",
  "jira-basic": "Jira",
  latchkey: "Latchkey",
  "pipedrive-token": "Pipedrive",
  posthog: "PostHog",
  "slack-token": "Slack",
  toggl: "Toggl Track",
  vaulted: "Vaulted",
  open: "Open",
  "zendesk-api-key": "Zendesk",
} as const;

type Name = keyof typeof names;
const isName = (text: string): text is Name => Object.hasOwn(names, text);

beforeAll(async () => {
  upstream = await startUpstream();
  files = await writeProviders({ vaulted, open: openProvider });
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin }, { providers: files.folder });
  app = connectClient(house, await environmentKey(house, "prod"));
  for (const name of Object.keys(names)) {
    const config =
      name === "latchkey" ? {} : { integration_config: { base_url: `${upstream.origin}/${name}` } };
    await done(app.post("/integrations", { provider: name, unique_key: name, ...config }));
  }
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await files.clear();
  await upstream.stop();
});

const linkTo = (name: Name, terms: object = {}): Promise<string> =>
  connectSession(app, { tags: {}, allowed_integrations: [name], ...terms });

const openAt = async (name: Name, terms?: object) => {
  const visitor = await visit(house);
  await openLink(visitor.page, await linkTo(name, terms));
  return visitor;
};

const input = (page: Page, label: string) => page.getByLabel(label, { exact: true });
const asked = () => upstream.asked.at(-1);

test("every provider of the catalogue has a form, with what its file asks for, in its order", async () => {
  const { page, faults } = await visit(house);
  const labels: Record<string, readonly string[]> = {};
  for (const name of Object.keys(names).filter(isName)) {
    await openLink(page, await linkTo(name));
    expect([await titleOf(page), await page.title()]).toEqual([`Link ${names[name]}`, `Link ${names[name]}`]);
    labels[name] = await labelsOf(page);
    // No field is one that a browser keeps passwords for, or has one to put in.
    expect(
      await page.locator("input[type=password], input:not([autocomplete=off]):not([type=radio])").count(),
    ).toBe(0);
    expect(await page.getByText("undefined").count()).toBe(0);
  }
  expect(labels).toEqual({
    ashby: ["API key"],
    freshdesk: ["Freshdesk address", "API key"],
    "gitlab-token": ["GitLab server", "Access token"],
    "jira-basic": ["Jira address", "E-mail address", "API token"],
    latchkey: ["API token"],
    "pipedrive-token": ["API token"],
    posthog: ["Region", "Personal API key"],
    "slack-token": ["Token"],
    toggl: ["API token"],
    vaulted: ["Key", "Region", "Passphrase", "Note (optional)"],
    open: [],
    "zendesk-api-key": ["Zendesk address", "E-mail address", "API token"],
  });
  expect(faults).toEqual([]);
});

test("the recommended way stands first and is chosen; what was typed in each stays in it", async () => {
  const { page } = await openAt("toggl");
  const radios = page.getByRole("radio");
  expect([await radios.first().getAttribute("value"), await radios.last().getAttribute("value")]).toEqual([
    "token",
    "email_password",
  ]);
  expect(await radios.first().isChecked()).toBe(true);
  await page.getByText("Checked with Toggl Track, then kept encrypted.").waitFor();

  const token = "1971800d4d82861d8f2c1651fea4d212";
  await enter(page, "API token", token);
  await chooseShape(page, "E-mail and password");
  expect(await labelsOf(page)).toEqual(["E-mail address", "Password"]);
  // A secret of one way is never shown as the address of the other.
  expect([await input(page, "E-mail address").inputValue(), await page.locator("body").innerText()]).toEqual([
    "",
    expect.not.stringContaining(token),
  ]);
  await page.getByText("Used once to fetch your API token. The password is not kept.").waitFor();
  await enter(page, "E-mail address", "ada@example.com");
  await enter(page, "Password", " correct horse ");
  await chooseShape(page, "API token");
  expect(await input(page, "API token").inputValue()).toBe(token);

  upstream.answers("/toggl/api/v9/me", { status: 403 });
  await submit(page);
  await page.locator(".notice.bad").waitFor();
  expect(asked()?.headers.authorization).toBe(basicHeader(token, "api_token"));
  await chooseShape(page, "E-mail and password");
  expect(await input(page, "E-mail address").inputValue()).toBe("ada@example.com");
  await submit(page);
  await page.locator(".notice.bad").waitFor();
  // Blanks may be part of a password.
  expect(asked()?.headers.authorization).toBe(basicHeader("ada@example.com", " correct horse "));
});

test("where the app keeps the password, nobody is promised otherwise", async () => {
  const base = { provider: "toggl", unique_key: "keeps" };
  const config = { base_url: `${upstream.origin}/toggl`, keep_password: true };
  await done(app.post("/integrations", { ...base, integration_config: config }));
  const { page } = await visit(house);
  await openLink(page, await connectSession(app, { tags: {}, allowed_integrations: ["keeps"] }));
  await chooseShape(page, "E-mail and password");
  await page.getByText("Checked with Toggl Track, then kept encrypted.").waitFor();
  expect(await page.locator("main").innerText()).not.toMatch(/used once|not kept|only your API token/i);
});

test("a doubt comes after a pause, goes with what caused it, and holds nobody back", async () => {
  const { page } = await visitAlone(house);
  await page.clock.install();
  await openLink(page, await linkTo("toggl"));
  const doubt = page.locator(".doubt");
  await enter(page, "API token", "1971800d4d82861d8f2c1651fea4d21");
  await page.clock.runFor(700);
  expect(await doubt.innerText()).toBe(
    "Usually this is 32 characters, the digits and the letters a to f. Is it all there?",
  );
  expect(await page.getByRole("status").filter({ has: doubt }).count()).toBe(1);
  await enter(page, "API token", "1971800d4d82861d8f2c1651fea4d212");
  await page.clock.runFor(700);
  expect(await doubt.count()).toBe(0);

  await enter(page, "API token", "too short");
  await enter(page, "API token", "tooshort");
  await page.clock.runFor(700);
  expect(await doubt.count()).toBe(1);
  const sent = page.waitForRequest(/\/api-auth\/basic\/toggl$/);
  await submit(page);
  await sent;
});

test("a secret is hidden by its looks, can be shown, and stays hidden for others", async () => {
  const { page } = await openAt("slack-token");
  const token = input(page, "Token");
  const looks = async () => [await token.getAttribute("type"), await maskOf(page, "Token")];
  await token.fill("x-1");
  expect(await looks()).toEqual(["text", "disc"]);
  const show = page.getByRole("button", { name: "Show: Token" });
  await show.click();
  expect([await looks(), await show.getAttribute("aria-pressed")]).toEqual([["text", "none"], "true"]);
  await show.click();
  expect([await looks(), await show.getAttribute("aria-pressed")]).toEqual([["text", "disc"], "false"]);
  for (const [name, value] of [
    ["autocomplete", "off"],
    ["spellcheck", "false"],
    ["autocapitalize", "none"],
  ] as const) {
    expect(await token.getAttribute(name)).toBe(value);
  }
});

test("a choice has its default, and an address may be pasted whole", async () => {
  const { page } = await openAt("posthog");
  const region = input(page, "Region");
  expect(await region.inputValue()).toBe("us");
  await region.selectOption("eu");
  await enter(page, "Personal API key", `phx_${"a".repeat(24)}`);
  upstream.answers("/posthog/api/users/@me/", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uuid: "u-1", first_name: "Ada", email: null }),
  });
  await submit(page);
  await expect.poll(() => titleOf(page)).toBe("PostHog is linked");
  expect(asked()?.headers.authorization).toBe(`Bearer phx_${"a".repeat(24)}`);

  const second = await openAt("freshdesk");
  await enter(second.page, "Freshdesk address", "not a host!");
  await enter(second.page, "API key", "8Kz1qPdQ7vYxW3mLt0aB");
  await submit(second.page);
  await expect
    .poll(() => faultsOf(second.page))
    .toEqual({
      "Freshdesk address": "Freshdesk address must be the part before .freshdesk.com, like acme.",
    });
  upstream.answers("/freshdesk/api/v2/agents/me", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: 5, contact: { name: "Ada", email: "ada@example.com" } }),
  });
  await enter(second.page, "Freshdesk address", "https://acme.freshdesk.com/a/tickets/1");
  await submit(second.page);
  await expect.poll(() => titleOf(second.page)).toBe("Freshdesk is linked");
});

test("what the session lays down is not asked for; what may be left out is left out", async () => {
  const passphrase = "a secret of the app";
  const laidDown = { connection_config: { region: "eu", passphrase } };
  const { page } = await openAt("vaulted", { integrations_config_defaults: { vaulted: laidDown } });
  expect(await labelsOf(page)).toEqual(["Key", "Note (optional)"]);
  expect(await page.content()).not.toContain(passphrase);
  upstream.answers("/vaulted/me", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: "7", name: "Ada" }),
  });
  await submit(page);
  expect(await faultsOf(page)).toEqual({ Key: "Key is missing." });
  await enter(page, "Key", "k");
  await submit(page);
  await expect.poll(() => titleOf(page)).toBe("Vaulted is linked");
  const { "x-key": key, "x-region": region, "x-passphrase": sent } = asked()?.headers ?? {};
  expect([key, region, sent]).toEqual(["k", "eu", passphrase]);
});

test("fields of the configuration that are secret are hidden, and are in no address", async () => {
  const { page } = await openAt("vaulted");
  const urls: string[] = [];
  page.on("request", (request) => urls.push(request.url()));
  await enter(page, "Key", "k-0451");
  await enter(page, "Region", "Europe");
  await enter(page, "Passphrase", "open sesame 0451");
  await submit(page);
  await expect.poll(() => faultsOf(page)).toEqual({ Region: "Region must be two small letters." });
  await expectNotice(page);
  await enter(page, "Region", "eu");
  upstream.answers("/vaulted/me", { status: 401 });
  await submit(page);
  await page.locator(".notice.bad").waitFor();
  expect(await maskOf(page, "Passphrase")).toBe("disc");
  expect(urls.length).toBeGreaterThan(1);
  expect([urls.join("\n"), house.logs.join("")]).toEqual([
    expect.not.stringContaining("0451"),
    expect.not.stringContaining("0451"),
  ]);
});

test("without anything to enter there is a button, and without an account nobody is named", async () => {
  const { page } = await openAt("open");
  await page.getByText("There is nothing to enter.").waitFor();
  await submit(page);
  await expect.poll(() => titleOf(page)).toBe("Open is linked");
  expect(await page.locator("dl").count()).toBe(0);
});

test("help leads to the section of the field, or to the app's own page without one", async () => {
  const { page } = await openAt("toggl");
  const guide = `${house.config.origin.origin}/docs/providers/toggl`;
  const link = (name: string) => page.getByRole("link", { name }).getAttribute("href");
  expect(await link("Where is it? API token")).toBe(`${guide}#find-your-api-token`);
  expect(await link("Help with linking")).toBe(guide);
  for (const one of await page.getByRole("link").all()) {
    expect([await one.getAttribute("target"), await one.getAttribute("rel")]).toEqual(["_blank", "noopener"]);
  }
  const own = "https://app.example.com/help";
  await openLink(page, await linkTo("toggl", { overrides: { toggl: { docs_connect: own } } }));
  expect(await link("Help with linking")).toBe(own);
  expect(await page.getByRole("link").count()).toBe(1);
});
