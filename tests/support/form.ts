// Somebody at the Connect form that a link opened: what they type, and what it tells them.

import type { Page } from "playwright-core";
import { expect } from "vitest";

/** As the app's link does, in a tab that may have had another one open. */
export const openLink = async (page: Page, session: string): Promise<void> => {
  await page.goto("about:blank");
  await page.goto(`/connect/#session_token=${session}`);
  await page.locator("h1").waitFor();
};

export const titleOf = (page: Page): Promise<string> => page.locator("h1").innerText();

/** One of the fields, by its label. */
export const enter = (page: Page, label: string, text: string): Promise<void> =>
  page.getByLabel(label, { exact: true }).fill(text);

export const chooseShape = (page: Page, title: string): Promise<void> =>
  page.getByRole("radio", { name: new RegExp(`^${title}`) }).check();

export const submit = (page: Page): Promise<void> => page.locator("form button.main").click();

/** What came of the last try, line by line; empty when there is nothing to tell. */
export const noticeOf = (page: Page): Promise<readonly string[]> =>
  page.locator("[role=alert] p").allInnerTexts();

export const expectNotice = (page: Page, ...lines: readonly string[]): Promise<void> =>
  expect.poll(() => noticeOf(page)).toEqual(lines);

/** What is said to be wrong with fields, by their labels. */
export const faultsOf = (page: Page): Promise<Readonly<Record<string, string>>> =>
  page.evaluate(`Object.fromEntries([...document.querySelectorAll(".field")].flatMap((field) => {
    const fault = field.querySelector(".fault");
    const input = field.querySelector("input, select");
    const isTold = fault && input.getAttribute("aria-invalid") === "true" &&
      input.getAttribute("aria-describedby").split(" ").includes(fault.id);
    return isTold ? [[field.querySelector("label").textContent, fault.textContent]] : [];
  }))`);

/** The labels of everything that can be filled in, in its order. */
export const labelsOf = (page: Page): Promise<readonly string[]> =>
  page.locator(".field > label").allInnerTexts();

/** The rows of what was linked: title and text. */
export const factsOf = (page: Page): Promise<Readonly<Record<string, string>>> =>
  page.evaluate(`Object.fromEntries([...document.querySelectorAll(".facts dt")].map((title) => [
    title.textContent, title.nextElementSibling.innerText,
  ]))`);

/** How the characters of a field are drawn: `disc` hides them, `none` shows them. */
export const maskOf = async (page: Page, label: string): Promise<string> => {
  await page.getByLabel(label, { exact: true }).focus();
  return page.evaluate("getComputedStyle(document.activeElement).webkitTextSecurity");
};
