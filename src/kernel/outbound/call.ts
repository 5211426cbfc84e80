/** A call whose answer is taken as a whole: bounded in time, in size, and in how often it is sent on. */

import type { Dispatcher } from "undici";
import type { ByteBudget, Share } from "../memory/byte-budget.ts";
import { GrowingBuffer } from "../memory/growing-buffer.ts";
import { decompressed, isPacked, type Answered } from "./decompress.ts";
import { crowdedFault, faultOf, largeFault, lateFault } from "./fault.ts";
import { answerHeaders, requestLines, type HeadersOut } from "./headers.ts";
import type { Asker } from "./look-ups.ts";
import type { Pools } from "./pools.ts";
import { nextWay, type Way } from "./redirect.ts";

export type CallRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
  /** For everything, name look-up and redirects included. 10 s unless said. */
  readonly timeoutMs?: number;
  /** Bytes of the body, as sent and again when decompressed. 1 MiB unless said. */
  readonly maxBytes?: number;
  /** Names of headers that go to the first origin only, besides Authorization and Cookie. */
  readonly sensitive?: readonly string[];
  /** Whom the call is made for: the names that it needs are looked up in their turn. */
  readonly asker?: Asker | undefined;
};

export type CallAnswer = {
  readonly status: number;
  /** Names in lower case; of a decompressed body without its Content-Encoding and Content-Length. */
  readonly headers: Readonly<HeadersOut>;
  readonly body: Buffer;
  /** Where the answer came from in the end. */
  readonly url: URL;
};

export type Call = (request: CallRequest) => Promise<CallAnswer>;

const largest = 1024 * 1024;

const defaults = { accept: "*/*", "accept-encoding": "gzip, deflate, br", "user-agent": "Latchkey" };

/** Takes an answer's body up to a size. */
class Reading implements Dispatcher.DispatchHandler {
  readonly #url: URL;
  readonly #maxBytes: number;
  readonly #done = Promise.withResolvers<Answered>();
  readonly #body: GrowingBuffer;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  #status = 0;
  #headers: HeadersOut = {};

  constructor(url: URL, maxBytes: number, share: Share) {
    this.#url = url;
    this.#maxBytes = maxBytes;
    this.#body = new GrowingBuffer(share, maxBytes);
  }

  get answer(): Promise<Answered> {
    return this.#done.promise;
  }

  /** Also before there is a connection: then nothing will be sent over it. */
  abort(reason: Error): void {
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  get sent(): boolean {
    return this.#controller !== undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#aborted) throw this.#aborted;
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // Of several heads (1xx), the last one is the answer's.
    this.#status = status;
    this.#headers = answerHeaders(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body.length + chunk.length > this.#maxBytes) controller.abort(largeFault(this.#url));
    else if (!this.#body.add(chunk)) controller.abort(crowdedFault(this.#url));
  }

  onResponseEnd(): void {
    this.#done.resolve({
      status: this.#status,
      headers: this.#headers,
      body: this.#body.bytes,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#done.reject(faultOf(error, this.#url, this.sent));
  }
}

/** The call without its time limit, which ends it by `abort`. */
class Journey {
  readonly #pools: Pools;
  readonly #request: CallRequest;
  readonly #maxBytes: number;
  readonly #share: Share;
  readonly #ended = new AbortController();
  #reading: Reading | undefined;
  #way: Way;

  constructor(pools: Pools, request: CallRequest, share: Share) {
    const { method, url, headers, sensitive = [], maxBytes = largest } = request;
    this.#pools = pools;
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#share = share;
    const lines = requestLines({ headers: defaults, add: headers }, false);
    this.#way = { url: new URL(url), method, lines, sensitive, trail: [] };
  }

  get url(): URL {
    return this.#way.url;
  }

  get sent(): boolean {
    return this.#way.trail.length > 0 || this.#reading?.sent === true;
  }

  abort(reason: Error): void {
    this.#ended.abort(reason);
    this.#reading?.abort(reason);
  }

  async run(): Promise<CallAnswer> {
    for (;;) {
      const { url } = this.#way;
      const packed = await this.#send();
      const { body } = this.#request;
      const next =
        body === undefined ? nextWay(this.#way, packed.status, packed.headers["location"]) : undefined;
      if (next === undefined) {
        return { ...(await this.#unpacked(packed, url)), url };
      }
      this.#way = next;
    }
  }

  async #unpacked(packed: Answered, url: URL): Promise<Answered> {
    // How much comes out shows only then.
    if (isPacked(packed) && !this.#share.grow(2 * this.#maxBytes)) throw crowdedFault(url);
    return decompressed(packed, url, this.#maxBytes);
  }

  async #send(): Promise<Answered> {
    const { url, method, lines } = this.#way;
    const { asker } = this.#request;
    const { signal } = this.#ended;
    const pool = this.#pools.known(url) ?? (await this.#pools.find(url, { asker, signal }));
    signal.throwIfAborted();
    const reading = new Reading(url, this.#maxBytes, this.#share);
    this.#reading = reading;
    const path = url.pathname + url.search;
    pool.dispatch({ path, method, headers: lines, body: this.#request.body ?? null }, reading);
    return reading.answer;
  }
}

/** @param answers what the answers of all calls hold that are under way */
export const createCall =
  (pools: Pools, longestMs: number, answers: ByteBudget): Call =>
  async (request) => {
    const share = answers.open();
    const journey = new Journey(pools, request, share);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const fault = lateFault(journey.url, { sent: journey.sent });
      // Rejected first: what is cut off by this is late, and not broken.
      late.reject(fault);
      journey.abort(fault);
    }, request.timeoutMs ?? longestMs);
    try {
      return await Promise.race([journey.run(), late.promise]);
    } finally {
      clearTimeout(timer);
      share.free();
    }
  };
