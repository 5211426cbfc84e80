import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { keepSession, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { exchange, lines } from "../support/raw-http.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";

let house: TestHouse;
let person: Person;
let evil: Stranger;
beforeAll(async () => {
  house = await startHouse(roomy);
  person = await house.person();
  evil = await startStranger("127.0.0.1");
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await evil.stop();
});

/** What `next` says, by what is tried with it. `host` is a server that would note a visit. */
const hostile = (host: string): Readonly<Record<string, string>> => ({
  "another origin": `http://${host}/`,
  "no scheme": `//${host}/`,
  "three slashes": `///${host}/`,
  backslashes: `\\\\${host}/`,
  "a slash and a backslash": `/\\${host}/`,
  "a tab between the slashes": `/\t/${host}/`,
  "a line break between the slashes": `/\n/${host}/`,
  "a leading blank": ` //${host}/`,
  "a leading control sign": `\u0000//${host}/`,
  "a scheme without slashes": `http:${host}`,
  "a scheme with one slash": `http:/${host}`,
  "another scheme": `https:${host}`,
  "our origin as the user": `http://localhost:80@${host}/`,
  "our place as the user": `http://account@${host}/account`,
  "a script": "javascript:fetch('/stolen')",
  "a script in disguise": "java\tscript:fetch('/stolen')//account",
  "a document": "data:text/html,<script>fetch('/stolen')</script>",
  "an encoded slash": `/%2F${host}/`,
  "encoded slashes": `%2F%2F${host}`,
  "an encoded host": `//%31%32%37.0.0.1:${host.split(":")[1]}/`,
  "a host with full-width stops": `//127\u{ff0e}0\u{3002}0\u{ff61}1:${host.split(":")[1]}/`,
  "a way up and out": `/account/../..//${host}/`,
  "a way up": "/account/../login",
  "an encoded way up": "/account/%2e%2e/%2e%2e/evil",
  "a place with more behind it": "/account?x=1",
  "a place with a fragment": "/account#x",
  "a place with a slash": "/account/tokens/",
  "a place in capitals": "/ACCOUNT/TOKENS",
  "a place twice": "/account/account/tokens",
  "a place without its slash": "account/tokens",
  "a place of ours as a whole address": `http://localhost:${house.config.port}/account/tokens`,
  "a call": "/api/v9/me",
  "the mails": "/dev/mail",
  "the sign-in itself": "/login?next=/login",
  nothing: "",
  "a property of every object": "__proto__",
});

/** Each kind of trick once: these go all the way through a sign-in. The others are seen in the link that leads further. */
const walked = [
  "another origin",
  "no scheme",
  "backslashes",
  "a slash and a backslash",
  "a tab between the slashes",
  "a scheme without slashes",
  "our origin as the user",
  "a script",
  "an encoded slash",
  "a host with full-width stops",
  "a way up and out",
  "a place with more behind it",
  "a place of ours as a whole address",
  "a call",
];

/** Where everything ends that is none of our places. */
const expectAtAccount = async (page: Page, visited: readonly string[]): Promise<void> => {
  expect(page.url()).toBe(`${house.config.origin.origin}/account`);
  expect(
    visited.filter((url) => !url.startsWith(`${house.config.origin.origin}/`) && url !== "about:blank"),
  ).toEqual([]);
  expect(visited.filter((url) => new URL(url).pathname === "/stolen")).toEqual([]);
  expect(evil.asked).toEqual([]);
};

const noteVisits = (page: Page): readonly string[] => {
  const visited: string[] = [];
  page.on("request", (request) => void visited.push(request.url()));
  page.on("framenavigated", (frame) => void visited.push(frame.url()));
  return visited;
};

const signIn = async (page: Page): Promise<void> => {
  await type(page, { Email: person.email, Password: person.password });
  await press(page, "Sign in");
};

describe("A39: next=", () => {
  test("leads nowhere but to our own places, once somebody has signed in", async () => {
    const { page, context, faults } = await visit(house);
    const visited = noteVisits(page);
    const { host } = new URL(evil.origin);
    for (const name of walked) {
      const next = hostile(host)[name] ?? "";
      expect(next).not.toBe("");
      await page.goto(`/login?next=${encodeURIComponent(next)}`);
      await signIn(page);
      await page.waitForURL((url) => url.pathname !== "/login", { waitUntil: "commit" });
      expect(page.url(), name).toBe(`${house.config.origin.origin}/account`);
      await page.goto("about:blank");
      await context.clearCookies();
    }
    await page.goto(`/login?next=/account/tokens&next=//${host}/`);
    await signIn(page);
    await page.waitForURL("/account/tokens");
    await ready(page);
    await context.clearCookies();
    await page.goto(`/login?next[]=//${host}/&next[0]=/account/tokens&NEXT=//${host}/`);
    await signIn(page);
    await page.waitForURL("/account");
    await expectAtAccount(page, visited);
    expect(faults).toEqual([]);
  });

  test("leads nowhere else for those who are signed in either", async () => {
    const { page, context, faults } = await visit(house);
    const visited = noteVisits(page);
    await keepSession(context, person.session);
    const { host } = new URL(evil.origin);
    for (const [name, next] of Object.entries(hostile(host))) {
      await page.goto(`/login?next=${encodeURIComponent(next)}`);
      await ready(page);
      expect(await page.evaluate("document.querySelector('h1').textContent")).toBe("You are signed in");
      const links = await page.evaluate<string[]>("[...document.links].map(({ href }) => href)");
      expect(links, name).toContain(`${house.config.origin.origin}/account`);
      for (const link of links) expect(new URL(link).origin, name).toBe(house.config.origin.origin);
    }
    await page.getByRole("link", { name: "Continue" }).click();
    await page.waitForURL("/account");
    await expectAtAccount(page, visited);
    expect(faults).toEqual([]);
  });

  test("leads to every page of the account", async () => {
    const { page, context, faults } = await visit(house);
    for (const { path } of pages.filter(({ shownTo }) => shownTo === "account")) {
      await page.goto(path);
      await page.waitForURL(`/login?next=${path}`);
      await signIn(page);
      await page.waitForURL(path);
      await ready(page);
      await context.clearCookies();
    }
    expect(faults).toEqual([]);
  });
});

test("A39: no page is turned away by what stands behind its address", async () => {
  const { page, context, faults } = await visit(house);
  const visited = noteVisits(page);
  const { host } = new URL(evil.origin);
  const names = ["next", "url", "redirect", "redirect_uri", "return_to", "continue", "notice", "email"];
  const query = names.map((name) => `${name}=${encodeURIComponent(`//${host}/`)}`).join("&");
  for (const session of [undefined, person.session]) {
    if (session !== undefined) await keepSession(context, session);
    for (const { path, shownTo } of pages) {
      if (shownTo === "account" && session === undefined) continue;
      await page.goto(`${path}?${query}#//${host}/`);
      await ready(page);
      expect(new URL(page.url()).pathname).toBe(path);
      const links = await page.evaluate<string[]>("[...document.links].map(({ href }) => href)");
      for (const link of links) expect(new URL(link).origin, path).toBe(house.config.origin.origin);
    }
  }
  expect(visited.filter((url) => new URL(url).origin !== house.config.origin.origin)).toEqual([]);
  expect(evil.asked).toEqual([]);
  expect(faults).toEqual([]);
});

test("A39: the server leads to its own sign-in only, whatever is asked for", async () => {
  const { port } = house.config;
  const asked = [
    "/account",
    "/account/",
    "/account?next=//evil.example",
    "/account?next=https://evil.example&next=x",
    "/account/tokens/?//evil.example",
    "/account%2Ftokens",
    "//evil.example/account",
    "//evil.example/%2e%2e/account",
    "/\\evil.example/account",
    "/account/..//evil.example",
    "/account/%2e%2e//evil.example",
    "/account;@evil.example",
    "/account\t",
    "http://evil.example/account",
    `http://localhost:${port}/account?x`,
    `http://localhost:${port}@evil.example/account`,
  ];
  for (const path of asked) {
    for (const extra of ["X-Forwarded-Host: evil.example", "X-Original-URL: //evil.example", "X-Any: x"]) {
      const { status, head } = await exchange(
        port,
        lines(`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, extra),
      );
      expect([303, 400, 404, 421], path).toContain(status);
      const location = /^location: (.*)$/im.exec(head)?.[1];
      if (status === 303) expect(location, path).toMatch(/^\/login\?next=\/account(?:\/tokens)?$/);
      else expect(location, path).toBeUndefined();
    }
  }
});
