import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import PostalMime from "postal-mime";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { outboxFolder } from "#app/open-store.ts";
import { pages } from "#app/pages/pages.ts";
import { keepSession, press, ready, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectInert, hostileTexts, watchHarm } from "../support/inert.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const password = "a quiet river at noon";

/** As much as the part before the @ takes. */
const hostileAddress = "'onerror='hurt=1'/{{7*7}}${hurt}&lt;`|^~@example.com".replaceAll(/[;(),]/g, "");

test("A38: a hostile name and a hostile address stand on every page as the texts that they are", async () => {
  const person = await house.person(hostileAddress);
  const { page, context, faults } = await visit(house);
  const harm = watchHarm(page);
  await keepSession(context, person.session);
  for (const name of hostileTexts) {
    await house.send("PUT", "/api/v9/me", { session: person.session, json: { fullname: name } });
    await page.goto("/account");
    await ready(page);
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe(name.trim());
    expect(await page.locator(".who span").first().innerText()).toBe(hostileAddress);
    await expectInert(page, harm);
  }
  const all = hostileTexts.slice(0, 5).join("");
  const reply = await house.send("PUT", "/api/v9/me", {
    session: person.session,
    json: { fullname: all },
  });
  expect(reply.status).toBe(200);
  for (const { path } of pages) {
    await page.goto(path);
    await ready(page);
    await expectInert(page, harm);
    if (path.startsWith("/account"))
      expect(await page.evaluate("document.body.innerText")).toContain(hostileAddress);
  }
  expect(faults).toEqual([]);
});

test("A38: what a person types comes back as text, and what can't be kept is refused in words", async () => {
  const person = await house.person();
  const { page, context, faults } = await visit(house);
  const harm = watchHarm(page);
  for (const text of hostileTexts.slice(0, 4)) {
    await page.goto("/signup");
    await type(page, { Email: text, Name: text, Password: password });
    await page.getByLabel("I accept the terms of use of this server").check();
    await press(page, "Create account");
    await page.locator("[aria-invalid=true]").first().waitFor();
    expect(await page.getByLabel("Email", { exact: true }).inputValue()).toBe(text.trim());
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe(text);
    await expectInert(page, harm);
  }
  // An address that is one, and hostile, is said back.
  await page.goto("/forgot");
  await type(page, { Email: hostileAddress });
  await press(page, "Send the code");
  await page.getByText(`If there is an account for ${hostileAddress}`, { exact: false }).waitFor();
  await expectInert(page, harm);

  await keepSession(context, person.session);
  await page.goto("/account");
  await ready(page);
  const refused = ["admin\u202egnp.exe", "\u2066hidden\u2069", "x".repeat(10_000), "<b>".repeat(3000)];
  for (const name of refused) {
    await type(page, { Name: name });
    await press(page, "Save");
    await page.getByText("A name is one line of at most 255 characters", { exact: false }).waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe(name);
    await type(page, { Name: "Ada" });
    await press(page, "Save");
    await page.getByText("Saved.").waitFor();
  }
  await expectInert(page, harm);
  expect(faults).toEqual([]);
});

test("A38: programs that call themselves something hostile are devices without a name", async () => {
  const person = await house.person();
  const { email } = person;
  const agents = [
    ...hostileTexts.slice(0, 8),
    `Mozilla/5.0 (<script>hurt=1</script>) Gecko/1 Firefox/1`,
    `curl/8.5.0<img src=x onerror=hurt=1>`,
    `<b>curl</b>/8.5.0`,
    "x".repeat(8000),
  ].map((agent) => Buffer.from(agent, "utf8").toString("latin1"));
  for (const agent of agents) {
    await house.send("POST", "/api/sessions", {
      json: { email, password },
      headers: { "user-agent": agent },
    });
    await house.send("POST", "/api/sessions", {
      json: { email, password: "not the password" },
      headers: { "user-agent": agent },
    });
  }
  const { page, context, faults } = await visit(house);
  const harm = watchHarm(page);
  await keepSession(context, person.session);
  await page.goto("/account/sessions");
  await ready(page);
  await page.getByRole("heading", { name: "Signed in", exact: true }).first().waitFor();

  const body = await page.locator("main").innerText();
  expect(body).toContain("Unknown device");
  expect(body).not.toMatch(/[<>{}"]|hurt|javascript|onerror/);
  expect(await page.locator("ul.rows > li").count()).toBeGreaterThan(2 * agents.length);
  await expectInert(page, harm);
  expect(faults).toEqual([]);
});

describe("A38: an address of ours with something hostile in it", () => {
  test("says nothing that its author wrote", async () => {
    const person = await house.person();
    const { page, context, faults } = await visit(house);
    const harm = watchHarm(page);
    for (const session of [undefined, person.session]) {
      if (session !== undefined) await keepSession(context, session);
      for (const [path, texts] of [
        ["/login", session === undefined ? hostileTexts : hostileTexts.slice(0, 3)],
        ["/account", session === undefined ? [] : hostileTexts.slice(0, 3)],
        ["/reset", hostileTexts.slice(0, 3)],
      ] as const) {
        for (const text of texts) {
          const said = encodeURIComponent(text);
          await page.goto(`${path}?notice=${said}&next=${said}&email=&error=${said}&message=${said}#${said}`);
          await ready(page);
          expect(await page.evaluate<string>("document.body.innerText")).not.toContain(text);
          await expectInert(page, harm);
        }
      }
    }
    for (const notice of ["__proto__", "constructor", "toString", "signed-out\u0000"]) {
      await page.goto(`/login?notice=${encodeURIComponent(notice)}`);
      await ready(page);
      expect(await page.evaluate("document.querySelectorAll('.notice').length")).toBe(0);
    }
    expect(faults).toEqual([]);
  });

  test("fills a field with it at most", async () => {
    const { page, faults } = await visit(house);
    const harm = watchHarm(page);
    for (const text of [...hostileTexts, `\u202egnp.exe`, "<".repeat(4000)]) {
      await page.goto(`/login?email=${encodeURIComponent(text)}`);
      const field = page.getByLabel("Email", { exact: true });
      // An address field drops what stands around it.
      expect(await field.inputValue()).toBe(text.trim());
      await expectInert(page, harm);
    }
    expect(faults).toEqual([]);
  });

  test.for(["/reset", "/verify", "/undo-close"])("of %s fills in no code that can be none", async (path) => {
    const { page, faults } = await visit(house);
    const harm = watchHarm(page);
    for (const text of [...hostileTexts.slice(0, 4), "../../sessions", "x".repeat(65), "a b", "%00"]) {
      // A new document each time: only what stands behind the # would not make one.
      await page.goto(`${path}?${crypto.randomUUID()}#${encodeURIComponent(text)}`);
      await ready(page);
      expect(await page.getByLabel("Code", { exact: true }).inputValue(), text).toBe("");
      // It leaves the address bar all the same.
      expect(page.url()).not.toContain("#");
      await expectInert(page, harm);
    }
    expect(faults).toEqual([]);
  });
});

describe("A38: mails", () => {
  test("to hostile people are inert in a browser, and load nothing", async () => {
    const person = await house.person("'onmouseover='hurt=1'&{{7*7}}@example.com");
    const { session, email } = person;
    for (const fullname of hostileTexts.slice(0, 4)) {
      await house.send("PUT", "/api/v9/me", { session, json: { fullname } });
    }
    await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    await house.send("POST", "/api/me/email_change/request", {
      session,
      json: { email: "'/onerror='hurt=1@example.com", current_password: password },
    });
    await house.send("PUT", "/api/v9/me", {
      session,
      json: { current_password: password, password: "another river at dusk" },
    });
    await house.send("POST", "/api/me/close_account/track", { session });
    const mails = (await house.mails()).filter(({ to }) => to === email || to.startsWith("'/onerror"));
    expect(new Set(mails.map(({ subject }) => subject)).size).toBe(6);

    // No page of ours, so no policy stands above it: as in the mail reader of somebody careless.
    const { context } = await visit(house);
    const page = await context.newPage();
    const requests: string[] = [];
    page.on("request", (request) => void requests.push(request.url()));
    for (const { raw, subject } of mails) {
      const { html = "" } = await PostalMime.parse(raw);
      expect(html, subject).toContain("<p>");
      await page.setContent(html);
      const seen = await page.evaluate(`({
        hurt: typeof window.hurt,
        active: document.querySelectorAll("script, img, iframe, object, embed, link, form, base, [onerror], [onmouseover]").length,
        links: [...document.links].map(({ origin }) => origin),
      })`);
      expect(seen, subject).toMatchObject({ hurt: "undefined", active: 0 });
      const { links } = await page.evaluate<{ links: string[] }>(
        "({ links: [...document.links].map(({ origin }) => origin) })",
      );
      expect(new Set([...links, house.config.origin.origin])).toEqual(new Set([house.config.origin.origin]));
      expect(await page.evaluate("document.title")).toBe(subject);
      for (const text of ["hurt", "onerror", "{{"]) expect(html, subject).not.toContain(text);
    }
    expect(requests).toEqual([]);
  });

  test("of whatever kind are text on the page of the mails", async () => {
    const of = await startHouse(roomy);
    const { origin } = of.config.origin;
    const folder = outboxFolder(of.config);
    await mkdir(folder, { recursive: true });
    const texts = [
      ...hostileTexts,
      "http://127.0.0.1:9/evil",
      `${origin}.evil.example/`,
      `${origin}@evil.example/`,
      `${origin}/"onclick="hurt=1`,
      `${origin}/<img src=x onerror=hurt=1>`,
      "x".repeat(10_000),
    ];
    const mailOf = (subject: string): string =>
      [
        `From: a@example.com`,
        `To: "><script>hurt=1</script> <b@example.com>`,
        `Subject: =?utf-8?B?${Buffer.from(subject).toString("base64")}?=`,
        `Content-Type: multipart/alternative; boundary=part`,
        ``,
        `--part`,
        `Content-Type: text/plain; charset=utf-8`,
        ``,
        ...texts,
        `--part`,
        `Content-Type: text/html; charset=utf-8`,
        ``,
        `<script>hurt=1</script><img src="http://127.0.0.1:9/pixel.png" onerror="hurt=1">`,
        `--part--`,
        ``,
      ].join("\n");
    for (const [index, text] of hostileTexts.entries()) {
      await writeFile(join(folder, `20260304T0506${index + 10}000Z-x.eml`), mailOf(text));
    }
    const { page, faults } = await visit(of);
    const harm = watchHarm(page);

    await page.goto("/dev/mail");
    await ready(page);

    expect(await page.locator("article").count()).toBe(hostileTexts.length);
    const subjects = await page.locator("article h2").allTextContents();
    expect(subjects.toSorted()).toEqual([...hostileTexts].toSorted());
    const body = await page.locator("article").first().innerText();
    for (const text of texts) expect(body).toContain(text.trim());
    const links = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.letter a')].map((a) => a.href)",
    );
    for (const link of links) expect(new URL(link).origin).toBe(origin);
    await expectInert(page, harm);
    expect(faults).toEqual([]);
  });
});
