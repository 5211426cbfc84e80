/** From the bytes of a request to its body: bounded before and after inflation, and JSON that can do no harm. */

import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal, refusals } from "../errors.ts";
import type { ByteBudget, Share } from "../memory/byte-budget.ts";
import { GrowingBuffer } from "../memory/growing-buffer.ts";

export type BodyOptions = {
  /** Node's `headers["content-encoding"]`. */
  readonly contentEncoding: string | undefined;
  /** Node's `headers["content-length"]`; absent when the body is chunked. */
  readonly contentLength: string | undefined;
  /** Bytes, at least 1: as sent, and again after inflation. */
  readonly limit: number;
  /** Of all bodies that are received at the same time. */
  readonly budget: ByteBudget;
};

export type Receiving = {
  /**
   * The whole body, inflated when it was sent as gzip (RFC 9110 §8.4.1.3; `x-gzip` is the same). No bytes are no
   * body, whatever the encoding says. Rejects with a Refusal: `body_too_large` (nothing beyond the limit is kept or
   * inflated), `encoding_unsupported`, `encoding_invalid` (damaged, cut short, or followed by other bytes),
   * `request_malformed` when the client leaves, or sends thousands of tiny pieces, `request_timeout` after 30 s, `busy` where all bodies together are too
   * much. Those that leave bytes unread carry `connection: close`.
   */
  readonly whole: Promise<Buffer>;
  /**
   * Gives back what the body held. What still comes runs into nothing: destroying a request would cut the answer off
   * too. So it is when that takes thousands of pieces.
   */
  readonly leave: () => void;
};

const maxDepth = 32;
const maxKeys = 1000;

type Headers = Readonly<Record<string, string>>;

/** Of refusals that leave bytes unread. */
const closing: Headers = { connection: "close" };
const tooLarge = (headers: Headers): Refusal => new Refusal(refusals.body_too_large, { headers });
const tooMany = (headers: Headers): Refusal => new Refusal(refusals.busy, { retryAfter: 1, headers });
const broken = (cause?: Error): Refusal => new Refusal(refusals.request_malformed, { cause });
const crumbled = (): Refusal =>
  new Refusal(refusals.request_malformed, { text: "The body comes in too many pieces", headers: closing });
const damaged = (cause?: Error): Refusal => new Refusal(refusals.encoding_invalid, { cause });

const encodingOf = (header: string | undefined): "identity" | "gzip" | undefined => {
  const coding = header?.trim().toLowerCase() ?? "";
  if (coding === "" || coding === "identity") return "identity";
  return coding === "gzip" || coding === "x-gzip" ? "gzip" : undefined;
};

/** A body that is read as a whole is small: who takes longer for it holds a connection for nothing. */
const longestMs = 30_000;

/** Each piece takes its time, however small it is: whoever sends one byte at a time is after that. */
const mostPieces = (limit: number): number => 1024 + limit / 64;

/** Pieces that run into nothing before their connection is cut. */
const mostDropped = 8192;

/** Of an inflater, besides what it makes. */
const inflaterBytes = 64 * 1024;

type Ends = {
  readonly limit: number;
  /** What is told when the stream ends before its end. */
  readonly onGone: (cause?: Error) => Refusal;
  /** Of what is told when it is too much. */
  readonly headers: Headers;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
};

/** All that a stream gives, in one piece. Whatever comes of it, the stream is left without listeners. */
const collect = (stream: Readable, share: Share, { limit, onGone, headers, signal }: Ends): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const body = new GrowingBuffer(share, limit);
    let piecesLeft = mostPieces(limit);
    const onData = (piece: Uint8Array): void => {
      piecesLeft -= 1;
      if (piecesLeft < 0) fail(crumbled());
      else if (body.length + piece.length > limit) fail(tooLarge(headers));
      else if (!body.add(piece)) fail(tooMany(headers));
    };
    const onEnd = (): void => {
      forget();
      resolve(body.bytes);
    };
    const onCut = (cause?: Error): void => fail(onGone(cause));
    const onAbort = (): void => fail(signal.reason);
    const forget = (): void => {
      stream.off("data", onData).off("end", onEnd).off("error", onCut).off("close", onCut);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (reason: unknown): void => {
      forget();
      reject(reason);
    };
    // A stream that is already over emits nothing any more; waiting for it would be for ever.
    if (stream.destroyed || stream.readableEnded) onCut();
    else if (signal.aborted) onAbort();
    else {
      signal.addEventListener("abort", onAbort);
      stream.on("end", onEnd).on("error", onCut).on("close", onCut).on("data", onData);
    }
  });

const inflate = async (sent: Buffer, share: Share, ends: Pick<Ends, "limit" | "signal">): Promise<Buffer> => {
  const headers = {};
  if (!share.grow(inflaterBytes)) throw tooMany(headers);
  const inflater = createGunzip();
  inflater.on("error", () => {});
  try {
    inflater.end(sent);
    return await collect(inflater, share, { ...ends, onGone: damaged, headers });
  } finally {
    inflater.destroy();
  }
};

/** Lets what still comes run into nothing, as long as it is worth its time: the answer may take its own. */
const drop = (stream: Readable): void => {
  stream.on("error", () => {});
  if (stream.destroyed || stream.readableEnded) return;
  let piecesLeft = mostDropped;
  stream.on("data", () => {
    piecesLeft -= 1;
    if (piecesLeft < 0) stream.destroy();
  });
};

/** Begins at once. */
export const receiveBody = (stream: Readable, options: BodyOptions): Receiving => {
  const { contentEncoding, contentLength, limit, budget } = options;
  const ended = new AbortController();
  const { signal } = ended;
  const share = budget.open(() => ended.abort(tooMany(closing)));
  let isLeft = false;

  const read = async (): Promise<Buffer> => {
    const encoding = encodingOf(contentEncoding);
    if (encoding === undefined) throw new Refusal(refusals.encoding_unsupported, { headers: closing });
    if (Number(contentLength ?? 0) > limit) throw tooLarge(closing);
    const patience = setTimeout(
      () => ended.abort(new Refusal(refusals.request_timeout, { headers: closing })),
      longestMs,
    );
    const ends = { limit, onGone: broken, headers: closing, signal };
    const sent = await collect(stream, share, ends).finally(() => clearTimeout(patience));
    return encoding === "identity" || sent.length === 0 ? sent : inflate(sent, share, { limit, signal });
  };
  const leave = (): void => {
    share.free();
    if (isLeft) return;
    isLeft = true;
    ended.abort(broken());
    drop(stream);
  };
  const whole = read();
  // Nobody may have asked for it yet, or ever.
  whole.catch(leave);
  return { whole, leave };
};

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
