/** From the bytes of a request to its body: bounded before and after inflation, and JSON that can do no harm. */

import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { gunzip } from "node:zlib";
import { Refusal, refusals } from "../errors.ts";

export type BodyOptions = {
  /** Node's `headers["content-encoding"]`. */
  readonly contentEncoding: string | undefined;
  /** Node's `headers["content-length"]`; absent when the body is chunked. */
  readonly contentLength: string | undefined;
  /** Bytes, at least 1: as sent, and again after inflation. */
  readonly limit: number;
};

const maxDepth = 32;
const maxKeys = 1000;

/**
 * The whole body, inflated when it was sent as gzip (RFC 9110 §8.4.1.3; `x-gzip` is the same). No bytes are no
 * body, whatever the encoding says.
 *
 * @throws Refusal `body_too_large` (nothing beyond the limit is kept or inflated), `encoding_unsupported`,
 * `encoding_invalid` (damaged, cut short, or followed by other bytes), `request_malformed` when the client
 * leaves, `request_timeout` after 30 s. A refused stream is drained, not destroyed: destroying a request would cut the
 * answer off too. The refusals that leave bytes unread therefore carry `connection: close`.
 */
export const readBody = async (stream: Readable, options: BodyOptions): Promise<Buffer> => {
  const encoding = encodingOf(options.contentEncoding);
  if (encoding === undefined)
    throw leave(stream, new Refusal(refusals.encoding_unsupported, { headers: closing }));
  if (Number(options.contentLength ?? 0) > options.limit) throw leave(stream, tooLarge());
  const sent = await collect(stream, options.limit);
  return encoding === "identity" || sent.length === 0 ? sent : inflate(sent, options.limit);
};

const closing = { connection: "close" };
const tooLarge = (): Refusal => new Refusal(refusals.body_too_large, { headers: closing });

const encodingOf = (header: string | undefined): "identity" | "gzip" | undefined => {
  const coding = header?.trim().toLowerCase() ?? "";
  if (coding === "" || coding === "identity") return "identity";
  return coding === "gzip" || coding === "x-gzip" ? "gzip" : undefined;
};

/** Lets what still arrives run into nothing, and its errors too: nobody listens any more. */
const leave = (stream: Readable, refusal: Refusal): Refusal => {
  stream.on("error", () => {});
  stream.resume();
  return refusal;
};

/** A body that is read as a whole is small: who takes longer for it holds a connection for nothing. */
const longestMs = 30_000;

const collect = (stream: Readable, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size > limit) fail(tooLarge());
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      forget();
      resolve(Buffer.concat(chunks, size));
    };
    const onGone = (cause?: Error): void => fail(new Refusal(refusals.request_malformed, { cause }));
    const patience = setTimeout(
      () => fail(new Refusal(refusals.request_timeout, { headers: closing })),
      longestMs,
    );
    const forget = (): void => {
      clearTimeout(patience);
      stream.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    };
    const fail = (refusal: Refusal): void => {
      forget();
      reject(leave(stream, refusal));
    };
    // A stream that is already over emits nothing any more; waiting for it would be for ever.
    if (stream.destroyed || stream.readableEnded) {
      onGone();
      return;
    }
    stream.on("end", onEnd).on("error", onGone).on("close", onGone).on("data", onData);
  });

/** What was sent is at most `limit` bytes by now, so inflating it in one go holds at most twice as much. */
const inflate = (sent: Buffer, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    gunzip(sent, { maxOutputLength: limit }, (error, body) => {
      if (error === null) resolve(body);
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE")
        reject(new Refusal(refusals.body_too_large));
      else reject(new Refusal(refusals.encoding_invalid, { cause: error }));
    });
  });

/**
 * The value of a JSON body (RFC 8259), or `undefined` when there is none: an empty one, or only white space. One
 * leading byte order mark is ignored (§8.1 allows it). Of repeated keys the last one counts, as in `JSON.parse`.
 *
 * @throws Refusal `json_invalid` with a sentence that says why: not UTF-8, not JSON, nested more than 32 levels,
 * more than 1000 keys, a key that could reach a prototype, half a surrogate pair. Never quotes the body, which
 * may hold a password.
 */
export const parseJsonBody = (body: Buffer): unknown => {
  if (!isUtf8(body)) throw unacceptable("The body is not valid UTF-8");
  const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  const text = body.toString("utf8", marked ? 3 : 0);
  if (/^[\t\n\r ]*$/.test(text)) return undefined;
  measure(body);
  const value = parse(text);
  // Most bodies have neither, and need no second walk. An escape could spell anything.
  if (text.includes("proto") || text.includes("\\u")) inspect(value);
  return value;
};

const unacceptable = (text: string): Refusal => new Refusal(refusals.json_invalid, { text });

/** Counts levels and keys on the bytes, so that a hostile document is refused before anything is built of it. */
const measure = (body: Buffer): void => {
  let depth = 0;
  let keys = 0;
  let quoted = false;
  for (let index = 0; index < body.length; index += 1) {
    const byte = body[index];
    if (byte === 0x22) quoted = !quoted;
    else if (quoted) index += byte === 0x5c ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxDepth) throw unacceptable(`The body is nested more than ${maxDepth} levels deep`);
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x3a) {
      keys += 1;
      if (keys > maxKeys) throw unacceptable(`The body has more than ${maxKeys} keys`);
    }
  }
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The engine's sentence quotes the body, so only the place is taken from it, and no cause is kept.
    const place = error instanceof Error ? /\(line \d+ column \d+\)$/.exec(error.message)?.[0] : undefined;
    throw unacceptable(
      place === undefined ? "The body is not valid JSON" : `The body is not valid JSON ${place}`,
    );
  }
};

/** At most `maxDepth` deep, because `measure` came first. */
const inspect = (value: unknown): void => {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw unacceptable("The body has a string with half a surrogate pair");
  } else if (Array.isArray(value)) {
    for (const item of value) inspect(item);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__" || (key === "constructor" && reachesPrototype(item))) {
        throw unacceptable(`The body has the key ${key}, which is not accepted`);
      }
      inspect(key);
      inspect(item);
    }
  }
};

const reachesPrototype = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "prototype");
