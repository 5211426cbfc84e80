/** A stranger's answer, streamed to the client of this server as it comes. */

import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Dispatcher, Pool } from "undici";
import { minute } from "../clock.ts";
import { faultOf, lateFault, OutboundFault } from "./fault.ts";
import { answerHeaders, requestLines, type HeadersOut, type RequestHead } from "./headers.ts";
import type { Asker } from "./look-ups.ts";
import type { Pools } from "./pools.ts";
import { nextWay, type Way } from "./redirect.ts";
import { unpackable, Unpacking } from "./unpacking.ts";
import { Upload } from "./upload.ts";

export type PipeRequest = RequestHead & {
  readonly method: string;
  readonly url: URL;
  /** Path and query as they are to be sent, beginning with a slash, where their spelling counts. Those of `url` unless said. */
  readonly path?: string | undefined;
  /** A stream is read once, as fast as the stranger takes it, and only when a connection stands. */
  readonly body?: Buffer | Readable | undefined;
  /** Names of headers that go to the first origin only, besides those of `add`, Authorization and Cookie. */
  readonly sensitive?: readonly string[];
  /** Whom the call is made for: the names that it needs are looked up in their turn. */
  readonly asker?: Asker | undefined;
};

export type PipeOptions = {
  /**
   * The head that the client gets, from the stranger's (a new object, without hop-by-hop headers).
   * `undefined` keeps the answer back: nothing is written, and the caller may try again.
   */
  readonly head: (status: number, headers: HeadersOut) => HeadersOut | undefined;
  /** Unpacks the answer where it is compressed in a way that is known. False unless said. */
  readonly decompress?: boolean;
  /** Without progress until the answer's head is there. 60 s unless said. */
  readonly firstByteMs?: number;
  /** How long a client may take nothing before its connection is cut. 5 minutes unless said. */
  readonly stalledMs?: number;
  /** Follows redirects of GET and HEAD without a body. True unless said. */
  readonly follow?: boolean;
};

export type PipeOutcome =
  /** All of it was written. */
  | { readonly ended: "whole"; readonly status: number }
  /** The stranger broke off; the client's connection was cut, so that it does not take a part for the whole. */
  | { readonly ended: "cut"; readonly status: number; readonly fault: OutboundFault }
  /** `head` kept the answer back. Nothing was written. */
  | { readonly ended: "kept"; readonly status: number; readonly headers: Readonly<HeadersOut> }
  /** Nothing was written. A body that is a stream may have been read in part when `fault.sent`. */
  | { readonly ended: "failed"; readonly fault: OutboundFault }
  /** The client left, or stopped to read. The status is there when its head had been written. */
  | { readonly ended: "left"; readonly status?: number };

export type Pipe = (
  request: PipeRequest,
  response: ServerResponse,
  options: PipeOptions,
) => Promise<PipeOutcome>;

const longestWaitMs = minute;
/** A client that reads no more holds a connection to the stranger, of which there are only so many. */
const longestStallMs = 5 * minute;
/** So much of an answer that goes nowhere is read to keep its connection. */
const worthReading = 64 * 1024;

/** Made once: nobody reads their stacks. */
const clientLeft = new Error("The client left.");
const notWanted = new Error("The answer is not wanted.");

/** One answer on its way. Its methods are called by undici, one after the other. */
class Passage implements Dispatcher.DispatchHandler {
  readonly #pools: Pools;
  readonly #response: ServerResponse;
  readonly #options: PipeOptions;
  readonly #body: Buffer | Upload | null;
  readonly #asker: Asker | undefined;
  readonly #done = Promise.withResolvers<PipeOutcome>();
  readonly #timer: NodeJS.Timeout;
  readonly #onClose = (): void => this.#left();
  #controller: Dispatcher.DispatchController | undefined;
  #finding: AbortController | undefined;
  #way: Way;
  #next: Way | undefined;
  #status = 0;
  #isOver = false;
  #skipped = 0;
  #hasBody = false;
  #stall: NodeJS.Timeout | undefined;
  #unpacking: Unpacking | undefined;
  /** The client does not take what was written. */
  #isHeldUp = false;

  constructor(pools: Pools, request: PipeRequest, response: ServerResponse, options: PipeOptions) {
    const { method, url, path, body, add = {}, sensitive = [], asker } = request;
    this.#pools = pools;
    this.#asker = asker;
    this.#response = response;
    this.#options = options;
    this.#body = body === undefined || Buffer.isBuffer(body) ? (body ?? null) : new Upload(body);
    const lines = requestLines(request, this.#body instanceof Upload);
    this.#way = { url, path, method, lines, sensitive: [...Object.keys(add), ...sensitive], trail: [] };
    this.#timer = setTimeout(endLate, options.firstByteMs ?? longestWaitMs, this);
    response.on("close", this.#onClose);
  }

  start(): Promise<PipeOutcome> {
    if (this.#response.destroyed) this.#left();
    else this.#send();
    return this.#done.promise;
  }

  #send(): void {
    const { url } = this.#way;
    try {
      const pool = this.#pools.known(url);
      if (pool) this.#dispatch(pool);
      else {
        this.#finding = new AbortController();
        this.#pools.find(url, { asker: this.#asker, signal: this.#finding.signal }).then(
          (found) => this.#dispatch(found),
          (error: unknown) => this.#fail(error),
        );
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #dispatch(pool: Pool): void {
    if (this.#isOver) return;
    const { url, path = url.pathname + url.search, method, lines } = this.#way;
    // A whole URL in its place would name another host to the stranger (RFC 9112 §3.2.2).
    if (!path.startsWith("/")) {
      this.#fail(new RangeError("The path of a request begins with a slash."));
      return;
    }
    pool.dispatch({ path, method, headers: lines, body: this.#body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) throw clientLeft;
    this.#controller = controller;
  }

  onBodySent(): void {
    if (!this.#isOver && this.#status === 0) this.#timer.refresh();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200 || this.#isOver) return;
    try {
      this.#next =
        this.#options.follow === false || this.#body !== null
          ? undefined
          : nextWay(this.#way, status, headers["location"]);
      if (this.#next) return;
      const kept = answerHeaders(headers);
      const { decompress = false } = this.#options;
      const packed = decompress ? unpackable(this.#way.method, status, kept) : undefined;
      const head = this.#options.head(status, packed?.headers ?? kept);
      if (head === undefined) {
        this.#end({ ended: "kept", status, headers: kept });
        return;
      }
      clearTimeout(this.#timer);
      this.#response.writeHead(status, head);
      this.#status = status;
      if (packed) this.#unpacking = this.#unpack(controller, packed.make);
      process.nextTick(flushHead, this);
    } catch (error) {
      this.#fail(error);
      controller.abort(notWanted);
    }
  }

  /** For a head whose body takes its time. One that comes along with its body is written with it. */
  flush(): void {
    if (!this.#hasBody && !this.#isOver) this.#response.flushHeaders();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver || this.#next) {
      this.#skipped += chunk.length;
      if (this.#skipped > worthReading) controller.abort(notWanted);
      return;
    }
    if (!this.#unpacking) this.#pass(chunk);
    else if (!this.#unpacking.write(chunk, () => controller.resume())) controller.pause();
  }

  #pass(chunk: Buffer): void {
    this.#hasBody = true;
    if (this.#response.write(chunk)) return;
    (this.#unpacking ?? this.#controller)?.pause();
    this.#isHeldUp = true;
    if (this.#stall) {
      this.#stall.refresh();
      return;
    }
    this.#stall = setTimeout(endStalled, this.#options.stalledMs ?? longestStallMs, this);
    this.#response.on("drain", () => {
      this.#isHeldUp = false;
      (this.#unpacking ?? this.#controller)?.resume();
    });
  }

  #unpack(controller: Dispatcher.DispatchController, make: ConstructorParameters<typeof Unpacking>[0]) {
    return new Unpacking(make, this.#way.url, {
      onPiece: (piece) => this.#isOver || this.#pass(piece),
      onEnd: () => this.#finish(),
      onFault: (fault) => {
        if (this.#isOver) return;
        this.#fail(fault);
        controller.abort(fault);
      },
    });
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    if (this.#next) this.#goOn(this.#next);
    else if (this.#unpacking) this.#unpacking.end();
    else this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#end({ ended: "whole", status: this.#status });
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    // However an answer ends that only sent us on: where to is known.
    if (this.#next) this.#goOn(this.#next);
    else if (this.#body instanceof Upload && this.#body.isCut) this.#left();
    else this.#fail(faultOf(error, this.#way.url, this.#controller !== undefined));
  }

  #goOn(next: Way): void {
    this.#way = next;
    this.#next = undefined;
    this.#controller = undefined;
    this.#skipped = 0;
    this.#send();
  }

  /** Called when the time for the first byte is over. */
  late(): void {
    if (this.#isOver) return;
    const fault = lateFault(this.#way.url, { sent: this.#controller !== undefined });
    this.#fail(fault);
    this.#controller?.abort(fault);
  }

  /** Called so long after the answer was last held up; most are not held up any more then. */
  stalled(): void {
    if (this.#isOver || !this.#isHeldUp) return;
    this.#left();
    this.#response.destroy();
  }

  #left(): void {
    if (this.#isOver) return;
    this.#end(this.#status === 0 ? { ended: "left" } : { ended: "left", status: this.#status });
    // Also while it is paused for a client that will never read again: else its connection is lost for ever.
    this.#controller?.abort(clientLeft);
  }

  /** @param error A fault of the stranger's becomes the outcome; any other is a bug, and the caller's to know. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    const status = this.#status;
    if (!(error instanceof OutboundFault)) {
      this.#stop();
      this.#done.reject(error);
    } else if (status === 0) this.#end({ ended: "failed", fault: error });
    else this.#end({ ended: "cut", status, fault: error });
    if (status !== 0) this.#response.destroy();
  }

  #end(outcome: PipeOutcome): void {
    this.#stop();
    this.#done.resolve(outcome);
  }

  #stop(): void {
    this.#isOver = true;
    this.#finding?.abort();
    this.#unpacking?.destroy();
    clearTimeout(this.#timer);
    clearTimeout(this.#stall);
    // The caller may try again with the same response, any number of times.
    if (this.#status === 0) this.#response.off("close", this.#onClose);
  }
}

const endStalled = (passage: Passage): void => passage.stalled();
const endLate = (passage: Passage): void => passage.late();
const flushHead = (passage: Passage): void => passage.flush();

export const createPipe =
  (pools: Pools): Pipe =>
  (request, response, options) =>
    new Passage(pools, request, response, options).start();
