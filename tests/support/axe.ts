// Looks at a page the way axe-core does: in light and dark, on a phone and on a desk.

import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { variantsOf } from "./rounds.ts";

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

type Looks = {
  /** The first is the one of `npm test`. */
  readonly widths?: readonly number[];
  /**
   * Whether `npm test` looks at it in the dark too. The dark theme is the light one in other colors, and all its colors
   * are in one table: a page for each style sheet that uses them tells whether they go together.
   */
  readonly dark?: boolean;
};

/** Nothing to complain of; whichever way the page is looked at, in `npm run soak`. */
export const expectAccessible = async (
  page: Page,
  { widths = [375, 1280], dark = false }: Looks = {},
): Promise<void> => {
  // The policy of the pages lets no script in; the tools of a browser's developer are not asked.
  await page.evaluate(await source);
  const light = { theme: "light", rules: { type: "tag", values: tags } } as const;
  const darkened = { theme: "dark", rules: { type: "rule", values: colorRules } } as const;
  for (const width of variantsOf(widths)) {
    await page.setViewportSize({ width, height: 800 });
    for (const { theme, rules } of dark ? [light, darkened] : variantsOf([light, darkened])) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      expect({ width, theme, violations: await run(page, rules) }).toEqual({ width, theme, violations: [] });
    }
  }
};
