/** The body of a client's request on its way to a stranger. */

import { Readable } from "node:stream";

/**
 * Passes a stream on as it comes, and begins to read it only when somebody reads here. The connection to the stranger
 * destroys the body when it breaks; destroying the client's request itself would cut off the way back to the client.
 * What then still comes is left there: Node reads past it when the client has its answer.
 */
export class Upload extends Readable {
  readonly #source: Readable;
  #isReading = false;
  #isCut = false;

  constructor(source: Readable) {
    super();
    this.#source = source;
    // The connection listens while it reads. Whatever comes before or after that is nobody's concern.
    this.on("error", () => {});
  }

  /** Whether the source ended before its end. */
  get isCut(): boolean {
    return this.#isCut;
  }

  override _read(): void {
    if (!this.#isReading) {
      this.#isReading = true;
      // A stream that is over already emits nothing any more.
      if (this.#source.destroyed || this.#source.readableEnded) {
        if (this.#source.readableEnded) this.push(null);
        else this.#onCut();
        return;
      }
      this.#source.on("data", this.#onData).on("end", this.#onEnd);
      this.#source.on("error", this.#onCut).on("close", this.#onCut);
    }
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onCut);
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    this.#source.off("close", this.#onCut);
    this.push(null);
  };

  readonly #onCut = (): void => {
    if (this.destroyed) return;
    this.#isCut = true;
    this.destroy(new Error("The request's body ended before its end."));
  };
}
