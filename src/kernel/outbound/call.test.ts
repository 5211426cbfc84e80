import { inspect } from "node:util";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../tests/support/certificate.ts";
import { freePort } from "../../../tests/support/free-port.ts";
import { startUpstream, type Script, type Upstream } from "../../../tests/support/upstream.ts";
import { createOutbound, OutboundFault, type CallRequest, type Outbound } from "./outbound.ts";
import { startGate } from "../http/testing/gate.ts";

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

const call = (path: string, rest: Partial<CallRequest> = {}) =>
  outbound.call({ method: "GET", url: upstream.url(path), ...rest });

const failing = async (asking: Promise<unknown>): Promise<OutboundFault> => {
  const error: unknown = await asking.then(
    () => "It did not fail.",
    (reason: unknown) => reason,
  );
  if (!(error instanceof OutboundFault)) throw new Error("No fault", { cause: error });
  return error;
};

test("A14 the answers of all calls together hold so much, and all of it is free behind them", async () => {
  const holding = await startUpstream();
  const allow = [upstream.origin, holding.origin];
  const tight = createOutbound({ allow, ownOrigin, mostAnswerBytes: 120_000 });
  onTestFinished(() => tight.close());
  holding.answers("/begun", { bytes: 90_000, claims: 90_001, then: "hang" });
  upstream.answers("/other", { bytes: 50_000 });
  upstream.answers("/packed", { headers: { "content-encoding": "gzip" }, body: gzipSync("x") });
  const ask = (url: URL, maxBytes: number) => tight.call({ method: "GET", url, maxBytes });
  const messageOf = (asking: Promise<unknown>): Promise<string> =>
    asking.then(
      () => "none",
      (error: unknown) => (error instanceof OutboundFault ? error.message : "another"),
    );

  const begun = failing(ask(holding.url("/begun"), 90_001));
  await expect.poll(() => messageOf(ask(upstream.url("/other"), 50_000))).toMatch(/too many answers/);
  // How much it becomes shows only when it is unpacked.
  expect(await messageOf(ask(upstream.url("/packed"), 40_000))).toMatch(/too many answers/);
  await holding.stop();
  expect((await begun).kind).toBe("broken");
  expect((await ask(upstream.url("/other"), 50_000)).body).toHaveLength(50_000);
  expect((await ask(upstream.url("/packed"), 40_000)).body.toString()).toBe("x");
});

test("A14 an answer in chunks of one byte is as whole as any", async () => {
  const body = "answer".repeat(2000);
  upstream.answers("/dust", {
    instead: {
      bytes: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body
        .split("")
        .map((letter) => `1\r\n${letter}\r\n`)
        .join("")}0\r\n\r\n`,
    },
  });
  expect((await call("/dust")).body.toString()).toBe(body);
});

describe("a call", () => {
  test("gives the whole answer, whatever its status", async () => {
    upstream.answers("/x", {
      status: 418,
      headers: { "X-Pot": "tea", "Set-Cookie": ["a=1", "b=2"] },
      body: "short and stout",
    });
    const answer = await call("/x?q=1");

    expect(answer.status).toBe(418);
    expect(answer.headers["x-pot"]).toBe("tea");
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.body.toString()).toBe("short and stout");
    expect(answer.url.href).toBe(upstream.url("/x?q=1").href);
  });

  test("sends method, path, query, headers and body as they are given", async () => {
    upstream.answers("/a%2Fb/ü", { status: 204 });
    const answer = await call("/a%2Fb/%C3%BC?x=1&x=2&y=%26", {
      method: "POST",
      headers: { Authorization: "Basic YTpi", "Content-Type": "application/json", "User-Agent": "me" },
      body: '{"ä":1}',
    });
    const [asked] = upstream.asked;

    expect(answer.status).toBe(404);
    expect(asked?.method).toBe("POST");
    expect(asked?.path).toBe("/a%2Fb/%C3%BC?x=1&x=2&y=%26");
    expect(asked?.headers).toMatchObject({
      authorization: "Basic YTpi",
      "content-type": "application/json",
      "content-length": "8",
      "user-agent": "me",
      host: `127.0.0.1:${upstream.port}`,
    });
    expect(asked?.body.toString()).toBe('{"ä":1}');
  });

  test("can't be made to carry another Host, or a header line of somebody's making", async () => {
    upstream.answers("/x", {});
    await call("/x", {
      headers: { Host: "elsewhere.test", "Transfer-Encoding": "chunked", "Content-Length": "9" },
    });
    expect(upstream.asked[0]?.headers.host).toBe(`127.0.0.1:${upstream.port}`);
    expect(upstream.asked[0]?.headers).not.toHaveProperty("transfer-encoding");
    expect(upstream.asked[0]?.headers).not.toHaveProperty("content-length");

    await expect(call("/x", { headers: { "X-A": "1\r\nX-B: 2" } })).rejects.toThrow("invalid x-a header");
    expect(upstream.asked).toHaveLength(1);
  });

  test("passes over what comes before the answer (1xx)", async () => {
    upstream.answers("/x", {
      instead: {
        bytes: "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
      },
    });
    const { status, body, headers } = await call("/x");
    expect([status, body.toString(), headers["link"]]).toEqual([200, "hi", undefined]);
  });

  test("takes a page of HTML like any other answer", async () => {
    upstream.answers("/x", { headers: { "content-type": "text/html" }, body: "<h1>Welcome</h1>" });
    expect((await call("/x")).body.toString()).toBe("<h1>Welcome</h1>");
  });

  test("takes an answer whose end is the end of the connection", async () => {
    upstream.answers("/x", { instead: { bytes: "HTTP/1.1 200 OK\r\n\r\nuntil the end" } });
    expect((await call("/x")).body.toString()).toBe("until the end");
  });
});

describe("a compressed answer", () => {
  const text = "Tell it again. ".repeat(1000);
  const forms: readonly (readonly [string, Buffer])[] = [
    ["gzip", gzipSync(text)],
    ["GZip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["gzip, br", brotliCompressSync(gzipSync(text))],
    ["identity", Buffer.from(text)],
  ];

  test.each(forms)("in %s is undone", async (encoding, body) => {
    upstream.answers("/x", { headers: { "content-encoding": encoding }, body });
    const answer = await call("/x");

    expect(answer.body.toString()).toBe(text);
    if (encoding !== "identity") {
      expect(answer.headers).not.toHaveProperty("content-encoding");
      expect(answer.headers).not.toHaveProperty("content-length");
    }
    expect(upstream.asked[0]?.headers["accept-encoding"]).toBe("gzip, deflate, br");
  });

  test("without a body is none", async () => {
    upstream.answers("/x", { status: 204, headers: { "content-encoding": "gzip" } });
    expect((await call("/x")).body).toHaveLength(0);
    expect((await call("/x", { method: "HEAD" })).body).toHaveLength(0);
  });

  test("counts by what becomes of it", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    upstream.answers("/gzip", { headers: { "content-encoding": "gzip" }, body: bomb });
    upstream.answers("/br", {
      headers: { "content-encoding": "br" },
      body: brotliCompressSync(Buffer.alloc(2 * 1024 * 1024)),
    });
    upstream.answers("/twice", {
      headers: { "content-encoding": "gzip, gzip" },
      body: gzipSync(gzipSync(Buffer.alloc(2 * 1024 * 1024))),
    });
    for (const path of ["/gzip", "/br", "/twice"]) {
      expect((await failing(call(path))).kind).toBe("too_large");
    }
    expect((await call("/br", { maxBytes: 2 * 1024 * 1024 })).body).toHaveLength(2 * 1024 * 1024);
  });

  test.each([
    ["cut short", "gzip", gzipSync("Tell it again.").subarray(0, 20)],
    ["not what it says", "br", Buffer.from("plain text")],
    ["an unknown coding", "zstd", Buffer.from("whatever")],
    ["too many codings", "gzip, gzip, gzip", gzipSync(gzipSync(gzipSync("x")))],
  ])("that is %s is broken", async (_, encoding, body) => {
    upstream.answers("/x", { headers: { "content-encoding": encoding }, body });
    expect((await failing(call("/x"))).kind).toBe("broken");
  });
});

describe("a call that fails says how:", () => {
  const table: readonly (readonly [string, Script, string])[] = [
    ["hangs", { instead: "hang" }, "timeout"],
    ["drips", { body: "x".repeat(10_000), drip: { bytes: 1, everyMs: 20 } }, "timeout"],
    ["hangs in the middle", { body: "begun", claims: 100, then: "hang" }, "timeout"],
    ["resets", { instead: "reset" }, "broken"],
    ["closes", { instead: "close" }, "broken"],
    ["resets in the middle", { body: "begun", chunked: true, then: "reset" }, "broken"],
    ["closes in the middle", { body: "begun", chunked: true, then: "close" }, "broken"],
    ["claims more than it sends", { body: "begun", claims: 100, then: "close" }, "broken"],
    ["speaks something else", { instead: { bytes: "220 mail.example.com ESMTP\r\n" } }, "broken"],
    ["switches protocols", { instead: { bytes: "HTTP/1.1 101 Yes\r\nupgrade: x\r\n\r\n" } }, "broken"],
    [
      "has too much of a head",
      { instead: { bytes: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n` } },
      "broken",
    ],
    ["sends too much", { bytes: 100_000 }, "too_large"],
    ["sends too much in chunks", { bytes: 100_000, chunked: true }, "too_large"],
    [
      "redirects to itself",
      { status: 302, headers: { location: "/x?api_key=hidden-7f3a" } },
      "too_many_redirects",
    ],
    ["redirects nowhere", { status: 302, headers: { location: "https://[hidden-7f3a" } }, "broken"],
    [
      "redirects inside",
      { status: 302, headers: { location: "https://10.0.0.1/hidden-7f3a" } },
      "address_refused",
    ],
    ["redirects to a file", { status: 302, headers: { location: "file:///hidden-7f3a" } }, "address_refused"],
  ];

  test.each(table)("the stranger %s", async (_, script, kind) => {
    upstream.answers("/x", script);
    const fault = await failing(
      call("/x?api_key=hidden-7f3a", {
        headers: { authorization: "Bearer hidden-7f3a" },
        timeoutMs: kind === "timeout" ? 300 : 20_000,
        maxBytes: 50_000,
      }),
    );

    expect(fault.kind).toBe(kind);
    expect(inspect(fault, { depth: 5, showHidden: true })).not.toContain("hidden-7f3a");
    expect(fault.message).toMatch(/^[A-Z0-9].*\.$/);
  });

  test("nobody listens", async () => {
    const url = new URL(`http://127.0.0.1:${await freePort()}/x?api_key=hidden-7f3a`);
    const closed = createOutbound({ allow: [url.origin], ownOrigin });
    onTestFinished(() => closed.close());
    const fault = await failing(closed.call({ method: "GET", url }));

    expect(fault).toMatchObject({ kind: "unreachable", code: "ECONNREFUSED", sent: false });
    expect(inspect(fault)).not.toContain("hidden-7f3a");
  });

  test("the name takes for ever to be looked up", async () => {
    const origin = "https://slow.test";
    const slow = createOutbound({ allow: [origin], ownOrigin, resolve: () => new Promise(() => undefined) });
    onTestFinished(() => slow.close());
    const fault = await failing(slow.call({ method: "GET", url: new URL(origin), timeoutMs: 50 }));

    expect(fault).toMatchObject({ kind: "timeout", sent: false });
  });

  test("whether it may have been heard", async () => {
    upstream.answers("/x", { instead: "reset" });
    expect((await failing(call("/x"))).sent).toBe(true);
    expect((await failing(call("/x", { url: new URL("https://10.0.0.1/") }))).sent).toBe(false);
  });

  test("what is late before there is a connection is never sent", async () => {
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
    const url = new URL("/x", origin);
    const fault = await failing(slow.call({ method: "POST", url, body: "pay", timeoutMs: 100 }));
    await gate.knocked;
    gate.open();

    expect(fault).toMatchObject({ kind: "timeout", sent: false });
    expect((await slow.call({ method: "GET", url: new URL("/later", origin) })).status).toBe(404);
    expect(secure.asked.map(({ path }) => path)).toEqual(["/later"]);
  });

  test("what is late is cut off", async () => {
    upstream.answers("/x", { instead: "hang" });
    await failing(call("/x", { timeoutMs: 50 }));
    await expect.poll(() => upstream.open).toBe(0);
  });

  test("what is too large is not read to its end", async () => {
    upstream.answers("/x", { bytes: 100 * 1024 * 1024 });
    await failing(call("/x"));
    await expect.poll(() => upstream.open).toBe(0);
    expect(upstream.asked[0]?.ended).toBe("cut");
  });
});
