import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { answerAsToggl, linkedTo, type Linked } from "../support/proxied.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * A50, a provider that answers with more than an answer: it speaks to no browser, no cache and no other server in this
 * server's name, and what it packs does not burst here.
 */

let provider: Upstream;
let house: TestHouse;
let linked: Linked;
beforeAll(async () => {
  provider = await startUpstream();
  answerAsToggl(provider);
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  linked = await linkedTo(house, provider, await environmentKey(house));
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
});

const answered = async (headers: Readonly<Record<string, string>>) => {
  provider.answers("/x", { headers, body: "{}" });
  return (await linked.call("GET", "/x")).headers;
};

test.each([
  "accept-ch",
  "access-control-allow-credentials",
  "alt-svc",
  "cdn-cache-control",
  "clear-site-data",
  "content-security-policy-report-only",
  "critical-ch",
  "cross-origin-opener-policy",
  "expect-ct",
  "nel",
  "no-vary-search",
  "observe-browsing-topics",
  "origin-agent-cluster",
  "origin-trial",
  "permissions-policy",
  "pragma",
  "proxy-status",
  "public-key-pins",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "sec-session-registration",
  "server",
  "service-worker-allowed",
  "set-cookie",
  "set-cookie2",
  "set-login",
  "sourcemap",
  "speculation-rules",
  "strict-transport-security",
  "supports-loading-mode",
  "surrogate-control",
  "use-as-dictionary",
  "www-authenticate",
  "x-accel-buffering",
  "x-accel-expires",
  "x-accel-redirect",
  "x-dns-prefetch-control",
  "x-litespeed-location",
  "x-lighttpd-send-file",
  "x-permitted-cross-domain-policies",
  "x-reproxy-url",
  "x-robots-tag",
  "x-sendfile",
  "x-ua-compatible",
  "a-header-that-nobody-has-thought-of-yet",
])("A50 %s of a provider's does not come back", async (name) => {
  expect(await answered({ [name]: "of-the-provider" })).not.toHaveProperty(name);
});

test("A50 what speaks of the answer comes back", async () => {
  const headers = {
    "accept-ranges": "bytes",
    "anthropic-ratelimit-tokens-remaining": "7",
    "content-disposition": "attachment",
    "content-language": "de",
    "content-type": "application/json",
    date: "Mon, 30 Nov 2026 22:00:00 GMT",
    etag: '"1"',
    "last-modified": "Mon, 30 Nov 2026 21:00:00 GMT",
    link: '<https://api.example.com/x?page=2>; rel="next"',
    location: "/y",
    "ratelimit-limit": "100",
    "ratelimit-policy": '"default";q=100;w=10',
    "request-id": "r-1",
    "retry-after": "7",
    "x-anything": "1",
    "x-ratelimit-remaining": "3",
    "x-toggl-quota-remaining": "29",
  };
  expect(await answered(headers)).toMatchObject(headers);
});

test("A50 a request keeps the id that this server's log knows it by", async () => {
  const { "x-request-id": id } = await answered({ "x-request-id": "of-the-provider" });
  expect(id).not.toBe("of-the-provider");
  expect(id).toMatch(/^\w{20,}$/);
});

test.each([
  ["public, max-age=999", "private, max-age=999"],
  ["s-maxage=60,PUBLIC , Max-Age=5", "private, Max-Age=5"],
  ["must-revalidate, max-age=0", "private, must-revalidate, max-age=0"],
  ['private="x-a, public", s-maxage="9", no-cache', "private, no-cache"],
  ["no-store", "private, no-store"],
  ["", "private"],
])("A50 no cache of many people keeps an answer: %s", async (given, told) => {
  expect(
    (await answered({ "cache-control": given, expires: "Tue, 01 Dec 2099 00:00:00 GMT" }))["cache-control"],
  ).toBe(told);
});

test("A50 an answer that says nothing of caches is kept by none", async () => {
  expect((await answered({ expires: "Tue, 01 Dec 2099 00:00:00 GMT" }))["cache-control"]).toBe("no-store");
});

const mebibyte = 1024 * 1024;

test.each([
  ["gzip", () => gzipSync(Buffer.alloc(64 * mebibyte))],
  ["br", () => brotliCompressSync(Buffer.alloc(64 * mebibyte))],
  ["gzip, gzip", () => gzipSync(gzipSync(Buffer.alloc(64 * mebibyte)))],
] as const)("A50 a bomb in %s is cut off when it is unpacked, and the server lives", async (coding, pack) => {
  const cut = (): number =>
    house.logs.filter((line) => line.includes("proxied_answer_cut") && line.includes("too large")).length;
  const before = cut();
  provider.answers("/bomb", { headers: { "content-encoding": coding }, body: pack() });
  await expect(linked.call("GET", "/bomb", { headers: { decompress: "true" } })).rejects.toThrow(
    /aborted|hang up|ECONNRESET/,
  );
  expect(cut()).toBe(before + 1);
  expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
});

test.each([
  ["is cut short", gzipSync("Tell it again. ".repeat(9999)).subarray(0, 200)],
  ["is not what it says", Buffer.from("plain text")],
])("A50 a packed answer that %s does not pass for a whole one", async (_, body) => {
  provider.answers("/damaged", { headers: { "content-encoding": "gzip" }, body });
  await expect(linked.call("GET", "/damaged", { headers: { decompress: "true" } })).rejects.toThrow(
    /aborted|hang up|ECONNRESET/,
  );
  expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
});
