import type { z } from "zod";
import type { Refusal, RefusalKind } from "../errors.ts";
import { jsonType } from "./content-types.ts";
import { anyQuery, type Query } from "./input.ts";

export type Headers = Readonly<Record<string, string>>;

export type Content = { readonly type: string; readonly body: string | Buffer };

/** How refusals are told. */
export type Voice = {
  /** A refusal's code, as its programs know it. */
  readonly codeOf: (kind: RefusalKind) => string;
  /** What is told where the case has no sentence of its own. */
  readonly sentenceOf: (kind: RefusalKind) => string;
  /** The body; undefined when there is none. @param asker its `accept` header as it came */
  readonly tell: (
    refusal: Refusal,
    asker: { readonly accept: string; readonly requestId: string },
  ) => Content | undefined;
  /** Of those bodies, for the documents, where they are neither sentences nor problem documents. */
  readonly schema?: z.ZodType;
};

/** A protocol that clients speak with this server, as one value: a room hands it over, and its rows carry it. */
export type Wire = {
  /** Heads its calls in the documents. */
  readonly title: string;
  /** One sentence for the documents. */
  readonly about: string;
  /** For people with a browser: its rows are no part of the API. */
  readonly forPeople?: true;
  /**
   * What its paths begin with: it answers for those that no row has. The longest one decides. Left out, it is the first
   * segments of the paths of its rows.
   */
  readonly roots?: readonly string[];
  /** Bytes of a request body, before and after decompression. */
  readonly bodyLimit: number;
  /** Headers of every answer, which a row may say anew. They win over those that all wires have. */
  readonly standing: Headers;
  /** Headers with the number of the request, in lower case. */
  readonly requestIdNames: readonly string[];
  /** Of what rows that name no query read of it. */
  readonly query: Query<unknown>;
  /** Pages of listed origins may call it with the session's cookie, and may read these headers of its answers. */
  readonly cookiesFromElsewhere?: { readonly exposes: readonly string[] };
  /** What a browser is told before a page of any other origin calls; left out, no such page may. */
  readonly preflight?: Headers;
  readonly voice: Voice;
};

const problemType = "application/problem+json";

const sentenceWith = (refusal: Refusal, sentenceOf: Voice["sentenceOf"]): string => {
  if (refusal.text !== undefined) return refusal.text;
  if (refusal.issues.length > 0) return refusal.issues.map((issue) => issue.message).join("; ");
  return sentenceOf(refusal.kind);
};

/** What a refusal says. */
export const sentenceIn = (voice: Voice, refusal: Refusal): string => sentenceWith(refusal, voice.sentenceOf);

/**
 * A JSON string literal, or for those who ask a problem document (RFC 9457) with a stable code.
 * @param sentences by code, where the wire has its own
 */
export const plainVoice = (sentences: Readonly<Record<string, string>> = {}): Voice => {
  const sentenceOf = ({ code, text }: RefusalKind): string => sentences[code] ?? text;
  return {
    codeOf: ({ code }) => code,
    sentenceOf,
    tell: (refusal, { accept, requestId }) => {
      const sentence = sentenceWith(refusal, sentenceOf);
      const { kind, status, issues } = refusal;
      if (accept.toLowerCase().includes(problemType)) {
        const problem = {
          type: `urn:latchkey:problem:${kind.code}`,
          title: kind.text,
          status,
          detail: sentence,
          code: kind.code,
          instance: `urn:latchkey:request:${requestId}`,
          ...(issues.length > 0 ? { errors: issues } : {}),
        };
        return { type: `${problemType}; charset=utf-8`, body: JSON.stringify(problem) };
      }
      return kind.wordless ? undefined : { type: jsonType, body: JSON.stringify(sentence) };
    },
  };
};

/** What any server says to programs. It owns no path, and answers where nobody else does. */
export const plainWire: Wire = {
  title: "Server",
  about: "Whether it is well, and its public keys.",
  roots: [],
  bodyLimit: 64 * 1024,
  standing: {},
  requestIdNames: ["x-request-id"],
  query: anyQuery,
  voice: plainVoice(),
};
