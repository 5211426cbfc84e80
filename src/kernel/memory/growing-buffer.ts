import type { Share } from "./byte-budget.ts";

/**
 * Bytes that come in pieces, in one piece: a list of them would cost a hundred times as much as they are when each has
 * one byte. What is held is at most twice what came, whatever was announced.
 */
export class GrowingBuffer {
  readonly #share: Share;
  readonly #mostBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /**
   * @param share what is held is taken from it, and given back with it
   * @param mostBytes how much will be added at the most: whoever adds sees to that
   */
  constructor(share: Share, mostBytes: number) {
    this.#share = share;
    this.#mostBytes = mostBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** What came so far. Not to be used any more when more was added. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** False when there is no room for it: nothing was added then. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const capacity = Math.max(length, Math.min(2 * this.#length, this.#mostBytes));
      if (!this.#share.grow(capacity - this.#bytes.length)) return false;
      const bytes = Buffer.allocUnsafeSlow(capacity);
      bytes.set(this.bytes);
      this.#bytes = bytes;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    return true;
  }
}
