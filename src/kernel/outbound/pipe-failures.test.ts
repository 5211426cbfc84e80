import { once } from "node:events";
import { createServer, request as open, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tests/support/free-port.ts";
import { createClient } from "../../../tests/support/http.ts";
import { startUpstream, type Script, type Upstream } from "../../../tests/support/upstream.ts";
import { createOutbound, type Outbound, type PipeOptions, type PipeRequest } from "./outbound.ts";
import { startPassing } from "./testing/passing-server.ts";

const ownOrigin = new URL("https://id.example.com");

let upstream: Upstream;
let outbound: Outbound;

beforeEach(async () => {
  upstream = await startUpstream();
  outbound = createOutbound({ allow: [upstream.origin], ownOrigin });
  return async () => {
    await outbound.close();
    await upstream.stop();
  };
});

const start = async (request: Partial<PipeRequest> = {}, options: Partial<PipeOptions> = {}) => {
  const server = await startPassing({ outbound, origin: upstream.origin, request: () => request, options });
  const client = createClient(server.port, "proxy.test");
  onTestFinished(async () => {
    client.close();
    await server.stop();
  });
  return { ...client, port: server.port, outcomes: server.outcomes, thrown: server.thrown };
};

/** A client of a server that answers as the test says. */
const serve = async (answer: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>) => {
  const server = createServer((incoming, response) => void answer(incoming, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  const client = createClient(address.port, "proxy.test");
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return client;
};

describe("a passage that fails before its first byte leaves the answer to the caller:", () => {
  const table: readonly (readonly [string, Script, string])[] = [
    ["hangs", { instead: "hang" }, "timeout"],
    ["resets", { instead: "reset" }, "broken"],
    ["closes", { instead: "close" }, "broken"],
    ["speaks something else", { instead: { bytes: "220 mail.example.com ESMTP\r\n" } }, "broken"],
    ["redirects to itself", { status: 302, headers: { location: "/x" } }, "too_many_redirects"],
    ["redirects inside", { status: 302, headers: { location: "https://10.0.0.1/" } }, "address_refused"],
  ];

  test.each(table)("the stranger %s", async (_, script, kind) => {
    upstream.answers("/x", script);
    const { send, outcomes } = await start({}, { firstByteMs: kind === "timeout" ? 200 : 20_000 });
    const reply = await send("GET", "/x");

    expect([reply.status, reply.text]).toEqual([502, kind]);
    expect(outcomes).toMatchObject([{ ended: "failed", fault: { kind } }]);
  });

  test("nobody listens, and the body is still there to be sent elsewhere", async () => {
    const nowhere = new URL(`http://127.0.0.1:${await freePort()}/x`);
    const reaching = createOutbound({ allow: [nowhere.origin, upstream.origin], ownOrigin });
    onTestFinished(() => reaching.close());
    upstream.answers("/x", { body: "got it" });
    const ended: unknown[] = [];
    const client = await serve(async (incoming, response) => {
      const request = { method: "POST", headers: incoming.headers, body: incoming };
      const head: PipeOptions["head"] = (_status, headers) => headers;
      ended.push(await reaching.pipe({ ...request, url: nowhere }, response, { head }));
      ended.push(await reaching.pipe({ ...request, url: upstream.url("/x") }, response, { head }));
    });

    expect((await client.send("POST", "/", { body: "hello" })).text).toBe("got it");
    expect(ended).toMatchObject([
      { ended: "failed", fault: { kind: "unreachable", sent: false } },
      { ended: "whole", status: 200 },
    ]);
    expect(upstream.asked[0]?.body.toString()).toBe("hello");
  });

  test("the caller may keep an answer back and try again", async () => {
    const unavailable = { status: 503, headers: { "retry-after": "0" }, body: "x".repeat(500_000) };
    upstream.answers("/x", () => (upstream.asked.length === 1 ? unavailable : { body: "yes" }));
    const ended: unknown[] = [];
    const client = await serve(async (_incoming, response) => {
      const request = { method: "POST", url: upstream.url("/x"), body: Buffer.from("again") };
      const head: PipeOptions["head"] = (status, headers) => (status === 503 ? undefined : headers);
      const listeners = response.listenerCount("close");
      ended.push(await outbound.pipe(request, response, { head }));
      ended.push(response.listenerCount("close") - listeners);
      ended.push(await outbound.pipe(request, response, { head }));
    });
    const reply = await client.send("GET", "/");

    expect([reply.status, reply.text, reply.headers["retry-after"]]).toEqual([200, "yes", undefined]);
    expect(ended).toMatchObject([
      { ended: "kept", status: 503, headers: { "retry-after": "0" } },
      0,
      { ended: "whole", status: 200 },
    ]);
    expect(upstream.asked.map(({ body }) => body.toString())).toEqual(["again", "again"]);
  });

  test("a caller that fails itself hears of it", async () => {
    upstream.answers("/x", { body: "hi" });
    const failing = () => {
      throw new RangeError("A bug");
    };
    const { send, thrown } = await start({}, { head: failing });
    await expect(send("GET", "/x")).rejects.toThrow(/hang up/);
    expect(thrown).toEqual([new RangeError("A bug")]);
  });
});

describe("nobody takes a part for the whole:", () => {
  const half = "x".repeat(50_000);
  const table: readonly (readonly [string, Script])[] = [
    ["resets", { body: half, claims: 100_000, then: "reset" }],
    ["closes", { body: half, claims: 100_000, then: "close" }],
    ["resets between chunks", { body: half, chunked: true, then: "reset" }],
    ["closes between chunks", { body: half, chunked: true, then: "close" }],
  ];

  test.each(table)("the stranger %s", async (_, script) => {
    upstream.answers("/x", script);
    const { send, outcomes } = await start();
    await expect(send("GET", "/x")).rejects.toThrow(/aborted|reset|hang up/i);
    expect(outcomes).toMatchObject([{ ended: "cut", status: 200, fault: { kind: "broken", sent: true } }]);
  });

  test("and what is more than it claims is not passed on", async () => {
    upstream.answers("/x", { body: "hello, and more", claims: 5, then: "close" });
    const { send } = await start();
    expect((await send("GET", "/x")).text).toBe("hello");
  });
});

describe("the time for the first byte", () => {
  test("is no time for the whole answer", async () => {
    upstream.answers("/x", { body: "0123456789", drip: { bytes: 1, everyMs: 100 } });
    const { send } = await start({}, { firstByteMs: 500 });
    expect((await send("GET", "/x")).text).toBe("0123456789");
  });

  test("begins anew with each piece of the request's body", async () => {
    upstream.answers("/x", { body: "got it" });
    const { port } = await start({}, { firstByteMs: 1000 });
    const outgoing = open({ port, path: "/x", method: "POST" });
    for (let piece = 0; piece < 40; piece += 1) {
      outgoing.write("piece");
      await wait(50);
    }
    outgoing.end();
    const [reply]: unknown[] = await once(outgoing, "response");

    expect(reply).toMatchObject({ statusCode: 200 });
    expect(upstream.asked[0]?.received).toBe(200);
    outgoing.destroy();
  });
});
