/** Where a request comes from, as far as its sender can't choose: another site, another host, another machine. */

import { isLoopbackHost, portOf } from "../text/host.ts";
import { isLoopback } from "./client-address.ts";

export type Provenance = {
  /** Node's `headers.origin`. */
  readonly origin: string | readonly string[] | undefined;
  /** Node's `headers["sec-fetch-site"]`. */
  readonly secFetchSite: string | readonly string[] | undefined;
  /** Our own origin and the listed CORS origins, as browsers write them: `https://accounts.example.com`. */
  readonly allowedOrigins: ReadonlySet<string>;
};

/**
 * The CSRF rule for writes that a cookie authenticates, and for sign-in and sign-up. `Origin` decides when it is
 * present (`null`, repeated and foreign values are elsewhere; RFC 6454 §7), else `Sec-Fetch-Site`, which must be
 * `same-origin`. With neither it is not a browser's request, and not from elsewhere.
 */
export const cameFromElsewhere = ({ origin, secFetchSite, allowedOrigins }: Provenance): boolean => {
  if (origin !== undefined) return typeof origin !== "string" || !allowedOrigins.has(origin);
  return secFetchSite !== undefined && secFetchSite !== "same-origin";
};

/**
 * Whether the Host header names our origin's host and port. The case is ignored and a default port may be written
 * out; everything else must be as the origin has it (a trailing dot makes another host, as in browsers).
 */
export const isOurHost = (hostHeader: string | undefined, origin: URL): boolean => {
  if (hostHeader === undefined) return false;
  const ours = origin.host;
  if (hostHeader === ours) return true;
  const host = hostHeader.toLowerCase();
  if (host === ours) return true;
  return origin.port === "" && host === `${ours}:${portOf(origin)}`;
};

export type LocalEvidence = {
  /** The configured origin. */
  readonly origin: URL;
  /** Node's `headers.host`. */
  readonly host: string | undefined;
  /** Node's `socket.remoteAddress`: the peer itself, not what a proxy says of it. */
  readonly socketAddress: string | undefined;
  /** Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
};

/**
 * Whether a request was made on this machine, for this machine: the origin is local, Host equals it (so a rebound
 * DNS name does not pass), the peer is loopback, and no header shows that a proxy stands in between.
 */
export const isLocalRequest = ({ origin, host, socketAddress, rawHeaders }: LocalEvidence): boolean =>
  isLoopbackHost(origin.hostname) &&
  isOurHost(host, origin) &&
  socketAddress !== undefined &&
  isLoopback(socketAddress) &&
  !isForwarded(rawHeaders);

const isForwarded = (rawHeaders: readonly string[]): boolean => {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    // X-Real-IP is all that many a hand-written nginx configuration sends.
    if (name === "forwarded" || name === "via" || name === "x-real-ip" || name.startsWith("x-forwarded-")) {
      return true;
    }
  }
  return false;
};
