import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Share } from "../../kernel/memory/byte-budget.ts";
import { GrowingBuffer } from "../../kernel/memory/growing-buffer.ts";

/** What of a call must be kept, so that it can be made again. */

/** Bytes of a body. */
const mostKept = 1024 * 1024;

export type KeptBody =
  | { readonly kind: "whole"; readonly bytes: Buffer }
  /** It is too large, or all bodies that are kept are: it can be sent once. */
  | { readonly kind: "stream"; readonly stream: Readable; readonly because: "large" | "crowded" };

const isBuffer = (chunk: unknown): chunk is Buffer => Buffer.isBuffer(chunk);

async function* goingOn(begun: readonly Buffer[], rest: AsyncIterator<unknown>): AsyncGenerator {
  yield* begun;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** @param share what is kept is taken from it. Rejects when the client leaves. */
export const keptBody = async (request: IncomingMessage, share: Share): Promise<KeptBody> => {
  if (Number(request.headers["content-length"] ?? 0) > mostKept)
    return { kind: "stream", stream: request, because: "large" };
  const kept = new GrowingBuffer(share, mostKept);
  const reading: AsyncIterator<unknown> = request[Symbol.asyncIterator]();
  for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
    if (!isBuffer(next.value)) continue;
    const isLarge = kept.length + next.value.length > mostKept;
    if (isLarge || !kept.add(next.value)) {
      const stream = Readable.from(goingOn([kept.bytes, next.value], reading), { objectMode: false });
      return { kind: "stream", stream, because: isLarge ? "large" : "crowded" };
    }
  }
  return { kind: "whole", bytes: kept.bytes };
};
