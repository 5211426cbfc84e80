// Hands on the keyboard only: what somebody without a mouse does, and what they see of where they are.

import type { Page } from "playwright-core";
import { expect } from "vitest";

type Focus = {
  /** As a screen reader would begin: by the label, or by the text. Empty while nothing has the focus. */
  readonly name: string;
  readonly tag: string;
  readonly ring: boolean;
  readonly inView: boolean;
  /** Among the stops of a walk. */
  readonly stop: number;
};

const focusScript = `(() => {
  const element = document.activeElement;
  if (!element || element === document.body) {
    return { name: "", tag: "body", ring: true, inView: true, stop: -1 };
  }
  const style = getComputedStyle(element);
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const label = element.labels?.[0];
  const text = label ? label.querySelector("span") ?? label : element;
  return {
    name: (element.getAttribute("aria-label") ?? text.textContent).trim(),
    tag: element.localName,
    ring: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2,
    inView: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
    stop: window.stops ? window.stops.indexOf(element) : -1,
  };
})()`;

const focusOf = (page: Page): Promise<Focus> => page.evaluate<Focus>(focusScript);

/** One press, after which somebody must still see where they are. */
const step = async (page: Page, key: "Tab" | "Shift+Tab"): Promise<Focus> => {
  await page.keyboard.press(key);
  const focus = await focusOf(page);
  expect(focus, `seen after ${key} on ${page.url()}`).toMatchObject({ ring: true, inView: true });
  return focus;
};

const mostSteps = 40;

/** Presses Tab until the element of this name has the focus. @returns the names on the way, with its own */
export const tabTo = async (
  page: Page,
  name: string,
  key: "Tab" | "Shift+Tab" = "Tab",
): Promise<readonly string[]> => {
  const passed: string[] = [];
  while (passed.length < mostSteps) {
    const focus = await step(page, key);
    passed.push(focus.name);
    if (focus.name === name) return passed;
  }
  throw new Error(`${key} does not lead to ${name}, only to ${[...new Set(passed)].join(", ")}`);
};

/** Tabs there and presses the key that uses it. */
export const use = async (page: Page, name: string, key: "Enter" | "Space" = "Enter"): Promise<void> => {
  await tabTo(page, name);
  await page.keyboard.press(key);
};

/** Types in place of what stands in the field that has the focus. */
export const retype = async (page: Page, text: string): Promise<void> => {
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
};

export const expectFocus = (page: Page, name: string, tag?: string): Promise<void> =>
  expect.poll(() => focusOf(page)).toMatchObject({ name, ...(tag === undefined ? {} : { tag }) });

/** The field that has the focus is marked as wrong, and says why. */
export const expectFault = async (page: Page, name: string, fault: string): Promise<void> => {
  await expectFocus(page, name, "input");
  const said = (): Promise<readonly (string | null)[]> =>
    page.evaluate(`[
      document.activeElement.getAttribute("aria-invalid"),
      (document.activeElement.getAttribute("aria-describedby") ?? "")
        .split(" ").map((id) => document.getElementById(id)?.textContent).join(" "),
    ]`);
  await expect.poll(said).toEqual(["true", expect.stringContaining(fault)]);
};

const orderScript = `(() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
  window.stops = all.filter((element) => element.tabIndex >= 0 && element.checkVisibility());
  return window.stops.length;
})()`;

/** From the top of the page through everything that takes part, and back: by number in the order of the document. */
export const walk = async (
  page: Page,
): Promise<{
  readonly stops: number;
  readonly forth: readonly number[];
  readonly back: readonly number[];
}> => {
  const stops = await page.evaluate<number>(orderScript);
  // After the last one comes the browser itself, and then the first.
  const start = await focusOf(page);
  if (start.tag !== "body") await tabTo(page, "");
  const forth: number[] = [];
  const back: number[] = [];
  for (let index = 0; index < stops; index++) forth.push((await step(page, "Tab")).stop);
  back.push(...forth.slice(-1));
  for (let index = 1; index < stops; index++) back.push((await step(page, "Shift+Tab")).stop);
  return { stops, forth, back };
};
