/** Undoes what a stranger did to the body of an answer to make it smaller (RFC 9110 §8.4). */

import type { Transform } from "node:stream";
import { promisify } from "node:util";
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzip,
  inflate,
  inflateRaw,
} from "node:zlib";
import { hostOf, largeFault, OutboundFault } from "./fault.ts";
import type { HeadersOut } from "./headers.ts";

export type Answered = { readonly status: number; readonly headers: HeadersOut; readonly body: Buffer };

type Inflate = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const unzip: Inflate = promisify(gunzip);
const inflateWrapped: Inflate = promisify(inflate);
const inflateBare: Inflate = promisify(inflateRaw);

/** RFC 9110 §8.4.1.2 means zlib's format; many servers send the bare stream. */
const isWrapped = (begun: Buffer): boolean => ((begun[0] ?? 0) & 0x0f) === 8;

const inflateEither: Inflate = (body, options) =>
  isWrapped(body) ? inflateWrapped(body, options) : inflateBare(body, options);

type Coding = {
  readonly whole: Inflate;
  /** @param begun the first bytes, as far as they are known */
  readonly stream: (begun: Buffer | undefined) => Transform;
};

const gzip: Coding = { whole: unzip, stream: () => createGunzip() };

const codings: ReadonlyMap<string, Coding> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  [
    "deflate",
    {
      whole: inflateEither,
      stream: (begun) => (begun && !isWrapped(begun) ? createInflateRaw() : createInflate()),
    },
  ],
  ["br", { whole: promisify(brotliDecompress), stream: () => createBrotliDecompress() }],
]);
const mostCodings = 2;

/** The outermost first. */
const namesIn = (encoding: string | readonly string[] | undefined): readonly string[] =>
  [encoding ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
    .toReversed();

/** What undoes each coding, the outermost first; none where there is nothing to undo, or where it is not known how. */
export const streamsFor = (encoding: string | readonly string[] | undefined): readonly Coding["stream"][] => {
  const names = namesIn(encoding);
  const known = names.flatMap((name) => codings.get(name)?.stream ?? []);
  return known.length === names.length && names.length <= mostCodings ? known : [];
};

export const isPacked = ({ headers, body }: Answered): boolean =>
  body.length > 0 && namesIn(headers["content-encoding"]).length > 0;

/** The answer with its body as it was before it was compressed. @throws OutboundFault `too_large`, `broken` */
export const decompressed = async (packed: Answered, url: URL, maxBytes: number): Promise<Answered> => {
  const { "content-encoding": encoding, "content-length": _, ...headers } = packed.headers;
  const names = namesIn(encoding);
  if (!isPacked(packed)) return packed;
  const broken = (why: string): OutboundFault =>
    new OutboundFault("broken", `The answer of ${hostOf(url)} is compressed ${why}.`, { sent: true });
  if (names.length > mostCodings) throw broken("too many times");
  let { body } = packed;
  for (const name of names) {
    const undo = codings.get(name);
    if (undo === undefined) throw broken("in a way that was not asked for");
    try {
      body = await undo.whole(body, { maxOutputLength: maxBytes });
    } catch (error) {
      const isLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
      throw isLarge ? largeFault(url) : broken("and damaged");
    }
  }
  return { status: packed.status, headers, body };
};
