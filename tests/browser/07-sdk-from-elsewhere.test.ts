import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeBrowser, visit } from "../support/browser.ts";
import { describeFrontEnd, type Outcome } from "../support/front-end-sdk.ts";
import { startSdkHouse, type SdkHouse } from "../support/sdk-scene.ts";
import { startStranger, type Stranger } from "../support/stranger.ts";

/** The published SDK in an app's own page, which is of another site: what a browser lets it call, and read. */

let all: SdkHouse;
let app: Stranger;
let page: Page;
beforeAll(async () => {
  all = await startSdkHouse();
  app = await startStranger("127.0.0.1");
  const folder = dirname(fileURLToPath(import.meta.resolve("@nangohq/frontend")));
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".js"))) {
    app.serveScript(`/sdk/${name}`, readFileSync(`${folder}/${name}`, "utf8"));
  }
  const { context } = await visit(all.house);
  page = await context.newPage();
  await page.goto(app.show("/", "<p>An app"));
});
afterAll(async () => {
  await closeBrowser();
  await app.stop();
  await all.stop();
});

describe("@nangohq/frontend in Chromium", () => {
  describeFrontEnd(
    () => all,
    ({ made, method, args }) => {
      const options = { host: all.house.config.origin.origin, ...made };
      return page.evaluate<Outcome>(`(async () => {
        const { default: Nango } = await import("/sdk/index.js");
        try {
          return { done: await new Nango(${JSON.stringify(options)}).${method}(...${JSON.stringify(args)}) };
        } catch (error) {
          return { thrown: { type: error.type ?? error.name, message: error.message } };
        }
      })()`);
    },
  );
});

describe("a page of another site", () => {
  /** Status and code as the page's script sees them; `blocked` when the browser keeps the answer from it. */
  const ask = (path: string, init: object) =>
    page.evaluate<unknown>(`fetch("${all.house.config.origin.origin}${path}", ${JSON.stringify(init)}).then(
      async (response) => {
        const text = await response.text();
        return [response.status, text === "" ? undefined : JSON.parse(text).error?.code];
      },
      () => "blocked",
    )`);

  test("reads and ends a session with its token, and reads every refusal", async () => {
    const token = await (await all.scene()).session();
    const headers = { authorization: `Bearer ${token}` };

    for (const path of ["/connect/session", "/integrations", "/providers/toggl"]) {
      expect(await ask(path, { headers })).toEqual([200, undefined]);
      expect(await ask(path, {})).toEqual([401, "missing_auth_header"]);
    }
    const json = { ...headers, "content-type": "application/json" };
    expect(await ask("/api-auth/basic/toggl", { method: "POST", headers: json, body: "{" })).toEqual([
      400,
      "invalid_json",
    ]);
    expect(await ask("/connect/nothing", { headers })).toEqual([404, "not_found"]);
    expect(await ask("/connect/session", { method: "DELETE", headers })).toEqual([204, undefined]);
    expect(await ask("/connect/session", { headers })).toEqual([401, "unknown_connect_session_token"]);
  });

  test("gets nothing by a cookie, and no word of what is outside of this wire", async () => {
    expect(await ask("/integrations", { credentials: "include" })).toBe("blocked");
    expect(await ask("/api/v9/me", {})).toBe("blocked");
  });
});
