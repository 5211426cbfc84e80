// What a test does at a page as a person with a mouse would, and how it knows that the page is all there.

import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { visit, type Visitor } from "./browser.ts";
import type { Person, TestHouse } from "./house.ts";
import { sessionCookieName } from "./http.ts";

const stands = `document.querySelector("h1")?.checkVisibility() === true && document.querySelector(".waiting") === null`;

/**
 * Until the page stands, with everything that it asks the server for. Asked by a script of one line, for what a locator
 * brings along costs as much as the page itself.
 */
export const ready = async (page: Page): Promise<void> => {
  // The document may be on its way to another one.
  const doesStand = (): Promise<boolean> => page.evaluate<boolean>(stands).catch(() => false);
  await expect.poll(doesStand, { interval: 20, message: `${page.url()} stands` }).toBe(true);
};

/** Signed in without the sign-in page: the browser has the cookie as if the server had set it. */
export const keepSession = (context: BrowserContext, session: string): Promise<void> =>
  context.addCookies([
    {
      name: sessionCookieName,
      value: session,
      domain: "localhost",
      path: "/",
      httpOnly: true,
      secure: true,
      sameSite: "Lax",
    },
  ]);

/** Somebody new, signed in, with the page of this path open. */
export const signedInAt = async (
  house: TestHouse,
  path: string,
): Promise<Visitor & { readonly person: Person }> => {
  const person = await house.person();
  const visitor = await visit(house);
  await keepSession(visitor.context, person.session);
  await visitor.page.goto(path);
  await ready(visitor.page);
  return { ...visitor, person };
};

/** Fills fields by their labels. */
export const type = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
  for (const [label, text] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).fill(text);
  }
};

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

export const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name, exact: true }).waitFor();

type Credentials = { readonly password?: string; readonly remember?: boolean };

/** The password that `house.person` gives people too. */
const usual = "a quiet river at noon";

/** Fills in the page for signing up, and sends it. */
export const signUp = async (
  page: Page,
  email: string,
  { password = usual, remember = false }: Credentials = {},
): Promise<void> => {
  await type(page, { Email: email, Password: password });
  await page.getByLabel("I accept the terms").check();
  await page.getByLabel("Stay signed in").setChecked(remember);
  await press(page, "Create account");
};

/** Fills in the page for signing in, and sends it. */
export const signIn = async (
  page: Page,
  email: string,
  { password = usual, remember = false }: Credentials = {},
): Promise<void> => {
  await type(page, { Email: email, Password: password });
  await page.getByLabel("Stay signed in").setChecked(remember);
  await press(page, "Sign in");
};
