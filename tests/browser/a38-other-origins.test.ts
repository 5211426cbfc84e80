import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { keepSession, ready } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";

let house: TestHouse;
let neighbour: Stranger;
let stranger: Stranger;
beforeAll(async () => {
  house = await startHouse(roomy);
  neighbour = await startStranger("localhost");
  stranger = await startStranger("127.0.0.1");
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
  await neighbour.stop();
  await stranger.stop();
});

const sites = [
  ["another port of this machine", () => neighbour],
  ["another site", () => stranger],
] as const;

describe.each(sites)("a page of %s", (_, siteOf) => {
  const signedIn = async () => {
    const person = await house.person();
    const visitor = await visit(house);
    await keepSession(visitor.context, person.session);
    return { ...visitor, person };
  };

  test("A38: frames no page, error page, file or answer of ours", async () => {
    const { context, person } = await signedIn();
    const { origin } = house.config.origin;
    const addresses = [
      ...pages.map(({ path }) => path),
      "/nothing",
      "/docs/api",
      "/api/me",
      "/api/v9/me",
      "/dev/mails",
    ].map((path) => origin + path);
    const page = await context.newPage();
    await page.goto(
      siteOf().show("/", addresses.map((address) => `<iframe src="${address}"></iframe>`).join("")),
    );

    await expect.poll(() => page.frames().length).toBe(addresses.length + 1);
    const framed = page.frames().filter((frame) => frame !== page.mainFrame());
    for (const frame of framed) {
      await expect.poll(() => frame.url()).toBe("chrome-error://chromewebdata/");
      expect(await frame.content()).not.toContain(person.email);
    }
    // Nor as what is not called a frame.
    const embeds = addresses.map((address) => `<object data="${address}"></object><embed src="${address}">`);
    await page.goto(siteOf().show("/objects", embeds.join("")));
    await page.waitForLoadState("load");
    for (const frame of page.frames()) {
      if (frame !== page.mainFrame()) expect(frame.url()).not.toContain(origin);
    }
  });

  test("A38: reads nothing of ours, and has no hold on a window of ours", async () => {
    const { context, person } = await signedIn();
    const { origin } = house.config.origin;
    const page = await context.newPage();
    await page.goto(siteOf().show("/", "<button>Open</button>"));

    const attempts = await page.evaluate<string[]>(`(async () => {
      const got = [];
      for (const path of ["/", "/account", "/api/me", "/api/v9/me", "/api/sessions", "/dev/mails", "/openapi.json"]) {
        for (const mode of ["cors", "no-cors"]) {
          try {
            const response = await fetch("${origin}" + path, { credentials: "include", mode });
            if (response.type !== "opaque" || (await response.text()) !== "") got.push(path + mode);
          } catch {}
        }
      }
      return got;
    })()`);
    expect(attempts).toEqual([]);
    const loads = await page.evaluate<string[]>(`Promise.all(
      ["/account", "/api/me", "/assets/" + "x", "/dev/mails"].map((path) => new Promise((resolve) => {
        const script = document.createElement("script");
        script.onload = () => resolve("ran " + path);
        script.onerror = () => resolve("refused");
        script.src = "${origin}" + path;
        document.body.append(script);
      })))`);
    expect(loads).toEqual(["refused", "refused", "refused", "refused"]);

    for (const path of ["/account", "/login", "/signup", "/dev/mail"]) {
      const opened = context.waitForEvent("page");
      await page.evaluate(`void (window.other = open("${origin}${path}", "other${path.length}"))`);
      const ours = await opened;
      await ready(ours);
      expect(await ours.evaluate("opener"), path).toBeNull();
      expect(await ours.evaluate("window.name"), path).toBe("");
      expect(await page.evaluate("[other.closed, other.length]"), path).toEqual([true, 0]);
      expect(
        await page.evaluate(`(() => { try { return other.document.title } catch { return "refused" } })()`),
      ).not.toBe(await ours.title());
      // Nor can it lead our page somewhere else by its name or by what it kept.
      await page.evaluate(`(() => { try { other.location = "${siteOf().origin}/login" } catch {} })()`);
      expect(ours.url()).toBe(origin + path);
      if (path === "/account") expect(await ours.content()).toContain(person.email);
      await ours.close();
    }
    expect(siteOf().asked.filter((line) => line.includes("/login"))).toEqual([]);
  });
});

describe("A38: the policy of the pages holds", () => {
  /** Runs it in the page itself, as a script that got in would; what is evaluated from outside stands above the policy. */
  const breach = async (page: Page, script: string): Promise<unknown> =>
    page.evaluate(`new Promise((resolve) => setTimeout(() => {
      try { resolve(String(${script})) } catch (error) { resolve(error.name) }
    }, 0))`);

  const hurt = (page: Page): Promise<unknown> => page.evaluate("typeof window.hurt");

  test.for(["/login", "/account"])("on %s", async (path) => {
    const person = await house.person();
    const { page, context, faults } = await visit(house);
    const before = stranger.asked.length;
    if (path === "/account") await keepSession(context, person.session);
    await page.goto(path);
    await ready(page);
    expect(faults).toEqual([]);
    const asked: string[] = [];
    page.on("response", (response) => void asked.push(response.url()));

    // Texts become no scripts, in none of the ways that a browser has.
    for (const script of [
      `document.body.innerHTML = "<img src=x onerror='hurt=1'>"`,
      `document.body.insertAdjacentHTML("beforeend", "<b>x</b>")`,
      `document.write("<script>hurt=1</" + "script>")`,
      `new DOMParser().parseFromString("<b>x</b>", "text/html")`,
      `document.createRange().createContextualFragment("<b>x</b>")`,
      `Object.assign(document.createElement("script"), { textContent: "hurt=1" })`,
      `Object.assign(document.createElement("script"), { src: "${stranger.origin}/evil.js" })`,
      `Object.assign(document.createElement("iframe"), { srcdoc: "<b>x</b>" })`,
      `eval("window.hurt = 1")`,
      `new Function("window.hurt = 1")()`,
      `setTimeout("window.hurt = 1")`,
      `trustedTypes.createPolicy("mine", { createHTML: (text) => text }) && 1`,
    ]) {
      expect(await breach(page, script), script).toMatch(/^(?:TypeError|EvalError)$/);
    }
    // What stands inline is not run, and what lies elsewhere is not fetched.
    await breach(
      page,
      `(() => {
        const script = document.createElement("script");
        script.append("window.hurt = 1");
        const style = document.createElement("style");
        style.append("h1 { color: rgb(1, 2, 3) }");
        const linked = document.createElement("link");
        Object.assign(linked, { rel: "stylesheet", href: "${stranger.origin}/evil.css" });
        const frame = document.createElement("iframe");
        frame.src = "${stranger.origin}/frame";
        const image = new Image();
        image.src = "${stranger.origin}/image.png";
        const base = document.createElement("base");
        base.href = "${stranger.origin}/";
        const click = document.createElement("button");
        try { click.setAttribute("onclick", "window.hurt = 1") } catch {}
        const link = document.createElement("a");
        link.href = "javascript:window.hurt=1";
        document.body.append(script, style, linked, frame, image, base, click, link);
        click.click();
        link.click();
        const form = document.createElement("form");
        form.action = "${stranger.origin}/form";
        form.method = "post";
        document.body.append(form);
        form.submit();
        fetch("${stranger.origin}/fetch").catch(() => 0);
        navigator.sendBeacon("${stranger.origin}/beacon");
      })()`,
    );
    const directives = [
      "script-src-elem",
      "style-src-elem",
      "frame-src",
      "img-src",
      "base-uri",
      "form-action",
      "connect-src",
    ];
    await expect
      .poll(() => directives.filter((name) => !faults.some((fault) => fault.startsWith(`policy: ${name}`))))
      .toEqual([]);
    expect(await hurt(page)).toBe("undefined");
    expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).color")).not.toBe(
      "rgb(1, 2, 3)",
    );
    expect(page.url()).toBe(house.config.origin.origin + path);
    expect(stranger.asked.slice(before)).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(house.config.origin.origin))).toEqual([]);
  });
});
