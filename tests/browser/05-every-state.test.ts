import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { heading, press, ready, signedInAt, signIn, signUp, type } from "../support/at-page.ts";
import { closeBrowser, leave, visit } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
import { linkIn } from "../support/mails.ts";

/** One with the defaults, and one whose operator has chosen otherwise. */
let house: TestHouse;
let chosen: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
  chosen = await startHouse({
    ...roomy,
    LATCHKEY_PASSWORD_MIN: "15",
    LATCHKEY_REVEAL_TOKEN: "false",
    LATCHKEY_CLOSE_GRACE_DAYS: "0",
  });
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

const other = "an old mill at the ford";

const at = (path: string, where = house): ReturnType<typeof signedInAt> => signedInAt(where, path);

const statusOf = async (session: string | undefined): Promise<number> =>
  (await house.send("GET", "/api/sessions", { session })).status;

const elsewhere = async ({ email, password }: Person): Promise<string> =>
  sessionOf(await house.send("POST", "/api/sessions", { json: { email, password } })) ?? "";

test("a longer shortest password is told of before it is typed, and held to", async () => {
  const { page } = await visit(chosen);
  const hint = page.getByText("At least 15 characters.", { exact: false });
  await page.goto("/reset");
  await hint.waitFor();
  await page.goto("/signup");
  await hint.waitFor();
  await signUp(page, "short@example.com", { password: "fourteen chars" });
  await page.getByText("at least 15 characters", { exact: false }).nth(1).waitFor();
  expect(await chosen.mailTo("short@example.com")).toBeUndefined();
  const own = await at("/account", chosen);
  await own.page.getByText("At least 15 characters.", { exact: false }).waitFor();
});

test("a server that shows tokens once shows the one that was just made, and never again", async () => {
  const { page, person, faults } = await at("/account/tokens", chosen);
  const once = page.getByText("This server shows a token only once", { exact: false });
  await once.waitFor();
  expect(await page.getByRole("button", { name: "Show API token" }).count()).toBe(0);
  await press(page, "Replace…");
  await press(page, "Replace the token");
  await page.getByText("Copy it now: it is not shown again.", { exact: false }).waitFor();
  const token = await page
    .getByText(/^[0-9a-f]{32}$/)
    .first()
    .textContent();
  expect((await chosen.send("GET", "/api/v9/me", { basic: [token ?? "", "api_token"] })).status).toBe(200);
  expect(await once.count()).toBe(0);

  await page.reload();
  await once.waitFor();
  expect(await page.content()).not.toContain(token);
  const me = await chosen.send("GET", "/api/v9/me", { session: person.session });
  expect(me.text).not.toContain(token);
  expect(faults).toEqual([]);
});

test("where nothing is kept, closing says so, and leaves nothing to take back", async () => {
  const { page, person } = await at("/account/close", chosen);
  await page.getByText("The account and everything in it are erased at once, for good.").waitFor();
  expect(await page.getByText("you can take everything back", { exact: false }).count()).toBe(0);
  await type(page, { "Current password": person.password });
  await press(page, "Close the account");
  await page.getByText("It has been erased, with everything in it.").waitFor();
  expect(await page.getByRole("link", { name: "Take it back" }).count()).toBe(0);
  await page.goto("/signup");
  await signUp(page, person.email);
  await page.waitForURL("/account?notice=welcome");
});

for (const setting of ["LATCHKEY_REQUIRE_VERIFIED_EMAIL=true", "LATCHKEY_HIDE_ACCOUNTS=strict"]) {
  test(`with ${setting} an address is confirmed before anybody signs in with it`, async () => {
    const [name = "", value = ""] = setting.split("=");
    const careful = await startHouse({ ...roomy, [name]: value });
    const { page, context, faults } = await visit(careful);
    const email = "first@example.com";
    await page.goto("/signup");
    await signUp(page, email);
    await heading(page, "Check your mail");
    await page.getByText(`We sent a mail to ${email}.`, { exact: false }).waitFor();
    expect(await context.cookies()).toEqual([]);

    await page.goto("/login");
    await signIn(page, email);
    await page.locator(".notice.bad").waitFor();
    expect([await context.cookies(), new URL(page.url()).pathname]).toEqual([[], "/login"]);

    await page.goto(linkIn(await careful.mailTo(email)));
    await press(page, "Confirm");
    await heading(page, "Your address is confirmed");
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, email);
    await page.waitForURL("/account");
    await page.getByText("Confirmed", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });
}

const askForAddress = async (page: Page, email: string, password: string): Promise<void> => {
  await press(page, "Change address");
  const form = page.getByRole("form", { name: "Change address" });
  await form.getByLabel("New email address").fill(email);
  await form.getByLabel("Current password").fill(password);
  await press(page, "Change address");
  await page.getByText(`Waiting for ${email}`, { exact: false }).waitFor();
};

test("another address counts when its mail's link is confirmed", async () => {
  const { page, person, faults } = await at("/account");
  const fresh = `fresh-${person.email}`;
  await askForAddress(page, fresh, person.password);
  await page.reload();
  await page.getByText(`Waiting for ${fresh}`, { exact: false }).waitFor();
  expect(await page.locator(".who span").first().textContent()).toBe(person.email);

  await page.goto(linkIn(await house.mailTo(fresh)));
  await press(page, "Confirm");
  await page.getByText(`Mails go to ${fresh}.`).waitFor();
  await page.getByRole("link", { name: "To your account" }).click();
  await page.waitForURL("/account");
  await page.getByText("Confirmed", { exact: true }).waitFor();
  expect(await page.locator(".who span").first().textContent()).toBe(fresh);
  const signInAs = (email: string) =>
    house.send("POST", "/api/sessions", { json: { email, password: person.password } });
  expect([(await signInAs(fresh)).status, (await signInAs(person.email)).status]).toEqual([200, 403]);
  expect(faults).toEqual([]);
});

test("a change of the address that was dropped can't be confirmed", async () => {
  const { page, person } = await at("/account");
  const fresh = `fresh-${person.email}`;
  await askForAddress(page, fresh, person.password);
  const link = linkIn(await house.mailTo(fresh));
  await press(page, "Keep the old address");
  await page.getByRole("button", { name: "Change address" }).waitFor();
  await page.goto(link);
  await press(page, "Confirm");
  await page.getByText("This code is not valid, or not any more.", { exact: false }).waitFor();
  await page.goto("/account");
  await ready(page);
  expect(await page.locator(".who span").first().textContent()).toBe(person.email);
});

test("name and time zone are kept", async () => {
  const { page, person } = await at("/account");
  await type(page, { Name: "Ada King" });
  await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await press(page, "Save");
  await page.getByText("Saved.").waitFor();
  const me = await house.send("GET", "/api/v9/me", { session: person.session });
  expect(me.json()).toMatchObject({ fullname: "Ada King", timezone: "Asia/Tokyo" });
  await page.reload();
  await ready(page);
  expect([
    await page.getByLabel("Name", { exact: true }).inputValue(),
    await page.getByLabel("Time zone").inputValue(),
  ]).toEqual(["Ada King", "Asia/Tokyo"]);
});

test("a new password ends the other sessions and keeps this one", async () => {
  const { page, person } = await at("/account");
  const away = await elsewhere(person);
  const form = page.getByRole("form", { name: "Change password" });
  await form.getByLabel("New password").fill(other);
  await form.getByLabel("Current password").fill("wrong");
  await press(page, "Change password");
  await page.getByText("This is not your current password.").waitFor();
  expect(await form.getByLabel("New password").inputValue()).toBe(other);
  expect(await statusOf(away)).toBe(200);

  await form.getByLabel("Current password").fill(person.password);
  await press(page, "Change password");
  await page.getByText("Your password is changed, and all other sessions have ended.").waitFor();
  expect(await statusOf(away)).not.toBe(200);
  await page.goto("/account/sessions");
  await page.getByText("You are signed in here only.").waitFor();
});

test("all other sessions end at once, after which there is nothing more to end", async () => {
  const { page, person } = await at("/account");
  const others = [await elsewhere(person), await elsewhere(person)];
  await page.goto("/account/sessions");
  await press(page, "End all others");
  await page.getByText("2 other sessions have ended.").waitFor();
  await page.getByText("You are signed in here only.").waitFor();
  expect(await page.getByRole("button", { name: /^End/ }).count()).toBe(0);
  for (const session of [...others, person.session]) {
    expect((await statusOf(session)) === 200).toBe(session === person.session);
  }
});

test("what happened is shown by fifty, and the earlier ones on demand", async () => {
  const { page, person } = await at("/account");
  for (let count = 0; count < 55; count++) {
    await house.send("POST", "/api/sessions", { json: { email: person.email, password: "wrong" } });
  }
  await page.goto("/account/sessions");
  const lately = page.getByRole("region", { name: "What happened lately" }).getByRole("listitem");
  await press(page, "Show earlier");
  await lately.getByText("Account created").waitFor();
  expect(await lately.count()).toBe(56);
  expect(await lately.getByText("Wrong password").count()).toBe(55);
  expect(await page.getByRole("button", { name: "Show earlier" }).count()).toBe(0);
});

test("no page needs more than 30 KB of compressed script", async () => {
  const { page } = await at("/");
  for (const { path } of pages) {
    await page.goto(path);
    await ready(page);
    const scripts = await page.evaluate<readonly string[]>(
      `performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname).filter((path) => path.endsWith(".js"))`,
    );
    let bytes = 0;
    for (const script of new Set(scripts)) {
      const { headers } = await house.send("GET", script, { headers: { "accept-encoding": "gzip" } });
      expect(headers["content-encoding"]).toBe("gzip");
      bytes += Number(headers["content-length"]);
    }
    expect(bytes, path).toBeGreaterThan(0);
    expect(bytes, path).toBeLessThan(30 * 1024);
  }
});
