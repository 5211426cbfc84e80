// Looks at a page the way axe-core does: in light and dark, on a phone and on a desk.

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

type Violation = { readonly id: string; readonly help: string; readonly where: readonly string[] };

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const run = (page: Page): Promise<readonly Violation[]> =>
  page.evaluate(`axe.run({
    runOnly: { type: "tag", values: ${JSON.stringify(tags)} },
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  }).then(({ violations }) => violations.map(({ id, help, nodes }) => ({
    id, help, where: nodes.map(({ html, failureSummary }) => html.slice(0, 200) + " " + failureSummary),
  })))`);

const themes = ["light", "dark"] as const;

/** Nothing to complain of, whichever way the page is looked at. */
export const expectAccessible = async (
  page: Page,
  widths: readonly number[] = [375, 1280],
): Promise<void> => {
  // The policy of the pages lets no script in; the tools of a browser's developer are not asked.
  await page.evaluate(axe.source);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      expect({ width, theme, violations: await run(page) }).toEqual({ width, theme, violations: [] });
    }
  }
};
