import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  expectEvents,
  formSays,
  openAppPage,
  serveSdk,
  showListening,
  type AppPage,
  type OpenedWith,
} from "../support/app-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { done } from "../support/connect.ts";
import { basic, startSdkHouse, type SdkHouse, type SdkScene } from "../support/sdk-scene.ts";
import { listOf } from "../support/shapes.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";

/** The original's published SDK opens our form in an app's page, which is of another site. */

let all: SdkHouse;
let site: Stranger;
let elsewhere: Stranger;
beforeAll(async () => {
  all = await startSdkHouse();
  site = await startStranger("127.0.0.1");
  elsewhere = await startStranger("127.0.0.1");
  serveSdk(site);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await site.stop();
  await elsewhere.stop();
  await all.stop();
});

const origin = (): string => all.house.config.origin.origin;
const urls = (): Pick<OpenedWith, "baseURL" | "apiURL"> => ({
  baseURL: `${origin()}/connect/`,
  apiURL: origin(),
});

const openPage = async (html = "", headers = {}): Promise<AppPage> => {
  const { context } = await visit(all.house);
  return openAppPage(context, showListening(site, "/", `<h1>An app</h1>${html}`, headers));
};

const onlyToggl = { end_user: { id: "user-1" }, allowed_integrations: ["toggl"] };

const enterToken = async ({ form }: AppPage, token: string): Promise<void> => {
  await form.getByLabel("API token", { exact: true }).last().fill(token);
  await form.getByRole("button", { name: "Link Toggl Track" }).click();
};

const connectionsOf = async ({ app }: SdkScene) =>
  listOf((await done(app.get("/connections")))["connections"]);

/** Nobody but the app and the server was asked for anything, and the token stood in no address. */
const expectDiscreet = ({ asked, faults }: AppPage, token: string): void => {
  const strangers = asked.filter((address) => ![origin(), site.origin].includes(new URL(address).origin));
  expect({ strangers, told: asked.filter((address) => address.includes(token)), faults }).toEqual({
    strangers: [],
    told: [],
    faults: [],
  });
};

const scrolls = ({ page }: AppPage): Promise<string> => page.evaluate("document.body.style.overflow");
const isOpen = async ({ page }: AppPage): Promise<boolean> =>
  (await page.locator("#connect-ui").count()) === 1;

describe("openConnectUI", () => {
  test("links an account: ready, connect with the connection's names, close; and leaves the page as it was", async () => {
    const scene = await all.scene();
    const sessionToken = await scene.session(onlyToggl);
    const app = await openPage();

    await app.open({ ...urls(), sessionToken });
    await formSays(app.form, "Link Toggl Track");
    await expectEvents(app, ["ready"]);
    expect(await scrolls(app)).toBe("hidden");
    await enterToken(app, basic.username);
    await formSays(app.form, "Toggl Track is linked");
    await app.form.getByText("demo@example.com").waitFor();

    const [connection = {}] = await connectionsOf(scene);
    expect(connection).toMatchObject({ end_user: { id: "user-1" }, provider_config_key: "toggl" });
    const payload = { providerConfigKey: "toggl", connectionId: connection["connection_id"] };
    // Told as soon as it is linked, and not first when somebody presses the button.
    expect(await app.events()).toEqual([{ type: "ready" }, { type: "connect", payload }]);
    expect(await isOpen(app)).toBe(true);

    await app.form.getByRole("button", { name: "Finish" }).click();
    await expectEvents(app, ["ready", "connect", "close"]);
    expect([await isOpen(app), await scrolls(app)]).toEqual([false, ""]);
    expect((await app.heard()).map((message) => message.origin)).toEqual([origin(), origin(), origin()]);
    expectDiscreet(app, sessionToken);
  });

  test("waits for a token that comes late, tells of errors, and goes on after them", async () => {
    const scene = await all.scene();
    const app = await openPage();
    await app.open(urls());
    await expectEvents(app, ["ready"]);
    expect(app.asked.filter((address) => address.includes("/connect/form"))).toEqual([]);

    const token = await scene.session(onlyToggl);
    await app.handIn(token);
    await formSays(app.form, "Link Toggl Track");
    await enterToken(app, "0".repeat(32));
    await expectEvents(app, ["ready", "error"]);
    expect((await app.events())[1]).toEqual({
      type: "error",
      payload: { errorType: "connection_test_failed", errorMessage: expect.stringMatching(/\w+ \w+/) },
    });
    expect(await connectionsOf(scene)).toEqual([]);

    await enterToken(app, basic.username);
    await formSays(app.form, "Toggl Track is linked");
    await expectEvents(app, ["ready", "error", "connect"]);
    expectDiscreet(app, token);
  });

  test("waits no longer than people do, and still takes a token that comes after that", async () => {
    const scene = await all.scene();
    const app = await openPage();
    await app.page.clock.install();
    await app.open(urls());
    await expectEvents(app, ["ready"]);
    await app.page.clock.fastForward(1001);
    await formSays(app.form, "One moment…");
    await app.page.clock.fastForward(9000);
    await formSays(app.form, "The app did not answer");

    await app.handIn(await scene.session(onlyToggl));
    await formSays(app.form, "Link Toggl Track");
    await expectEvents(app, ["ready"]);
  });

  test.for([1001, 10_001])("can be left while nobody has handed in a token: %i ms", async (waited) => {
    const app = await openPage();
    await app.page.clock.install();
    await app.open(urls());
    await expectEvents(app, ["ready"]);
    await app.page.clock.fastForward(waited);
    await app.form.getByRole("button", { name: "Close" }).click();

    await expectEvents(app, ["ready", "close"]);
    expect(await isOpen(app)).toBe(false);
  });

  test("is closed by its button and by Escape, and opens anew with the same token", async () => {
    const scene = await all.scene();
    const sessionToken = await scene.session(onlyToggl);
    const app = await openPage();

    await app.open({ ...urls(), sessionToken });
    await formSays(app.form, "Link Toggl Track");
    await app.form.getByRole("button", { name: "Close" }).click();
    await expectEvents(app, ["ready", "close"]);
    expect([await isOpen(app), await scrolls(app)]).toEqual([false, ""]);

    await app.open({ ...urls(), sessionToken });
    await formSays(app.form, "Link Toggl Track");
    await app.page.evaluate("opened.open()");
    expect(await isOpen(app)).toBe(true);
    await app.page.keyboard.press("Escape");
    await expectEvents(app, ["ready", "close"]);
    expect([await isOpen(app), await scrolls(app)]).toEqual([false, ""]);
    expect(await connectionsOf(scene)).toEqual([]);
    expectDiscreet(app, sessionToken);
  });

  test("takes a base URL without a slash, and no other server's word for where the API is", async () => {
    const scene = await all.scene();
    const sessionToken = await scene.session(onlyToggl);
    const app = await openPage();
    await app.open({
      baseURL: `${origin()}/connect`,
      apiURL: elsewhere.origin,
      lang: "de",
      themeOverride: "dark",
      detectClosedAuthWindow: true,
      sessionToken,
    });

    await formSays(app.form, "Link Toggl Track");
    expect(await app.form.locator(":root").getAttribute("data-theme")).toBe("dark");
    expect(await app.form.locator(":root").getAttribute("lang")).toBe("en");
    await enterToken(app, basic.username);
    await formSays(app.form, "Toggl Track is linked");
    expect(elsewhere.asked).toEqual([]);
    expectDiscreet(app, sessionToken);
  });

  test("shows a session that is over as that, and says nothing to the app", async () => {
    const scene = await all.scene();
    const used = await scene.session(onlyToggl);
    const path = `/api-auth/basic/toggl?connect_session_token=${used}`;
    await done(all.house.send("POST", path, { json: basic }));
    const app = await openPage();

    for (const [sessionToken, title] of [
      [used, "This link has been used"],
      [`nango_connect_session_${"0".repeat(64)}`, "This link is not valid any more"],
      ["no token at all ✓", "This link is not valid any more"],
      [`nango_connect_session_${"0".repeat(100_000)}`, "This link is not valid any more"],
    ] as const) {
      await app.open({ ...urls(), sessionToken });
      await formSays(app.form, title);
      await expectEvents(app, ["ready"]);
      await app.form.getByRole("button", { name: "Close" }).click();
      await expectEvents(app, ["ready", "close"]);
    }
    expect(app.faults).toEqual([]);
  });

  test("is not put out by a token twice, by another one after it, by garbage or by very much of it", async () => {
    const scene = await all.scene();
    const sessionToken = await scene.session(onlyToggl);
    const another = await (await all.scene()).session();
    const app = await openPage();
    await app.open(urls());
    await expectEvents(app, ["ready"]);

    const garbage = [
      "null",
      "undefined",
      "0",
      "'session_token'",
      "[]",
      "{}",
      "{ type: 'session_token' }",
      "{ type: 'session_token', sessionToken: 5 }",
      "{ type: 'session_token', sessionToken: null }",
      `{ type: ['session_token'], sessionToken: '${another}' }`,
      `{ type: 'settings_changed', payload: { theme: { light: 'x' } } }`,
      `{ type: 'close' }`,
      `{ type: 'connect', payload: {} }`,
      `new Map([['type', 'session_token'], ['sessionToken', '${another}']])`,
      `Object.assign([], { type: 'session_token' })`,
      "new Uint8Array(20_000_000)",
      "'x'.repeat(20_000_000)",
      "(() => { const round = {}; round.round = round; return round })()",
      "Array.from({ length: 500 }).reduce((inner) => [inner], [])",
      `JSON.parse('{"__proto__": {"type": "session_token", "sessionToken": "${another}"}}')`,
    ];
    for (const message of garbage) await app.post(message);
    const right = `{ type: 'session_token', sessionToken: '${sessionToken}' }`;
    await app.post(right);
    await app.post(right);
    await app.post(`{ type: 'session_token', sessionToken: '${another}' }`);
    await formSays(app.form, "Link Toggl Track");
    for (const message of garbage) await app.post(message);
    await app.post(`{ type: 'session_token', sessionToken: '${another}' }`);
    await enterToken(app, basic.username);
    await formSays(app.form, "Toggl Track is linked");

    expect(await connectionsOf(scene)).toHaveLength(1);
    await expectEvents(app, ["ready", "connect"]);
    expect(app.asked.filter((address) => address.includes("/connect/form"))).toHaveLength(1);
    expectDiscreet(app, sessionToken);
  });
});

describe("in a page", () => {
  test("that isolates itself, the form stands and links", async () => {
    const scene = await all.scene();
    const app = await openPage("", {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    expect(await app.page.evaluate("crossOriginIsolated")).toBe(true);

    await app.open({ ...urls(), sessionToken: await scene.session(onlyToggl) });
    await formSays(app.form, "Link Toggl Track");
    await enterToken(app, basic.username);
    await formSays(app.form, "Toggl Track is linked");
    expect(app.faults).toEqual([]);
  });

  test("without an origin the form takes no token, and says nothing but that it is there", async () => {
    const token = await (await all.scene()).session(onlyToggl);
    // It hands the token in, and tells the page around it what it hears.
    const nobody = `<script>
      addEventListener("message", ({ data, source }) => {
        source.postMessage({ type: "session_token", sessionToken: "${token}" }, "*");
        parent.postMessage({ as: self.origin, data }, "*");
      });
    </script><iframe src="${origin()}/connect/"></iframe>`;
    const app = await openPage(`<iframe src="data:text/html,${encodeURIComponent(nobody)}"></iframe>`);
    await expect
      .poll(() => app.heard())
      .toEqual([{ origin: "null", data: { as: "null", data: { type: "ready" } } }]);
    const form = app.page.frames().find((frame) => frame.url() === `${origin()}/connect/`);

    // After those of the page around it, one comes that is seen here.
    await form?.evaluate(`new Promise((resolve) => {
      addEventListener("message", ({ data }) => data === "last" && resolve());
      postMessage("last", "*");
    })`);
    expect(app.asked.filter((address) => address.includes("/connect/form"))).toEqual([]);
    expect(await form?.evaluate("document.body.innerText")).toBe("");
    expect(await app.heard()).toHaveLength(1);
  });

  /** What is seen beside the form. */
  const besideIt = async ({ page }: AppPage): Promise<readonly number[]> => {
    const picture = (await page.screenshot({ clip: { x: 20, y: 20, width: 4, height: 4 } })).toString(
      "base64",
    );
    return page.evaluate<number[]>(`new Promise((resolve) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.drawImage(image, 0, 0);
        resolve([...canvas.getImageData(1, 1, 1, 1).data.slice(0, 3)]);
      };
      image.src = "data:image/png;base64,${picture}";
    })`);
  };

  test("what is below shows through, whatever the machine is set to", async () => {
    const app = await openPage("<style>:root { background: #f00 }</style>");
    expect(await besideIt(app)).toEqual([255, 0, 0]);
    await app.open({ ...urls(), sessionToken: await (await all.scene()).session(onlyToggl) });
    await formSays(app.form, "Link Toggl Track");

    for (const colorScheme of ["light", "dark"] as const) {
      await app.page.emulateMedia({ colorScheme });
      const [red = 0, green = 0, blue = 0] = await besideIt(app);
      expect({ colorScheme, isRed: red > 80 && red < 200 && green < 20 && blue < 20 }).toEqual({
        colorScheme,
        isRed: true,
      });
    }
  });

  test("of a dark scheme the form stands on a plain ground: a browser shows nothing through there", async () => {
    const app = await openPage("<style>:root { color-scheme: dark; background: #f00 }</style>");
    await app.open({ ...urls(), sessionToken: await (await all.scene()).session(onlyToggl) });
    await formSays(app.form, "Link Toggl Track");

    const [red = 0, green = 0, blue = 0] = await besideIt(app);
    expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThan(8);
  });
});
