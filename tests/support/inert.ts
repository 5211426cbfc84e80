// Texts that would like to be more than texts, and how a test sees that they are not.

import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Each would set `window.hurt`, or show an image that does not exist, where it is taken for more than a text. */
export const hostileTexts: readonly string[] = [
  `<img src=x onerror=hurt=1>`,
  `"><script>hurt=1</script>`,
  `'><svg onload='hurt=1'>`,
  `</title></head><body onload=hurt=1><h1>`,
  `"autofocus onfocus="hurt=1`,
  `javascript:hurt=1`,
  `{{constructor.constructor('hurt=1')()}} \${hurt=1} <%= hurt=1 %>`,
  `&lt;img src=x onerror=hurt=1&gt;&#60;b&#62;`,
  `\\u003cimg src=x onerror=hurt=1\\u003e`,
  `]]><!--<style>*{display:none}</style>`,
  `🙂👩‍👩‍👧 שלום مرحبا Ω̴̧͎ ­`,
];

/** From now on: what the page asks for that is no file and no call of ours, and what it stops people with. */
export const watchHarm = (page: Page): readonly string[] => {
  const harm: string[] = [];
  page.on("dialog", (dialog) => {
    harm.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => void harm.push(`popup: ${popup.url()}`));
  page.on("download", (download) => void harm.push(`download: ${download.url()}`));
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const isOurs =
      request.isNavigationRequest() || /^\/(?:assets\/[\w.-]+|api\/[\w/-]+|dev\/mails)$/.test(pathname);
    if (!isOurs) harm.push(`request: ${request.url()}`);
  });
  return harm;
};

const elements = [
  "script:not([src])",
  "img",
  "iframe",
  "object",
  "embed",
  "base",
  "style",
  "[style]",
  "[onerror]",
  "[onload]",
  "[onfocus]",
  "svg[onload]",
  "a[href^='javascript' i]",
  "a[href^='data' i]",
  "form[action]",
  "meta[http-equiv]",
];

/** Nothing of a hostile text has become an element, run, or leads anywhere. */
export const expectInert = async (page: Page, harm: readonly string[]): Promise<void> => {
  const seen = await page.evaluate(`({
    hurt: typeof window.hurt,
    elements: ${JSON.stringify(elements)}.filter((selector) => document.querySelector(selector)),
    foreign: [...document.links].map(({ href }) => href).filter((href) => !href.startsWith(location.origin + "/")),
    titled: document.title.includes("Latchkey"),
  })`);
  expect({ seen, harm, url: page.url() }).toEqual({
    seen: { hurt: "undefined", elements: [], foreign: [], titled: true },
    harm: [],
    url: page.url(),
  });
};
