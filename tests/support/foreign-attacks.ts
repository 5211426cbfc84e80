// What a page of another origin can make a visitor's browser send: as it runs there, in that page.

import type { Page } from "playwright-core";

export type ForeignCall = {
  readonly method: string;
  /** Of our server, with its origin. */
  readonly address: string;
  readonly json: unknown;
};

/** Runs in the stranger's page. Every way out of it is tried, and none may wait for an answer that does not come. */
const script = `async (calls) => {
  const within = (work, ms) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);
  const form = ({ method, address }, enctype, fields) => {
    const frame = document.createElement("iframe");
    frame.name = "f" + Math.random();
    document.body.append(frame);
    const element = document.createElement("form");
    Object.assign(element, { method, action: address, enctype, target: frame.name });
    for (const [name, value] of fields) {
      const field = document.createElement("textarea");
      Object.assign(field, { name, value });
      element.append(field);
    }
    document.body.append(element);
    const loaded = new Promise((resolve) => { frame.onload = resolve; });
    element.submit();
    return within(loaded, 3000);
  };
  const load = (kind, address) => {
    const element = document.createElement(kind);
    const done = new Promise((resolve) => { element.onload = element.onerror = resolve; });
    element[kind === "link" ? "href" : "src"] = address;
    if (kind === "link") element.rel = "prefetch";
    document.body.append(element);
    return kind === "link" ? undefined : within(done, 3000);
  };
  const read = [];
  const attempt = async (address, options) => {
    try {
      const response = await fetch(address, { credentials: "include", ...options });
      const text = await response.text();
      if (response.type !== "opaque") read.push(response.status + " " + text);
    } catch { /* Refused by the browser: as it should be. */ }
  };
  for (const call of calls) {
    const { method, address, json } = call;
    const body = json === undefined ? "" : JSON.stringify(json);
    const fields = Object.entries(json ?? {}).map(([name, value]) => [name, String(value)]);
    const text = JSON.stringify(json ?? { x: 1 }).slice(0, -1) + ',"x":"';
    const disguised = { ...call, method: "POST", address: address + "?_method=" + method };
    const work = [
      form({ ...call, method: "POST" }, "application/x-www-form-urlencoded", fields),
      form({ ...call, method: "POST" }, "multipart/form-data", fields),
      form({ ...call, method: "POST" }, "text/plain", [[text, '"}']]),
      form({ ...call, method: "GET" }, "application/x-www-form-urlencoded", fields),
      form(disguised, "application/x-www-form-urlencoded", [["_method", method], ...fields]),
      attempt(address, { method, mode: "no-cors", body }),
      attempt(address, { method: "POST", mode: "no-cors", body, headers: { "content-type": "text/plain" } }),
      attempt(address, { method: "POST", mode: "no-cors" }),
      attempt(address, { method, mode: "cors", body, headers: { "content-type": "application/json" } }),
      attempt(address, { method, mode: "cors" }),
      attempt(address, { method: "POST", mode: "cors", body: new URLSearchParams(fields) }),
      attempt(address, { mode: "cors" }),
      load("img", address),
      load("script", address),
      load("link", address),
    ];
    navigator.sendBeacon(address, new Blob([body], { type: "text/plain" }));
    try { navigator.sendBeacon(address, new Blob([body], { type: "application/json" })); } catch { /* Not allowed. */ }
    await Promise.all(work);
    for (const element of document.querySelectorAll("iframe, form, img, script, link")) element.remove();
  }
  return read;
}`;

/** Tries each call in every way. @returns what the stranger could read of the answers */
export const attackFrom = (page: Page, calls: readonly ForeignCall[]): Promise<readonly string[]> =>
  page.evaluate<string[]>(`(${script})(${JSON.stringify(calls)})`);
