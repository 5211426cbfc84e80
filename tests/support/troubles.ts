// What goes wrong between a page and the server, and what the page sends meanwhile.

import type { Page } from "playwright-core";

/** Everything but GET that the page sends from now on, by method and path. */
export const noteWrites = (page: Page): readonly string[] => {
  const writes: string[] = [];
  page.on("request", (request) => {
    if (request.method() !== "GET") writes.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  return writes;
};

/**
 * From now on what the page asks at this address does not reach the server.
 * @param ending what becomes of it in the end
 * @returns brings the end
 */
export const holdUp = async (
  page: Page,
  address: RegExp,
  ending: "goes on" | "reset" = "goes on",
): Promise<() => void> => {
  const { promise: held, resolve: end } = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    await held;
    await (ending === "reset" ? route.abort("connectionreset") : route.fallback());
  });
  return end;
};

type Fulfilled = { readonly status?: number; readonly contentType?: string; readonly body?: string };

/** The next request to this address gets that answer, or none at all, from something in between. */
export const answerOnce = async (page: Page, address: RegExp, answer: Fulfilled | "reset"): Promise<void> => {
  await page.route(
    address,
    (route) => (answer === "reset" ? route.abort("connectionreset") : route.fulfill(answer)),
    { times: 1 },
  );
};
