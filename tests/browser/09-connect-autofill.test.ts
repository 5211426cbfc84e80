import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { formSays } from "../support/app-page.ts";
import { signIn } from "../support/at-page.ts";
import { patienceMs } from "../support/browser.ts";
import {
  connectClient,
  connectSession,
  done,
  environmentKey,
  type ConnectClient,
} from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startProfile, type Profile } from "../support/saved-logins.ts";

/** What a browser has saved for this server's own pages has no place in the form, and what is entered there is not saved. */

const saved = { email: "saved@example.com", password: "a river that was saved" };

/** The browser that saves passwords may have to be installed first. */
const installingTakesMs = 300_000;

let house: TestHouse;
let app: ConnectClient;
let profile: Profile;
let page: Page;
beforeAll(async () => {
  house = await startHouse();
  app = connectClient(house, await environmentKey(house, "prod"));
  for (const { name } of house.inside.connect.providers) {
    await done(app.post("/integrations", { provider: name, unique_key: name }));
  }
});
beforeEach(async () => {
  profile = await startProfile(house.config.origin.origin, saved);
  page = await profile.context.newPage();
  page.setDefaultTimeout(patienceMs);
}, installingTakesMs);
afterEach(() => profile.close());
afterAll(stopHouses);

type Filled = { readonly name: string; readonly value: string; readonly isFilled: boolean };

const fieldsOf = (form: string): Promise<readonly Filled[]> =>
  page.evaluate(`[...document.querySelectorAll("${form} input:not([type=radio])")].map((field) => ({
    name: field.name, value: field.value, isFilled: field.matches(":autofill"),
  }))`);

const expectLoginFilled = (form: string): Promise<void> =>
  expect
    .poll(() => fieldsOf(form))
    .toEqual(
      expect.arrayContaining([
        { name: "email", value: saved.email, isFilled: true },
        { name: "password", value: saved.password, isFilled: true },
      ]),
    );

/** Until the browser has looked at everything that is in the page now: it has filled in a login that came last. */
const untilLookedAt = async (): Promise<void> => {
  await page.evaluate(`{
    const form = document.createElement("form");
    form.id = "control";
    for (const [name, type, autocomplete] of [
      ["email", "email", "username"], ["password", "password", "current-password"],
    ]) form.append(Object.assign(document.createElement("input"), { name, type, autocomplete }));
    document.documentElement.append(form);
  }`);
  await expectLoginFilled("#control");
  await page.evaluate(`document.getElementById("control").remove()`);
};

const expectNothingFilled = async (what: string): Promise<void> => {
  await untilLookedAt();
  const filled = (await fieldsOf("main")).filter(
    ({ value, isFilled }) => isFilled || value.includes("saved"),
  );
  expect({ what, filled }).toEqual({ what, filled: [] });
};

test("the login that a browser has saved is filled in where people sign in, and in no form of any provider", async () => {
  await page.goto("/login");
  await expectLoginFilled("main");

  await page.goto(`/connect/#session_token=${await connectSession(app)}`);
  await formSays(page, "Link an account");
  await expectNothingFilled("the list");
  let fields = 0;
  for (const { display_name: name } of house.inside.connect.providers) {
    await page.getByRole("button", { name }).click();
    await formSays(page, `Link ${name}`);
    const ways = page.getByRole("radio");
    for (let index = 0; index < Math.max(1, await ways.count()); index++) {
      if ((await ways.count()) > 0) await ways.nth(index).check();
      fields += (await fieldsOf("main")).length;
      await expectNothingFilled(`${name}, way ${index + 1}`);
    }
    await page.getByRole("button", { name: "Back" }).click();
  }
  expect(fields).toBeGreaterThan(house.inside.connect.providers.length);
});

test("what is entered in the form is not offered to be saved, and what people sign in with is", async () => {
  const [person, other] = [await house.person(), await house.person()];
  const token = await connectSession(app, { tags: {}, allowed_integrations: ["latchkey"] });
  await page.goto(`/connect/#session_token=${token}`);
  await formSays(page, "Link Latchkey");
  await page.getByRole("radio").nth(1).check();
  await page.getByRole("textbox").nth(0).fill(person.email);
  await page.getByRole("textbox").nth(1).fill(person.password);
  await page.getByRole("button", { name: "Link Latchkey" }).click();
  await formSays(page, "Latchkey is linked");

  await page.goto("/login");
  await signIn(page, other.email);
  await page.waitForURL("/account");
  await expect.poll(profile.log).toContain("Show password prompt");
  // An offer that nobody took is noted when it goes with its tab. The store does one thing after another: once it has
  // looked up what it has for the next tab, it has noted that.
  const lookUps = async (): Promise<number> =>
    (await profile.log()).split("Number of results from the password store").length;
  await page.close();
  const before = await lookUps();
  await (await profile.context.newPage()).goto("/account");
  await expect.poll(lookUps).toBeGreaterThan(before);
  expect(await profile.close()).toEqual({ saved: [saved.email], offered: [other.email] });
});
