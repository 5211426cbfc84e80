import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { formSays, openAppPage, serveSdk, showListening } from "../support/app-page.ts";
import { press, ready, signUp, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { connectClient, connectSession, done, environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { identityOf, newHolder, openLinkScene, type LinkScene } from "../support/link-scene.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

let house: TestHouse;
let upstream: Upstream;
let site: Stranger;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin });
  site = await startStranger("127.0.0.1");
  serveSdk(site);
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await site.stop();
  await stopHouses();
  await upstream.stop();
});

const linkOf = (token: string): string => `/connect/#session_token=${token}`;

const shownToken = async (page: Page): Promise<string> => {
  const code = page.getByLabel("API token", { exact: true }).locator("visible=true").first();
  await expect.poll(() => code.textContent()).toMatch(/^[0-9a-f]{32}$/);
  return (await code.textContent()) ?? "";
};

const enterToken = async (form: Pick<Page, "getByLabel" | "getByRole">, token: string): Promise<void> => {
  await form.getByLabel("API token", { exact: true }).last().fill(token);
  await form.getByRole("button", { name: "Link Latchkey" }).click();
};

test("sign up, copy the token, link, call through the proxy, replace the token, link anew", async () => {
  const app = connectClient(house, await environmentKey(house));
  const { page, context, faults } = await visit(house);
  const email = "ada@example.com";
  await page.goto("/signup");
  await signUp(page, email);
  await page.waitForURL("/account?notice=welcome");
  await page.goto("/account/tokens");
  await ready(page);
  await page.getByRole("button", { name: /^Show/ }).click();
  const first = await shownToken(page);

  // In an app's page, with the integration that is there from the first start.
  const { origin } = house.config.origin;
  const sessionToken = await connectSession(app, {
    end_user: { id: "user-1" },
    allowed_integrations: ["latchkey"],
  });
  const appPage = await openAppPage(context, showListening(site, "/", "<h1>An app</h1>"));
  await appPage.open({ baseURL: `${origin}/connect`, apiURL: origin, sessionToken });
  await formSays(appPage.form, "Link Latchkey");
  await enterToken(appPage.form, first);
  await formSays(appPage.form, "Latchkey is linked");
  await appPage.form.getByText(email).waitFor();
  const connected = (await appPage.events()).map(fieldsOf).find((event) => event["type"] === "connect");
  const connection = String(fieldsOf(connected?.["payload"])["connectionId"]);
  const path = `/connections/${connection}?provider_config_key=latchkey`;
  const stateOf = async () => {
    const { state, state_reason: reason } = await done(app.get(path));
    return [state, reason];
  };
  const headers = { "connection-id": connection, "provider-config-key": "latchkey" };
  const me = () => app.send("GET", "/proxy/api/v9/me", { headers });
  expect((await me()).json()).toMatchObject({ email });
  expect(await stateOf()).toEqual(["live", null]);

  // What the account's owner does here, the app finds out by its next call.
  await press(page, "Replace…");
  await page.getByRole("dialog").getByRole("button", { name: "Replace the token" }).click();
  await page.getByText("This is your new token.", { exact: false }).waitFor();
  const second = await shownToken(page);
  expect(second).not.toBe(first);
  expect((await me()).status).toBe(403);
  await expect.poll(stateOf).toEqual(["failing", "credentials_refused"]);
  const failing = await me();
  expect(failing.status).toBeGreaterThanOrEqual(400);
  expect(failing.text).not.toContain(email);

  // The old token is refused, and the form stays; the new one is taken.
  const again = { connection_id: connection, integration_id: "latchkey" };
  const { data } = await done(app.post("/connect/sessions/reconnect", again));
  const form = await context.newPage();
  await form.goto(origin + linkOf(String(fieldsOf(data)["token"])));
  await formSays(form, "Link Latchkey");
  await enterToken(form, first);
  await form.getByText("Latchkey did not accept this").waitFor();
  expect(await stateOf()).toEqual(["failing", "credentials_refused"]);
  await enterToken(form, second);
  await formSays(form, "Latchkey is linked");

  expect(await stateOf()).toEqual(["live", null]);
  expect((await me()).json()).toMatchObject({ email });
  expect(await done(app.get("/connections"))).toMatchObject({
    connections: [{ connection_id: connection, end_user: { id: "user-1" } }],
  });
  expect([...faults, ...appPage.faults]).toEqual([]);
  const written = house.logs.join("");
  for (const secret of [first, second, sessionToken]) expect(written).not.toContain(secret);
});

describe("one link in two browsers", () => {
  /** Two people at the same form, with accounts of their own. */
  const openTwice = async (scene: LinkScene) => {
    const token = await scene.session({ tags: {}, allowed_integrations: [scene.integration] });
    const [one, other] = [await visit(house), await visit(house)];
    for (const { page } of [one, other]) {
      await page.goto(linkOf(token));
      await formSays(page, "Link Toggl Track");
    }
    return { token, one, other };
  };

  const submit = async ({ page }: { readonly page: Page }, token: string): Promise<void> => {
    await type(page, {});
    await page.getByLabel("API token", { exact: true }).last().fill(token);
    await page.getByRole("button", { name: "Link Toggl Track" }).click();
  };

  const over = "This link has been used";

  test("is used by the first, and the second sees that, before and after it submits", async () => {
    const scene = await openLinkScene(house, upstream);
    const [ada, eve] = [newHolder(), newHolder()];
    scene.answers({ body: JSON.stringify(identityOf(ada)), headers: { "content-type": "application/json" } });
    const { token, one, other } = await openTwice(scene);
    await submit(one, ada.token);
    await formSays(one.page, "Toggl Track is linked");
    const asked = scene.asked().length;

    await submit(other, eve.token);
    await formSays(other.page, over);
    const third = await visit(house);
    await third.page.goto(linkOf(token));
    await formSays(third.page, over);

    // It learns nothing of whoever was first, and nobody was asked about what it entered.
    for (const { page, faults } of [other, third]) {
      const text = await page.locator("body").innerText();
      for (const word of [ada.name, ada.email, "Toggl"]) expect(text).not.toContain(word);
      expect(await page.getByRole("textbox").count()).toBe(0);
      expect(faults).toEqual([]);
    }
    expect(scene.asked()).toHaveLength(asked);
    expect(await scene.connections()).toHaveLength(1);
  });

  test("submitted in both at once links one account, and tells the other one", async () => {
    const scene = await openLinkScene(house, upstream);
    const people = [newHolder(), newHolder()] as const;
    // Neither is answered before both are asked about.
    const both = Promise.withResolvers<undefined>();
    scene.answers((asked) => {
      if (scene.asked().length === 2) both.resolve(undefined);
      const whose = people.find(({ token }) =>
        Buffer.from(String(asked.headers.authorization).slice(6), "base64").toString().startsWith(token),
      );
      const body = JSON.stringify(whose && identityOf(whose));
      return { after: both.promise, body, headers: { "content-type": "application/json" } };
    });
    const { one, other } = await openTwice(scene);
    await Promise.all([submit(one, people[0].token), submit(other, people[1].token)]);

    const titles = async () =>
      Promise.all([one, other].map(({ page }) => page.getByRole("heading", { level: 1 }).innerText()));
    await expect
      .poll(async () => (await titles()).toSorted())
      .toEqual([over, "Toggl Track is linked"].toSorted());
    const winner = people[(await titles())[0] === over ? 1 : 0];
    expect(await scene.connections()).toMatchObject([{ account: { email: winner.email } }]);
    expect([...one.faults, ...other.faults]).toEqual([]);
  });
});
