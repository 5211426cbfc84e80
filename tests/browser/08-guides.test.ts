import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "../support/axe.ts";
import { closeBrowser, visit, type Visitor } from "../support/browser.ts";
import { variantsOf } from "../support/rounds.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";

let house: TestHouse;
let visitor: Visitor;
beforeAll(async () => {
  house = await startHouse();
  visitor = await visit(house);
});
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

/** One of each kind, and those with the widest tables and the longest lines. */
const kinds = [
  "/docs/",
  "/docs/providers",
  "/docs/providers/toggl",
  "/docs/providers/latchkey",
  "/docs/guides/add-a-provider",
  "/docs/reference/routes",
  "/docs/decisions",
];

test.for(kinds)("%s: nothing for axe to complain of, and nothing breaks the policy", async (path) => {
  const { page, faults } = visitor;
  await page.goto(path);

  await expectAccessible(page, { widths: [320, 1280], dark: path === "/docs/guides/add-a-provider" });

  expect(faults).toEqual([]);
});

test.for(kinds)("%s does not scroll sideways: what is too wide scrolls in its own box", async (path) => {
  const { page } = visitor;
  for (const [width, textSize] of variantsOf([
    [320, "100%"],
    [1280, "200%"],
  ] as const)) {
    await page.setViewportSize({ width, height: 700 });
    await page.goto(path);
    await page.evaluate(`document.documentElement.style.fontSize = "${textSize}"`);

    const sticksOut = await page.evaluate<readonly string[]>(`(() => {
      const width = document.documentElement.clientWidth;
      const all = [...document.body.querySelectorAll(":not(pre *, .scrolls *)")];
      return [
        ...(document.scrollingElement.scrollWidth > width ? ["the page"] : []),
        ...all.filter((one) => one.getBoundingClientRect().right > width + 0.5).map((one) => one.outerHTML.slice(0, 80)),
      ];
    })()`);
    expect(sticksOut, `${width} px, ${textSize}`).toEqual([]);
  }
});

test("a link of the form leads to the part of the guide that it names", async () => {
  const { page } = visitor;
  await page.setViewportSize({ width: 375, height: 700 });
  await page.goto("/docs/providers/toggl#use-your-password");

  await expect
    .poll(() => page.evaluate(`document.querySelector(":target").getBoundingClientRect().top`))
    .toBeLessThan(100);
  await page.getByRole("link", { name: "use the API token" }).click();
  expect(page.url()).toMatch(/#find-your-api-token$/);
  expect(await page.locator(":target").textContent()).toContain("Find your API token");
});

test("pictures are those of the reader's theme", async () => {
  const { page } = visitor;
  for (const [colorScheme, name] of [
    ["light", "account-token.png"],
    ["dark", "account-token-dark.png"],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("/docs/providers/latchkey");
    await page.locator("picture img").first().scrollIntoViewIfNeeded();
    const shown = `document.querySelector("picture img")`;
    await expect.poll(() => page.evaluate(`${shown}.currentSrc`)).toContain(`/docs/pictures/${name}?`);
    await expect.poll(() => page.evaluate(`${shown}.naturalWidth`)).toBeGreaterThan(0);
  }
});
