// What a ruler says of a page: whether anything sticks out, is cut off or jumps.

import type { Page } from "playwright-core";
import { expect } from "vitest";

const measureScript = `(() => {
  const { clientWidth: width } = document.documentElement;
  const nameOf = (element) => element.localName + "." + element.className + " " + element.textContent.trim().slice(0, 60);
  const seen = [...document.body.querySelectorAll("*")].filter(
    (element) => element.checkVisibility() && !element.closest(".for-readers, svg, option"),
  );
  const sticksOut = (element) => {
    const { left, right } = element.getBoundingClientRect();
    return right > width + 0.5 || left < -0.5;
  };
  // What can be scrolled in its own box, or ends in dots where the whole stands elsewhere, is not lost.
  const mayBeLonger = (element) =>
    ["input", "select"].includes(element.localName) || getComputedStyle(element).textOverflow === "ellipsis";
  const isCut = (element) =>
    getComputedStyle(element).display !== "inline" && !mayBeLonger(element) &&
    element.scrollWidth > element.clientWidth + 1;
  return {
    scrollsBy: Math.max(0, document.scrollingElement.scrollWidth - width),
    sticksOut: seen.filter(sticksOut).map(nameOf),
    cut: seen.filter(isCut).map(nameOf),
  };
})()`;

/** Everything lies between the two edges of the window, and inside what it belongs to. */
export const expectFits = async (page: Page, what: string): Promise<void> => {
  expect({ what, ...(await page.evaluate<object>(measureScript)) }).toEqual({
    what,
    scrollsBy: 0,
    sticksOut: [],
    cut: [],
  });
};

/** Before the first page: notes whatever moves without anybody having touched it. */
export const watchShifts = async (page: Page): Promise<void> => {
  await page.addInitScript(`
    window.shifts = [];
    window.shiftObserver = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
    window.shiftObserver.observe({ type: "layout-shift", buffered: true });
  `);
};

type Shift = { readonly value: number; readonly moved: readonly string[] };

export const shiftsOf = (page: Page): Promise<readonly Shift[]> =>
  page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const all = [...window.shifts, ...window.shiftObserver.takeRecords()];
    resolve(all.filter(({ hadRecentInput }) => !hadRecentInput).map(({ value, sources }) => ({
      value,
      moved: sources.map(({ node }) => (node?.localName ?? "text") + " " + (node?.textContent ?? "").slice(0, 40)),
    })));
  })))`);

/** A network on which every answer takes as long as a far-away server's. */
export const slowDown = async (page: Page, latency: number): Promise<void> => {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
};

/** What moves by itself as the styles stand now. */
export const movingParts = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`[...document.querySelectorAll("*")].filter((element) => {
    const { transitionDuration, animationDuration, scrollBehavior } = getComputedStyle(element);
    const lasts = (durations) => durations.split(",").some((duration) => Number.parseFloat(duration) > 0);
    return lasts(transitionDuration) || lasts(animationDuration) || scrollBehavior === "smooth";
  }).map((element) => element.localName)`);
