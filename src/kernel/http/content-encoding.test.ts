import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Refusal } from "../errors.ts";
import { systemClock } from "../clock.ts";
import { createByteBudget } from "../memory/byte-budget.ts";
import { parseJsonBody, receiveBody, type BodyOptions } from "./content-encoding.ts";

const limit = 1024;

const roomy = createByteBudget({ clock: systemClock });

const readBody = (stream: Readable, options: Omit<BodyOptions, "budget">): Promise<Buffer> =>
  receiveBody(stream, { ...options, budget: roomy }).whole;

const read = (
  body: Uint8Array | readonly Uint8Array[],
  options: Partial<BodyOptions> = {},
): Promise<Buffer> => {
  const chunks = body instanceof Uint8Array ? [body] : body;
  const stream = Readable.from(chunks, { objectMode: false });
  return readBody(stream, { contentEncoding: undefined, contentLength: undefined, limit, ...options });
};

const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error("it was not refused", { cause: error });
  return error;
};

const code = async (promise: Promise<unknown>): Promise<string> => (await refusal(promise)).code;

/** Sends `text` to a real server that reads the body and tells what became of it. */
const overTheWire = async (
  text: string | Buffer,
  options: { hangUp?: boolean } = {},
): Promise<{ answer: string; outcome: unknown; request: IncomingMessage }> => {
  const seen = Promise.withResolvers<{ outcome: unknown; request: IncomingMessage }>();
  const server = createServer((request, response) => {
    readBody(request, {
      contentEncoding: request.headers["content-encoding"],
      contentLength: request.headers["content-length"],
      limit,
    })
      .then(
        (body) => {
          response.end(body);
          return body.toString();
        },
        (error: unknown) => {
          if (error instanceof Refusal) response.writeHead(error.status, error.headers);
          response.end("refused");
          return error;
        },
      )
      .then((outcome) => seen.resolve({ outcome, request }), seen.reject);
    if (options.hangUp === true) socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening on a port");
  const socket = connect(address.port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => {});
  socket.write(text);
  const result = await seen.promise;
  if (!socket.closed) await once(socket, "close");
  server.close();
  return { answer, ...result };
};

describe("receiveBody", () => {
  test("gives the bytes as they are, in one piece or many", async () => {
    expect((await read(Buffer.from("hello"))).toString()).toBe("hello");
    expect((await read([Buffer.from("hel"), Buffer.from("lo")])).toString()).toBe("hello");
    expect((await read([])).length).toBe(0);
    expect((await read(Buffer.from("hello"), { contentEncoding: " Identity " })).toString()).toBe("hello");
  });

  test("inflates gzip, under both of its names and in several members", async () => {
    const hello = gzipSync("hello");
    for (const contentEncoding of ["gzip", "GZIP", "x-gzip"]) {
      expect((await read(hello, { contentEncoding })).toString()).toBe("hello");
    }
    expect(
      (await read([hello.subarray(0, 7), hello.subarray(7)], { contentEncoding: "gzip" })).toString(),
    ).toBe("hello");
    expect((await read(Buffer.concat([hello, hello]), { contentEncoding: "gzip" })).toString()).toBe(
      "hellohello",
    );
  });

  test("takes no bytes for no body, even when they are said to be gzip", async () => {
    expect((await read([], { contentEncoding: "gzip", contentLength: "0" })).length).toBe(0);
  });

  test("gives back whatever was sent, cut anywhere", async () => {
    const body = fc.uint8Array({ maxLength: limit });
    await fc.assert(
      fc.asyncProperty(body, fc.nat(limit), fc.boolean(), async (bytes, cut, zipped) => {
        const sent = zipped ? gzipSync(bytes) : Buffer.from(bytes);
        fc.pre(sent.length <= limit);
        const chunks = [sent.subarray(0, cut), sent.subarray(cut)].filter((chunk) => chunk.length > 0);
        const received = await read(chunks, { contentEncoding: zipped ? "gzip" : undefined });
        expect(received.equals(bytes)).toBe(true);
      }),
    );
  });

  test.each(["br", "deflate", "zstd", "gzip, gzip", "identity, gzip", "gzip;q=1", "compress"])(
    "refuses the encoding %j",
    async (contentEncoding) => {
      expect(await code(read(Buffer.from("x"), { contentEncoding }))).toBe("encoding_unsupported");
    },
  );

  test.each([
    ["no gzip at all", Buffer.from("hello")],
    ["cut short", gzipSync("hello").subarray(0, -4)],
    ["only a header", gzipSync("hello").subarray(0, 10)],
    [
      "a wrong checksum",
      Buffer.concat([gzipSync("hello").subarray(0, -8), Buffer.alloc(4), gzipSync("hello").subarray(-4)]),
    ],
    ["other bytes behind it", Buffer.concat([gzipSync("hello"), Buffer.from("garbage")])],
  ])("refuses damaged gzip: %s", async (_, body) => {
    expect(await code(read(body, { contentEncoding: "gzip" }))).toBe("encoding_invalid");
  });

  test("A14 the limit holds to the byte, announced or not", async () => {
    expect((await read(Buffer.alloc(limit))).length).toBe(limit);
    expect(await code(read(Buffer.alloc(limit + 1)))).toBe("body_too_large");
    expect(await code(read([], { contentLength: String(limit + 1) }))).toBe("body_too_large");
  });

  test("A14 the limit counts again after inflation, and a bomb is not inflated", async () => {
    const contentEncoding = "gzip";
    expect((await read(gzipSync(Buffer.alloc(limit)), { contentEncoding })).length).toBe(limit);
    expect(await code(read(gzipSync(Buffer.alloc(limit + 1)), { contentEncoding }))).toBe("body_too_large");
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const before = process.memoryUsage().arrayBuffers;
    expect(await code(read(bomb, { contentEncoding, limit: 64 * 1024 }))).toBe("body_too_large");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  test("a stream that fails, closes early or is already over is refused and left without listeners", async () => {
    const options = { contentEncoding: undefined, contentLength: undefined, limit };
    const failing = new PassThrough();
    const failed = code(readBody(failing, options));
    failing.destroy(new Error("reset"));
    expect(await failed).toBe("request_malformed");
    const closing = new PassThrough();
    const closed = code(readBody(closing, options));
    closing.write("x");
    closing.destroy();
    expect(await closed).toBe("request_malformed");
    expect(await code(readBody(closing, options))).toBe("request_malformed");
    const over = new Readable({ autoDestroy: false, read: () => over.push(null) });
    over.resume();
    await once(over, "end");
    expect(await code(readBody(over, options))).toBe("request_malformed");
    for (const event of ["data", "end", "close"]) expect(closing.listenerCount(event), event).toBe(0);
  });

  test("an error after the refusal brings nobody down", async () => {
    const stream = new PassThrough();
    const refused = code(readBody(stream, { contentEncoding: "br", contentLength: undefined, limit }));
    expect(await refused).toBe("encoding_unsupported");
    // What still comes is let go: a client that can't write may never read its answer.
    expect(stream.readableFlowing).toBe(true);
    // Not by `once`, which would listen for the error itself.
    const closed = Promise.withResolvers<void>();
    stream.on("close", closed.resolve);
    stream.destroy(new Error("reset"));
    await closed.promise;
  });

  test("A14 what comes of a refused body is dropped, and is cut off when it never ends", async () => {
    const stream = new PassThrough();
    expect(await code(readBody(stream, { contentEncoding: "br", contentLength: undefined, limit }))).toBe(
      "encoding_unsupported",
    );
    let sent = 0;
    while (!stream.destroyed && sent < 10_000) {
      stream.write("x");
      sent += 1;
      await new Promise(setImmediate);
    }
    expect(sent).toBeGreaterThan(8000);
    expect(sent).toBeLessThan(9000);
  });

  test("reads a chunked gzip body from a real client", async () => {
    const body = gzipSync('{"a":1}');
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
    const chunks = [`${body.length.toString(16)}\r\n`, body, "\r\n0\r\n\r\n"].map((part) =>
      Buffer.from(part),
    );
    const { answer } = await overTheWire(Buffer.concat([Buffer.from(head), ...chunks]));
    expect(answer).toContain("200 OK");
    expect(answer).toContain('{"a":1}');
  });

  test("A14 a client that sends too much gets its answer, and the connection closes", async () => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const { answer } = await overTheWire(`${head}2000\r\n${"x".repeat(0x2000)}\r\n`);
    expect(answer).toContain("413 Payload Too Large");
    expect(answer.toLowerCase()).toContain("connection: close");
    const announced = await overTheWire("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\nxx");
    expect(announced.answer).toContain("413 Payload Too Large");
  });

  test("a client that leaves in the middle leaves nothing behind", async () => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";
    const { outcome, request } = await overTheWire(head, { hangUp: true });
    expect(outcome).toMatchObject({ code: "request_malformed" });
    expect(request.listenerCount("data")).toBe(0);
  });
});

const parse = (text: string): unknown => parseJsonBody(Buffer.from(text));
/** The sentence of the refusal. */
const why = (body: string | Buffer): string => {
  try {
    parseJsonBody(Buffer.from(body));
  } catch (error) {
    if (error instanceof Refusal && error.code === "json_invalid") return error.text ?? "";
    throw error;
  }
  return "accepted";
};

describe("parseJsonBody", () => {
  test("reads every kind of value", () => {
    expect(parse('{"a":[1,"é",null,true,{"b":{}}]}')).toEqual({ a: [1, "é", null, true, { b: {} }] });
    expect(parse('"text"')).toBe("text");
    expect(parse(" 0\n")).toBe(0);
    expect(parse("null")).toBeNull();
    expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 });
  });

  test("reads what JSON.stringify wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/proto|\\u/.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("an empty body is no body", () => {
    for (const body of ["", " ", "\r\n\t ", "\ufeff", "\ufeff\n"]) expect(parse(body)).toBeUndefined();
  });

  test("ignores one byte order mark, not two, and no other blanks", () => {
    expect(parse("\ufeff{}")).toEqual({});
    expect(why("\ufeff\ufeff{}")).toBe("The body is not valid JSON");
    expect(why("\u00a0{}")).toBe("The body is not valid JSON");
  });

  test.each(["{", "[1,]", "{'a':1}", "{}x", "NaN", "undefined", '"a\nb"', "01", "\0", "]", "}{"])(
    "refuses %j",
    (body) => {
      expect(why(body)).toMatch(/^The body is not valid JSON( \(line \d+ column \d+\))?$/);
    },
  );

  test("tells the place when the engine does, and never quotes the body", () => {
    expect(why('{\n"a" 1}')).toBe("The body is not valid JSON (line 2 column 5)");
    const secret = `{"password":hunter2${" ".repeat(40)}}`;
    expect(why(secret)).toBe("The body is not valid JSON");
    expect(() => parse(secret)).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
  });

  test("refuses bytes that are not UTF-8", () => {
    expect(why(Buffer.from([0x22, 0xff, 0x22]))).toBe("The body is not valid UTF-8");
    expect(why(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe("The body is not valid UTF-8");
    expect(why(Buffer.from("{}", "utf16le"))).not.toBe("accepted");
  });

  test("A14 refuses deep nesting, at exactly one level too many", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(why(nested(32))).toBe("accepted");
    expect(why(nested(33))).toBe("The body is nested more than 32 levels deep");
    expect(why('{"a":'.repeat(33) + "1" + "}".repeat(33))).toContain("32 levels");
    expect(why("[".repeat(60_000))).toContain("32 levels");
    expect(why("[[]],".repeat(30))).not.toContain("levels");
    expect(why(`"${"[".repeat(100)}\\"${"{".repeat(100)}\\\\"`)).toBe("accepted");
  });

  test("A14 refuses too many keys, however they are spread", () => {
    const keys = (count: number): string =>
      Array.from({ length: count }, (_, index) => `"k${index}":1`).join();
    expect(why(`{${keys(1000)}}`)).toBe("accepted");
    expect(why(`{${keys(1001)}}`)).toBe("The body has more than 1000 keys");
    expect(why(`[${'{"a":1},'.repeat(1001)}1]`)).toContain("1000 keys");
    expect(why(`{${keys(100_000)}}`)).toContain("1000 keys");
    expect(why(`["${":".repeat(5000)}"]`)).toBe("accepted");
  });

  test("A45 refuses keys that could reach a prototype, however they are spelt", () => {
    const key = (name: string): string => `The body has the key ${name}, which is not accepted`;
    expect(why('{"__proto__":{"admin":true}}')).toBe(key("__proto__"));
    expect(why('[{"a":{"\\u005f_proto_\\u005F":1}}]')).toBe(key("__proto__"));
    expect(why('{"constructor":{"prototype":{}}}')).toBe(key("constructor"));
    expect(why('{"constr\\u0075ctor":{"\\u0070rototype":{}}}')).toBe(key("constructor"));
    expect(why('{"constructor":"x","prototype":1,"proto":"__proto__"}')).toBe("accepted");
  });

  test("A16 refuses half a surrogate pair, which UTF-8 could not tell from another", () => {
    expect(why('{"password":"\\ud800"}')).toBe("The body has a string with half a surrogate pair");
    expect(why('{"\\udc00":1}')).toContain("surrogate");
    expect(why('["\\ud83d\\ude00"]')).toBe("accepted");
  });

  test("never throws anything but its refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof why(Buffer.from(bytes))).toBe("string");
      }),
    );
    const piece = fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "1", "__proto__", "\\u", " ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        expect(typeof why(pieces.join(""))).toBe("string");
      }),
    );
  });
});
