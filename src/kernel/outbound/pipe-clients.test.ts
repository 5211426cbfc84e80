import { once } from "node:events";
import { request as open, type ClientRequest, type IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../tests/support/certificate.ts";
import { exchange, lines } from "../../../tests/support/raw-http.ts";
import { startUpstream, type Upstream } from "../../../tests/support/upstream.ts";
import { createOutbound, type Outbound, type PipeOptions } from "./outbound.ts";
import { startGate } from "../http/testing/gate.ts";
import { startPassing } from "./testing/passing-server.ts";

const ownOrigin = new URL("https://id.example.com");
const mebibyte = 1024 * 1024;
const large = 100 * mebibyte;
/** Far more than what the system keeps of a body on its way, on four sockets. */
const underway = 60 * mebibyte;
const flat = 16 * mebibyte;

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

const start = async (options: Partial<PipeOptions> = {}, through = outbound, origin = upstream.origin) => {
  const server = await startPassing({ outbound: through, origin, options });
  onTestFinished(() => server.stop());
  const begin = (method: string, path: string): ClientRequest =>
    // A test that leaves early expects what it then hears.
    open({ port: server.port, method, path }).on("error", () => undefined);
  return { begin, port: server.port, outcomes: server.outcomes };
};

const answerTo = async (outgoing: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) =>
    outgoing.on("response", resolve).on("close", () => reject(new Error("none"))),
  );

/** Waits until a number stays as it is: what it measures is stuck, or over. */
const settled = async (measure: () => number): Promise<number> => {
  for (let last = -1; ;) {
    const now = measure();
    if (now === last) return now;
    last = now;
    await wait(300);
  }
};

setFlagsFromString("--expose-gc");
const collector: unknown = runInNewContext("gc");

/** Bytes of buffers and objects that somebody still holds. */
const held = (): number => {
  if (typeof collector !== "function") throw new Error("There is no collector to call");
  // The memory of what the first one found is given back by the time the second one has run.
  for (let time = 0; time < 2; time += 1) Reflect.apply(collector, undefined, []);
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

const piece = Buffer.alloc(64 * 1024, "fedcba9876543210");

/** Sends a large body as fast as it is taken. */
const upload = (outgoing: ClientRequest, bytes: number): { readonly sent: () => number } => {
  let sent = 0;
  const go = (): void => {
    while (sent < bytes) {
      sent += piece.length;
      if (!outgoing.write(piece)) return;
    }
    outgoing.off("drain", go).end();
  };
  outgoing.on("drain", go);
  go();
  return { sent: () => sent };
};

describe("a large body takes no memory, however slow its reader is:", () => {
  test.each([
    ["with a length", {}],
    ["in chunks", { chunked: true }],
  ])("an answer %s", async (_, form) => {
    upstream.answers("/large", { bytes: large, ...form });
    upstream.answers("/small", { bytes: 10 });
    const { begin, outcomes } = await start();
    (await answerTo(begin("GET", "/small").end())).resume();
    const before = held();
    const reply = await answerTo(begin("GET", "/large").end());
    const sent = await settled(() => upstream.asked[1]?.sent ?? 0);

    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(underway);
    expect(held() - before).toBeLessThan(flat);
    let got = 0;
    let most = 0;
    for await (const chunk of reply) {
      if (!Buffer.isBuffer(chunk)) continue;
      const passed = Math.floor(got / (25 * mebibyte));
      got += chunk.length;
      if (Math.floor(got / (25 * mebibyte)) > passed) most = Math.max(most, held() - before);
    }
    expect(got).toBe(large);
    expect(most).toBeLessThan(flat);
    expect(outcomes.map(({ ended }) => ended)).toEqual(["whole", "whole"]);
  });

  test("a request", async () => {
    const release = Promise.withResolvers<undefined>();
    let most = 0;
    upstream.answers("/small", { early: true });
    upstream.answers("/large", { after: release.promise, body: "got it" });
    const { begin } = await start();
    (await answerTo(begin("GET", "/small").end())).resume();
    const before = held();
    const outgoing = begin("PUT", "/large").setHeader("content-length", large);
    const { sent } = upload(outgoing, large);
    const stuck = await settled(sent);

    expect(stuck).toBeLessThan(underway);
    expect(held() - before).toBeLessThan(flat);
    const watching = setInterval(() => (most = Math.max(most, held() - before)), 500);
    release.resolve(undefined);
    const reply = await answerTo(outgoing);
    clearInterval(watching);
    reply.resume();
    expect(reply.statusCode).toBe(200);
    expect(upstream.asked[1]).toMatchObject({ received: large, isWhole: true });
    // What the upstream itself keeps of it.
    expect(most).toBeLessThan(flat + mebibyte);
  });
});

describe("a client that leaves", () => {
  test("before there is an answer takes the stranger's call with it", async () => {
    upstream.answers("/x", { instead: "hang" });
    const { begin, outcomes } = await start();
    const outgoing = begin("GET", "/x").end();
    await expect.poll(() => upstream.asked.length).toBe(1);
    outgoing.destroy();

    await expect.poll(() => upstream.asked[0]?.ended).toBe("cut");
    await expect.poll(() => outcomes).toEqual([{ ended: "left" }]);
  });

  test("while it does not read leaves no dead connection behind", async () => {
    upstream.answers("/large", { bytes: large });
    upstream.answers("/small", { body: "hi" });
    const { begin, outcomes } = await start();
    const many = Array.from({ length: 10 }, () => begin("GET", "/large").end());
    await Promise.all(many.map(answerTo));
    await settled(() => upstream.asked.reduce((sum, { sent }) => sum + sent, 0));
    for (const outgoing of many) outgoing.destroy();

    await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBe(10);
    expect(new Set(outcomes.map(({ ended }) => ended))).toEqual(new Set(["left"]));
    await expect.poll(() => upstream.open, { timeout: 10_000 }).toBe(0);
    expect((await answerTo(begin("GET", "/small").end())).resume().statusCode).toBe(200);
  });

  test("never, and never reads on either, is left", async () => {
    upstream.answers("/large", { bytes: large });
    const { begin, outcomes } = await start({ stalledMs: 100 });
    const reply = await answerTo(begin("GET", "/large").end());

    await expect.poll(() => outcomes, { timeout: 10_000 }).toEqual([{ ended: "left", status: 200 }]);
    await expect.poll(() => upstream.asked[0]?.ended).toBe("cut");
    const error: unknown = await once(reply.resume(), "end").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  test("in the middle of its own body takes the stranger's call with it", async () => {
    upstream.answers("/x", {});
    const { begin, outcomes } = await start();
    const outgoing = begin("PUT", "/x").setHeader("content-length", large);
    outgoing.write(piece);
    await expect.poll(() => upstream.asked.length).toBe(1);
    outgoing.destroy();

    await expect.poll(() => upstream.asked[0]?.ended).toBe("cut");
    expect(upstream.asked[0]?.isWhole).toBe(false);
    await expect.poll(() => outcomes).toEqual([{ ended: "left" }]);
  });

  test("while the name is looked up has asked nobody anything", async () => {
    const found = Promise.withResolvers<readonly string[]>();
    const asked = Promise.withResolvers<undefined>();
    const origin = `http://slow.test:${upstream.port}`;
    const slow = createOutbound({
      allow: [origin],
      ownOrigin,
      resolve: () => {
        asked.resolve(undefined);
        return found.promise;
      },
    });
    onTestFinished(() => slow.close());
    const { begin, outcomes } = await start({}, slow, origin);
    const outgoing = begin("GET", "/x").end();
    await asked.promise;
    outgoing.destroy();
    await expect.poll(() => outcomes).toEqual([{ ended: "left" }]);
    found.resolve(["127.0.0.1"]);

    expect((await slow.call({ method: "GET", url: new URL("/later", origin) })).status).toBe(404);
    expect(upstream.asked.map(({ path }) => path)).toEqual(["/later"]);
  });

  test("while a connection is made has asked nobody anything", async () => {
    const certificate = makeCertificate("127.0.0.1");
    const secure = await startUpstream(certificate);
    const gate = await startGate(secure.port);
    const origin = `https://127.0.0.1:${gate.port}`;
    const slow = createOutbound({ allow: [origin], ownOrigin, authorities: [certificate.cert] });
    onTestFinished(async () => {
      await slow.close();
      await secure.stop();
      gate.stop();
    });
    const { begin, outcomes } = await start({}, slow, origin);
    const outgoing = begin("GET", "/x").end();
    await gate.knocked;
    outgoing.destroy();
    await expect.poll(() => outcomes).toEqual([{ ended: "left" }]);
    gate.open();

    expect((await slow.call({ method: "GET", url: new URL("/later", origin) })).status).toBe(404);
    expect(secure.asked.map(({ path }) => path)).toEqual(["/later"]);
  });
});

describe("an answer that comes before the request is whole", () => {
  test("reaches the client, whose connection goes on", async () => {
    upstream.answers("/refuses", { status: 413, body: "Too much.", early: true });
    upstream.answers("/x", { body: "hello" });
    const { port, outcomes } = await start();
    const body = Buffer.alloc(8 * mebibyte, piece);
    const first = `PUT /refuses HTTP/1.1\r\nHost: any\r\nContent-Length: ${body.length}\r\n\r\n`;
    const next = lines("GET /x HTTP/1.1", "Host: any");
    const reply = await exchange(port, Buffer.concat([Buffer.from(first), body, Buffer.from(next)]));

    expect(reply.status).toBe(413);
    expect(reply.body).toMatch(/^Too much\.HTTP\/1\.1 200 OK[^]*hello$/);
    expect(outcomes).toEqual([
      { ended: "whole", status: 413 },
      { ended: "whole", status: 200 },
    ]);
  });
});
