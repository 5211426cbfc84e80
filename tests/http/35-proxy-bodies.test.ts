import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { TestHouse } from "../support/house.ts";
import { askedAt, proxySuite, type Linked } from "../support/proxied.ts";
import type { Asked, Upstream } from "../support/upstream.ts";

/** Bodies pass through the proxy as they come: however large, and however they end. */

const mebibyte = 1024 * 1024;
const large = 100 * mebibyte;
/** Of a hundred, what may be held at a time by everybody: provider, proxy and client are in this process. */
const flat = 24 * mebibyte;

let upstream: Upstream;
let house: TestHouse;
let linked: Linked;
proxySuite((proxied) => {
  ({ upstream, house, linked } = proxied);
});

setFlagsFromString("--expose-gc");
const collector: unknown = runInNewContext("gc");

/** Bytes of buffers and objects that somebody still holds. */
const held = (): number => {
  if (typeof collector !== "function") throw new Error("There is no collector to call");
  for (let time = 0; time < 2; time += 1) Reflect.apply(collector, undefined, []);
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

/** Looks at the memory at each quarter of a large body. */
const watch = (): { readonly pass: (bytes: number) => void; readonly most: () => number } => {
  const before = held();
  let passed = 0;
  let most = 0;
  return {
    most: () => most,
    pass: (bytes) => {
      const quarter = Math.floor(bytes / (large / 4));
      if (quarter > passed) most = Math.max(most, held() - before);
      passed = quarter;
    },
  };
};

const begin = (method: string, path: string, headers: Record<string, string> = {}): ClientRequest =>
  request({
    port: house.config.port,
    method,
    path: `/proxy${path}`,
    headers: { ...linked.headers, host: house.config.origin.host, ...headers },
    // A test that leaves early expects what it then hears.
  }).on("error", () => undefined);

const answerTo = (outgoing: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) =>
    outgoing.on("response", resolve).on("close", () => reject(new Error("No answer"))),
  );

/** @returns how many bytes came, and whether that was all */
const take = async (reply: IncomingMessage, onBytes: (bytes: number) => void = () => undefined) => {
  let bytes = 0;
  try {
    for await (const chunk of reply) {
      if (Buffer.isBuffer(chunk)) bytes += chunk.length;
      onBytes(bytes);
    }
  } catch {
    return { bytes, isWhole: false };
  }
  return { bytes, isWhole: reply.complete };
};

const oneAsked = async (path: string): Promise<Asked> => {
  await expect.poll(() => askedAt(upstream, path).length).toBe(1);
  const [asked] = askedAt(upstream, path);
  if (!asked) throw new Error("Nothing was asked");
  return asked;
};

const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

const upload = async (outgoing: ClientRequest, onBytes: (bytes: number) => void): Promise<void> => {
  for (let sent = piece.length; sent <= large; sent += piece.length) {
    if (!outgoing.write(piece)) await new Promise((resolve) => void outgoing.once("drain", resolve));
    onBytes(sent);
  }
  outgoing.end();
};

describe("A hundred mebibytes take no memory", () => {
  test.for([
    ["with a length", {}],
    ["in chunks", { chunked: true }],
  ] as const)("on their way back, %s", async ([name, form]) => {
    const path = `/down/${name.length}`;
    upstream.answers(path, { bytes: large, ...form });
    const { pass, most } = watch();
    const reply = await answerTo(begin("GET", path).end());
    expect(await take(reply, pass)).toEqual({ bytes: large, isWhole: true });
    expect(most()).toBeLessThan(flat);
  });

  test.for([
    ["with a length", { "content-length": String(large) }],
    ["in chunks", {}],
    ["to be tried again", { retries: "3" }],
  ] as const)("on their way there, %s", async ([name, headers]) => {
    const path = `/up/${name.length}`;
    upstream.answers(path, { status: 503, body: "not now" });
    const { pass, most } = watch();
    const outgoing = begin("POST", path, headers);
    const answer = answerTo(outgoing);
    await upload(outgoing, pass);
    const reply = await answer;
    expect(reply.statusCode).toBe(503);
    expect((await take(reply)).isWhole).toBe(true);
    expect(await oneAsked(path)).toMatchObject({ received: large, isWhole: true });
    expect(most()).toBeLessThan(flat);
  });
});

describe("A client that leaves", () => {
  test("before there is an answer ends the call at the provider", async () => {
    upstream.answers("/hang", { instead: "hang" });
    const outgoing = begin("GET", "/hang").end();
    const asked = await oneAsked("/hang");
    outgoing.destroy();
    await expect.poll(() => asked.ended).toBe("cut");
  });

  test("in the middle of the answer ends it at the provider", async () => {
    upstream.answers("/middle", { bytes: large });
    const outgoing = begin("GET", "/middle").end();
    await answerTo(outgoing);
    const asked = await oneAsked("/middle");
    outgoing.destroy();
    await expect.poll(() => asked.ended).toBe("cut");
    expect(asked.sent).toBeLessThan(large);
  });

  test("in the middle of its own body ends it at the provider", async () => {
    upstream.answers("/half", {});
    const outgoing = begin("POST", "/half", { "content-length": String(large) });
    outgoing.write(piece);
    const asked = await oneAsked("/half");
    outgoing.destroy();
    await expect.poll(() => asked.ended).toBe("cut");
    expect(asked.isWhole).toBe(false);
  });

  test("leaves its place to others", async () => {
    upstream.answers("/place", { instead: "hang" });
    const running = Array.from({ length: 20 }, () => begin("GET", "/place").end());
    await expect.poll(() => askedAt(upstream, "/place").length).toBe(20);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(429);
    for (const one of running) one.destroy();
    await expect.poll(async () => (await linked.call("GET", "/api/v9/me")).status).toBe(200);
  });
});

describe("A provider that breaks off in the middle", () => {
  test.for([
    ["reset", { bytes: mebibyte, claims: large, then: "reset" }],
    ["closed", { bytes: mebibyte, claims: large, then: "close" }],
    ["in chunks", { bytes: mebibyte, chunked: true, then: "close" }],
  ] as const)("does not pass for one that is done: %s", async ([name, script]) => {
    const path = `/cut/${name.length}`;
    upstream.answers(path, script);
    const reply = await answerTo(begin("GET", path, { retries: "3" }).end());
    expect(reply.statusCode).toBe(200);
    expect((await take(reply)).isWhole).toBe(false);
    expect(askedAt(upstream, path)).toHaveLength(1);
    expect(house.logs.some((line) => line.includes("proxied_answer_cut"))).toBe(true);
  });

  test("and one that drips is passed on drop by drop", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    upstream.answers("/drip", { body: "abc", drip: { bytes: 1, everyMs: 1 }, then: "hang" });
    const reply = await answerTo(begin("GET", "/drip").end());
    let got = "";
    reply.on("data", (chunk: Buffer) => {
      got += chunk.toString();
      if (got === "abc") resolve(undefined);
    });
    reply.on("error", () => undefined);
    await promise;
    expect(reply.complete).toBe(false);
    reply.destroy();
    await expect.poll(() => askedAt(upstream, "/drip")[0]?.ended).toBe("cut");
  });
});
