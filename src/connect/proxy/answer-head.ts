import type { HeadersOut } from "../../kernel/outbound/headers.ts";

/**
 * What of a provider's answer goes back: what speaks of the answer itself. What speaks to browsers, caches and proxies
 * about the place that it comes from would speak of this server, and there is always another header that does.
 */

const ofAnswers: ReadonlySet<string> = new Set([
  "accept-patch",
  "accept-post",
  "accept-ranges",
  "age",
  "allow",
  "cache-control",
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "date",
  "dav",
  "deprecation",
  "digest",
  "etag",
  "expires",
  "last-modified",
  "link",
  "location",
  "lock-token",
  "preference-applied",
  "repr-digest",
  "request-id",
  "retry-after",
  "sunset",
  "vary",
  "warning",
]);

/** Providers name them as they like: `RateLimit-Reset`, `Anthropic-RateLimit-Tokens-Limit`. */
const ofQuotas = /(?:^|-)(?:rate-?limit|quota)(?:-|$)/;

/**
 * By these, servers in front of this one are told to send a file of theirs or to ask elsewhere (nginx, Apache,
 * lighttpd, LiteSpeed, Perlbal), and browsers and search engines what to think of this origin.
 */
const ofPlaces =
  /^x-(?:accel-|sendfile|lighttpd-|litespeed-|reproxy-|original-|rewrite-|forwarded-|content-security-policy|webkit-csp|xss-protection|permitted-cross-domain-policies|dns-prefetch-control|ua-compatible|download-options|robots-tag)/;

const goesOn = (name: string): boolean =>
  ofAnswers.has(name) || (name.startsWith("x-") ? !ofPlaces.test(name) : ofQuotas.test(name));

const directives = /[^\s,;="]+(?:=(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?/g;
const ofSharedCaches: ReadonlySet<string> = new Set(["private", "public", "s-maxage"]);

/** Shared caches keep none of it (RFC 9111 §3.5): they would go on answering for a key that was revoked. */
const privately = (value: string | readonly string[]): string => {
  const given = [value].flat().join(", ").match(directives) ?? [];
  const kept = given.filter((one) => !ofSharedCaches.has(one.split("=", 1)[0]?.toLowerCase() ?? ""));
  return ["private", ...kept].join(", ");
};

/** What tells two answers of the same path apart. */
const varying =
  "Authorization, Base-Url-Override, Connection-Id, Nango-Proxy-Authorization, Provider-Config-Key";

/** What the provider tells apart by a header came from the caller by another name. */
const varyingBy = (vary: string | readonly string[] | undefined): string => {
  const names = [vary ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return [...names.flatMap((name) => (name === "*" ? name : [name, `Nango-Proxy-${name}`])), varying].join(
    ", ",
  );
};

/** @param headers those of the answer. @param standing those that every answer of this wire has: they win */
export const proxiedHead = (headers: HeadersOut, standing: Readonly<Record<string, string>>): HeadersOut => {
  const head: HeadersOut = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && goesOn(name)) head[name] = value;
  }
  const { "cache-control": caching, vary } = head;
  Object.assign(head, standing);
  if (caching !== undefined) {
    head["cache-control"] = privately(caching);
    // Whoever keeps answers for a while must not give one connection's to another.
    head["vary"] = varyingBy(vary);
  }
  head["access-control-expose-headers"] = "*";
  head["content-security-policy"] = "sandbox";
  return head;
};
