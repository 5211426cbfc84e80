import type { HeadersOut } from "../../kernel/outbound/headers.ts";

/** What of a provider's answer goes back. Its page would otherwise speak with the voice of this server's origin. */

/** State that browsers keep for an origin, and leave that the provider's server has no say in here. */
export const droppedHeaders: ReadonlySet<string> = new Set([
  "set-cookie",
  "clear-site-data",
  "alt-svc",
  "strict-transport-security",
  "nel",
  "report-to",
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "access-control-max-age",
]);

/** What tells two answers of the same path apart. */
const varying = "Authorization, Connection-Id, Provider-Config-Key";

/** Ours, unless the provider says them too. */
const ifAbsent: ReadonlySet<string> = new Set(["cache-control", "x-request-id"]);

/** @param headers those of the answer; they are changed. @param standing those that every answer of this wire has */
export const proxiedHead = (headers: HeadersOut, standing: Readonly<Record<string, string>>): HeadersOut => {
  // Whoever keeps answers for a while must not give one connection's to another.
  if (headers["cache-control"] !== undefined) {
    const { vary } = headers;
    headers["vary"] = vary === undefined ? varying : `${String(vary)}, ${varying}`;
  }
  for (const name in standing) {
    const value = standing[name];
    if (value === undefined || (ifAbsent.has(name) && headers[name] !== undefined)) continue;
    headers[name] = value;
  }
  headers["access-control-expose-headers"] = "*";
  headers["content-security-policy"] = "sandbox";
  return headers;
};
