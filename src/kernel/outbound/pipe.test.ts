import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as open } from "node:http";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createClient } from "../../../tests/support/http.ts";
import { chunked, exchange, lines } from "../../../tests/support/raw-http.ts";
import { startUpstream, type Upstream } from "../../../tests/support/upstream.ts";
import { createOutbound, type Outbound, type PipeOptions, type PipeRequest } from "./outbound.ts";
import { startPassing } from "./testing/passing-server.ts";

const ownOrigin = new URL("https://id.example.com");

let upstream: Upstream;
let other: Upstream;
let outbound: Outbound;

beforeEach(async () => {
  [upstream, other] = await Promise.all([startUpstream(), startUpstream()]);
  outbound = createOutbound({ allow: [upstream.origin, other.origin], ownOrigin });
  return async () => {
    await outbound.close();
    await Promise.all([upstream.stop(), other.stop()]);
  };
});

const start = async (
  request: Partial<PipeRequest> = {},
  options: Partial<PipeOptions> = {},
  origin = upstream.origin,
) => {
  const server = await startPassing({ outbound, origin, request: () => request, options });
  const client = createClient(server.port, "proxy.test");
  onTestFinished(async () => {
    client.close();
    await server.stop();
  });
  return { ...client, port: server.port, outcomes: server.outcomes, thrown: server.thrown };
};

describe("a passage", () => {
  test("brings method, path, query and body there, and status, headers and body back", async () => {
    upstream.answers("/a%2Fb", {
      status: 418,
      headers: { "X-Pot": "tea", "Set-Cookie": ["a=1", "b=2"], "Retry-After": "7" },
      body: "short and stout",
    });
    const { send, outcomes } = await start();
    const reply = await send("PATCH", "/a%2Fb?x=1&x=%26", {
      headers: { "content-type": "text/plain", accept: "text/x", "x-mine": "yes" },
      body: "what is it?",
    });

    expect([reply.status, reply.text]).toEqual([418, "short and stout"]);
    expect(reply.headers).toMatchObject({ "x-pot": "tea", "retry-after": "7", "content-length": "15" });
    expect(reply.cookies).toEqual(["a=1", "b=2"]);
    const [asked] = upstream.asked;
    expect(asked).toMatchObject({ method: "PATCH", path: "/a%2Fb?x=1&x=%26", isWhole: true });
    expect(asked?.body.toString()).toBe("what is it?");
    expect(asked?.headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      "content-type": "text/plain",
      "content-length": "11",
      accept: "text/x",
      "x-mine": "yes",
    });
    expect(outcomes).toEqual([{ ended: "whole", status: 418 }]);
  });

  test("sends a body of unknown length in chunks, and one at hand with its length", async () => {
    upstream.answers("/x", {});
    const { port } = await start();
    const body = chunked("one", "two", "three");
    const head = lines("POST /x HTTP/1.1", "Host: any", "Transfer-Encoding: chunked");
    expect((await exchange(port, Buffer.concat([Buffer.from(head), body]))).status).toBe(200);
    expect(upstream.asked[0]?.headers["transfer-encoding"]).toBe("chunked");
    expect(upstream.asked[0]?.headers).not.toHaveProperty("content-length");
    expect(upstream.asked[0]?.body.toString()).toBe("onetwothree");

    const { send } = await start({ body: Buffer.from("at hand") });
    await send("POST", "/x", { body: "something longer than that" });
    expect(upstream.asked[1]?.headers["content-length"]).toBe("7");
    expect(upstream.asked[1]?.body.toString()).toBe("at hand");
  });

  test("sends a path as it is spelled, and no other host in its place", async () => {
    upstream.answers("/c", { status: 302, headers: { location: "/c" } });
    const path = "/a/../c?x=[1]|'";
    const { send } = await start({ path });
    // What a server makes of such a path may well be to send it on to the usual spelling.
    expect((await send("GET", "/c")).text).toBe("too_many_redirects");
    expect(upstream.asked.map((asked) => asked.path)).toEqual([path, "/c"]);

    const { send: sendElsewhere, thrown } = await start({ path: "http://elsewhere.test/x" });
    await expect(sendElsewhere("GET", "/x")).rejects.toThrow(/hang up/);
    expect(String(thrown[0])).toContain("begins with a slash");
    expect(upstream.asked).toHaveLength(2);
  });

  test("is as good for methods of WebDAV", async () => {
    upstream.answers("/x", { status: 207, body: "<multistatus/>" });
    const { send } = await start();
    expect(await send("PROPFIND", "/x", { headers: { depth: "1" }, body: "<propfind/>" })).toMatchObject({
      status: 207,
      text: "<multistatus/>",
    });
    expect(upstream.asked[0]).toMatchObject({ method: "PROPFIND", headers: { depth: "1" } });
  });

  test("leaves a compressed body as it is", async () => {
    const body = gzipSync("Tell it again.");
    upstream.answers("/x", { headers: { "content-encoding": "gzip" }, body });
    const { send } = await start();
    const reply = await send("GET", "/x", { headers: { "accept-encoding": "gzip" } });

    expect(reply.headers["content-encoding"]).toBe("gzip");
    expect(Number(reply.headers["content-length"])).toBe(body.length);
    expect(upstream.asked[0]?.headers["accept-encoding"]).toBe("gzip");
  });

  test.each([
    ["HEAD", 200, "12"],
    ["GET", 204, undefined],
    ["GET", 304, undefined],
  ])("of %s with %i has no body", async (method, status, length) => {
    upstream.answers("/x", { status, headers: { etag: '"1"' }, ...(method === "HEAD" && { claims: 12 }) });
    const { send, outcomes } = await start();
    const reply = await send(method, "/x");

    expect([reply.status, reply.text, reply.headers["etag"]]).toEqual([status, "", '"1"']);
    if (length !== undefined) expect(reply.headers["content-length"]).toBe(length);
    expect(outcomes).toEqual([{ ended: "whole", status }]);
  });

  test("passes a head on before there is a body", async () => {
    upstream.answers("/x", { headers: { "content-type": "text/event-stream" }, chunked: true, then: "hang" });
    const { port, outcomes } = await start();
    const outgoing = open({ port, path: "/x" }).end();
    const [reply]: unknown[] = await once(outgoing, "response");

    expect(reply).toMatchObject({ statusCode: 200, headers: { "content-type": "text/event-stream" } });
    expect(outcomes).toEqual([]);
    outgoing.destroy();
    await expect.poll(() => outcomes).toEqual([{ ended: "left", status: 200 }]);
  });

  test("passes over what comes before the answer (1xx)", async () => {
    const bytes =
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    upstream.answers("/x", { instead: { bytes } });
    const { send } = await start();
    const reply = await send("GET", "/x");
    expect([reply.status, reply.text, reply.headers["link"]]).toEqual([200, "hi", undefined]);
  });
});

describe("headers", () => {
  test("of one hop stay there, those that Connection names too", async () => {
    upstream.answers("/x", {
      headers: {
        Connection: "X-Hop, keep-alive",
        "X-Hop": "no",
        "Keep-Alive": "timeout=77",
        "Proxy-Authenticate": "Basic",
        Upgrade: "h2c",
        Trailer: "X-Sum",
        "X-End": "yes",
      },
      body: "hi",
      chunked: true,
    });
    const { port } = await start();
    const { head } = await exchange(
      port,
      [
        "GET /x HTTP/1.1",
        "Host: proxy.test",
        "Connection: close, X-Step",
        "X-Step: no",
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: Basic YTpi",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Trailer: X-Sum",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "X-End: yes",
        "",
        "",
      ].join("\r\n"),
    );

    expect(head).toMatch(/^x-end: yes$/im);
    expect(head).not.toMatch(/x-hop|timeout=77|proxy-auth|upgrade|trailer/i);
    expect(head).toMatch(/^connection: close$/im);
    expect(upstream.asked[0]?.rawHeaders).toEqual([
      "host",
      `127.0.0.1:${upstream.port}`,
      "connection",
      "keep-alive",
      "x-end",
      "yes",
    ]);
  });

  test("are dropped and added as the caller says, whose own win", async () => {
    upstream.answers("/x", { headers: { "Set-Cookie": "a=1", Server: "nginx", "X-Quota": "3" }, body: "hi" });
    const { send } = await start(
      { drop: new Set(["cookie", "x-inner"]), add: { Authorization: "Basic b3Vycw==", "x-both": "ours" } },
      {
        head: (status, { server, "x-quota": quota = "" }) => ({
          server: `was ${String(server)}, ${status}`,
          "x-quota": quota,
        }),
      },
    );
    const reply = await send("GET", "/x", {
      headers: {
        authorization: "Basic dGhlaXJz",
        cookie: "s=1",
        "x-inner": "1",
        "X-Both": "theirs",
        "x-other": "1",
      },
    });

    const { headers = {}, rawHeaders = [] } = upstream.asked[0] ?? {};
    expect(headers).toMatchObject({ authorization: "Basic b3Vycw==", "x-both": "ours", "x-other": "1" });
    expect(rawHeaders.join("\n")).not.toMatch(/dGhlaXJz|s=1|x-inner|theirs/);
    expect(reply.headers).toMatchObject({ server: "was nginx, 200", "x-quota": "3" });
    expect(reply.cookies).toEqual([]);
  });

  test("of a packed answer are those of the plain one, which is unpacked as fast as it is read", async () => {
    const body = randomBytes(24 * 1024 * 1024).toString("base64");
    const headers = { "content-encoding": "gzip", "content-type": "text/x" };
    upstream.answers("/x", { headers, body: gzipSync(body, { level: 1 }) });
    const { send, outcomes } = await start({}, { decompress: true });
    const reply = await send("GET", "/x");
    expect(reply.text === body).toBe(true);
    expect(reply.headers["content-type"]).toBe("text/x");
    expect(reply.headers).not.toHaveProperty("content-encoding");
    expect(outcomes).toEqual([{ ended: "whole", status: 200 }]);
  });

  test("that no request may have are no fault of the stranger's", async () => {
    const { send, thrown } = await start({ add: { "x-a": "1\r\nx-b: 2" } });
    await expect(send("GET", "/x")).rejects.toThrow(/hang up/);
    expect(String(thrown[0])).toContain("invalid x-a header");
    expect(upstream.asked).toEqual([]);
  });
});

describe("a redirect", () => {
  test("is followed, without the credentials where it leads to another origin", async () => {
    upstream.answers("/x", { status: 302, headers: { location: "/y" }, body: "x".repeat(200_000) });
    upstream.answers("/y", { status: 302, headers: { location: other.url("/z").href } });
    other.answers("/z", { body: "arrived" });
    const { send } = await start({ add: { "x-api-key": "0123abcd" }, sensitive: ["x-mine"] });
    const reply = await send("GET", "/x", { headers: { "x-mine": "yes", accept: "text/x", cookie: "a=b" } });

    expect([reply.status, reply.text]).toEqual([200, "arrived"]);
    expect(upstream.asked[1]?.headers).toMatchObject({ "x-api-key": "0123abcd", cookie: "a=b" });
    expect(other.asked[0]?.headers).toMatchObject({ accept: "text/x" });
    expect(other.asked[0]?.rawHeaders.join("\n")).not.toMatch(/0123abcd|x-mine|a=b/);
  });

  test("of a request that has a body, or changes something, is the answer; so is any when the caller says so", async () => {
    upstream.answers("/x", { status: 307, headers: { location: "/y" } });
    const following = await start();
    const strict = await start({}, { follow: false });

    expect((await following.send("POST", "/x", { body: "b" })).headers["location"]).toBe("/y");
    expect((await following.send("DELETE", "/x")).status).toBe(307);
    expect((await strict.send("GET", "/x")).status).toBe(307);
    expect(upstream.asked.map(({ path }) => path)).toEqual(["/x", "/x", "/x"]);
  });
});
