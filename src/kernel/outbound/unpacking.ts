/** A compressed answer that is unpacked on its way, piece by piece. */

import { finished, pipeline, type Transform } from "node:stream";
import { streamsFor } from "./decompress.ts";
import { hostOf, largeFault, OutboundFault } from "./fault.ts";
import type { HeadersOut } from "./headers.ts";

/** Beyond so many bytes, what becomes more than this many times what came is made to do harm. */
const surelyFine = 16 * 1024 * 1024;
const mostTimes = 100;

/** They speak of the bytes as they were sent. */
const ofPacked = [
  "accept-ranges",
  "content-digest",
  "content-encoding",
  "content-length",
  "content-md5",
  "digest",
  "repr-digest",
];

const bodiless: ReadonlySet<number> = new Set([204, 304]);
/** A part of what is compressed can't be unpacked. */
const partial = 206;

export type UnpackingEnds = {
  readonly onPiece: (piece: Buffer) => void;
  readonly onEnd: () => void;
  readonly onFault: (fault: OutboundFault) => void;
};

export class Unpacking {
  readonly #url: URL;
  readonly #ends: UnpackingEnds;
  readonly #make: ReturnType<typeof streamsFor>;
  #first: Transform | undefined;
  #last: Transform | undefined;
  #came = 0;
  #became = 0;

  constructor(make: ReturnType<typeof streamsFor>, url: URL, ends: UnpackingEnds) {
    this.#make = make;
    this.#url = url;
    this.#ends = ends;
  }

  /** @returns false when no more is to come before `onDrain` */
  write(chunk: Buffer, onDrain: () => void): boolean {
    this.#came += chunk.length;
    this.#first ??= this.#begin(chunk, onDrain);
    return this.#first.write(chunk);
  }

  end(): void {
    if (this.#first) this.#first.end();
    else this.#ends.onEnd();
  }

  pause(): void {
    this.#last?.pause();
  }

  resume(): void {
    this.#last?.resume();
  }

  destroy(): void {
    this.#first?.destroy();
  }

  #begin(chunk: Buffer, onDrain: () => void): Transform {
    const streams = this.#make.map((make, index) => make(index === 0 ? chunk : undefined));
    const [first] = streams;
    const last = streams.at(-1);
    if (!first || !last) throw new Error("Nothing is to be unpacked.");
    this.#last = last;
    first.on("drain", onDrain);
    last.on("data", (piece: Buffer) => this.#pass(piece));
    const onOver = (error?: Error | null): void => {
      if (error) this.#ends.onFault(this.#broken());
      else this.#ends.onEnd();
    };
    if (first === last) finished(first, onOver);
    else pipeline(streams, onOver);
    return first;
  }

  #pass(piece: Buffer): void {
    this.#became += piece.length;
    if (this.#became > surelyFine && this.#became > mostTimes * this.#came) {
      this.#ends.onFault(largeFault(this.#url));
    } else this.#ends.onPiece(piece);
  }

  #broken(): OutboundFault {
    const sentence = `The answer of ${hostOf(this.#url)} is compressed and damaged.`;
    return new OutboundFault("broken", sentence, { sent: true });
  }
}

/** What makes the answer plain, and the head that it then has; undefined where there is nothing to unpack. */
export const unpackable = (
  method: string,
  status: number,
  headers: HeadersOut,
): { readonly make: ReturnType<typeof streamsFor>; readonly headers: HeadersOut } | undefined => {
  if (method === "HEAD" || bodiless.has(status) || status === partial) return undefined;
  const make = streamsFor(headers["content-encoding"]);
  if (make.length === 0) return undefined;
  const plain = { ...headers };
  for (const name of ofPacked) delete plain[name];
  const { etag } = plain;
  // RFC 9110 §8.8.3.3: other bytes, another tag.
  if (typeof etag === "string" && !etag.startsWith("W/")) plain["etag"] = `W/${etag}`;
  return { make, headers: plain };
};
