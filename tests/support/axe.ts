// Looks at a page the way axe-core does: in light and dark, on a phone and on a desk.

import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { expect } from "vitest";

type Violation = { readonly id: string; readonly help: string; readonly where: readonly string[] };

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The rules that look at colors. */
const colorRules = ["color-contrast", "link-in-text-block"];

const run = (page: Page, runOnly: object): Promise<readonly Violation[]> =>
  page.evaluate(`axe.run({
    runOnly: ${JSON.stringify(runOnly)},
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  }).then(({ violations }) => violations.map(({ id, help, nodes }) => ({
    id, help, where: nodes.map(({ html, failureSummary }) => html.slice(0, 200) + " " + failureSummary),
  })))`);

// The smaller of its two files, because every page has to read it.
const source = readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** Nothing to complain of, whichever way the page is looked at. */
export const expectAccessible = async (
  page: Page,
  widths: readonly number[] = [375, 1280],
): Promise<void> => {
  // The policy of the pages lets no script in; the tools of a browser's developer are not asked.
  await page.evaluate(await source);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    // The dark theme is the light one in other colors: `light-dark()` has no other values.
    for (const [theme, rules] of [
      ["light", { type: "tag", values: tags }],
      ["dark", { type: "rule", values: colorRules }],
    ] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      expect({ width, theme, violations: await run(page, rules) }).toEqual({ width, theme, violations: [] });
    }
  }
};
