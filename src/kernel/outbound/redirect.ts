/** Whether and where an answer sends a call on (RFC 9110 §15.4). Only what changes nothing is followed. */

import { hostOf, OutboundFault } from "./fault.ts";
import { withoutSensitive } from "./headers.ts";

const mostRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const seeOther = 303;

/** A call on its way: where it goes next, and with which head. */
export type Way = {
  readonly url: URL;
  /** Path and query, where they are not spelled as those of the URL. */
  readonly path?: string | undefined;
  readonly method: string;
  /** Names and values in turn. */
  readonly lines: string[];
  /** Headers that only the first origin may see, besides Authorization and Cookie. */
  readonly sensitive: readonly string[];
  /** Where it has been. */
  readonly trail: readonly string[];
};

/**
 * The way on; undefined when the answer sends nowhere, or the call is one that may not be repeated elsewhere.
 * @throws OutboundFault `too_many_redirects`, `address_refused` for a way from https to http, `broken`
 */
export const nextWay = (
  way: Way,
  status: number,
  location: string | readonly string[] | undefined,
): Way | undefined => {
  const { url, method, lines, sensitive } = way;
  if (!redirects.has(status) || typeof location !== "string") return undefined;
  if (method !== "GET" && method !== "HEAD") return undefined;
  const to = URL.parse(location, url.href);
  if (to === null) {
    throw new OutboundFault("broken", `${hostOf(url)} sends to an address that is none.`, { sent: true });
  }
  to.hash = "";
  if (url.protocol === "https:" && to.protocol === "http:") {
    throw new OutboundFault("address_refused", `${hostOf(url)} sends from https to http.`, { sent: true });
  }
  const { path = url.pathname + url.search } = way;
  const trail = [...way.trail, `${method} ${url.origin}${path}`];
  const next = status === seeOther ? "GET" : method;
  if (trail.length > mostRedirects || trail.includes(`${next} ${to.origin}${to.pathname}${to.search}`)) {
    throw new OutboundFault("too_many_redirects", `${hostOf(url)} sends from one address to the next.`, {
      sent: true,
    });
  }
  return {
    url: to,
    method: next,
    lines: to.origin === url.origin ? lines : withoutSensitive(lines, sensitive),
    sensitive,
    trail,
  };
};
