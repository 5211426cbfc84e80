import type { FastifyReply, FastifyRequest } from "fastify";
import type { OutgoingHttpHeaders } from "node:http";
import type { Log } from "../telemetry/log.ts";
import type { Incoming } from "./incoming.ts";
import type { Refusal } from "../errors.ts";
import { refusalBody, refusalHeaders, refusalOf, sentenceOf } from "./problem.ts";
import { htmlType, jsonType, type Answer, type StreamedAnswer, type Wire } from "./route.ts";

/** A request on its way to its answer. */
export type Exchange = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly wire: Wire;
  readonly incoming: Incoming;
};

export type Replies = {
  readonly answer: (exchange: Exchange, answer: Answer | StreamedAnswer) => void | Promise<void>;
  /** Tells what was thrown: a Refusal as it is, anything else as a 500 whose cause only the log sees. */
  readonly refuse: (exchange: Exchange, thrown: unknown) => void;
};

/** @returns HTML */
export type ErrorPage = (told: {
  readonly status: number;
  readonly sentence: string;
  readonly requestId: string;
}) => string;

export type Headers = Readonly<Record<string, string>>;
type Content = { readonly type: string; readonly body: string | Buffer };

/** The headers that every answer of a wire carries. Those of the Track wire are recorded (contract §2.1). */
const standingHeaders = (wire: Wire, overTls: boolean): Headers => ({
  "cache-control": wire === "track" ? "no-cache, private, no-store, must-revalidate" : "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": wire === "track" ? "SAMEORIGIN" : "DENY",
  "referrer-policy": wire === "track" ? "strict-origin-when-cross-origin" : "no-referrer",
  ...(wire === "track" ? { "x-service-level": "GREEN" } : {}),
  ...(overTls ? { "strict-transport-security": "max-age=15552000" } : {}),
});

/** Pages of any app may call, with a key or a session token that they hold; no cookie counts on this wire. */
const connectHeaders: Headers = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Retry-After, X-Request-Id",
};

const contentOf = (answer: Answer): Content | undefined => {
  if (answer.content) return answer.content;
  return answer.json === undefined ? undefined : { type: jsonType, body: JSON.stringify(answer.json) };
};

type ReplyDeps = {
  readonly overTls: boolean;
  /** Headers of all answers of a wire, whoever asks, which a route may say anew. */
  readonly standing: Partial<Readonly<Record<Wire, Headers>>>;
  /** A refusal as a page, where people and not programs are told. */
  readonly errorPage: ErrorPage;
  /** Whether a plugin may have put CORS headers on Fastify's reply. */
  readonly withCors: boolean;
  readonly log: Log;
};

export const createReplies = ({ overTls, standing: given, errorPage, withCors, log }: ReplyDeps): Replies => {
  const standing: Readonly<Record<Wire, Headers>> = {
    accounts: { ...standingHeaders("accounts", overTls), ...given.accounts },
    track: { ...standingHeaders("track", overTls), ...given.track },
    plain: { ...standingHeaders("plain", overTls), ...given.plain },
    connect: { ...standingHeaders("connect", overTls), ...connectHeaders, ...given.connect },
    pages: { ...standingHeaders("pages", overTls), ...given.pages },
  };

  // Written past Fastify's reply, which would lower-case, copy and look through each header of each answer: on the
  // path of every checked request that is work for nothing.
  const send = (
    exchange: Exchange,
    status: number,
    rest: { headers: Headers; content: Content | undefined; framable?: boolean },
  ) => {
    const { request, reply, wire, incoming } = exchange;
    const { content } = rest;
    reply.hijack();
    const lines: OutgoingHttpHeaders = { ...standing[wire], "x-request-id": incoming.requestId };
    if (wire === "track") lines["x-toggl-request-id"] = incoming.requestId;
    if (withCors) Object.assign(lines, reply.getHeaders());
    Object.assign(lines, incoming.answerHeaders, rest.headers);
    if (rest.framable) delete lines["x-frame-options"];
    if (content) lines["content-type"] = content.type;
    // RFC 9110 §8.6: never with 204; with 304 it would be that of what is not sent.
    if (status !== 204 && status !== 304)
      lines["content-length"] = content ? Buffer.byteLength(content.body) : 0;
    // Of a server that is being stopped: a connection that stays open would hold up the end.
    if (!request.server.server.listening) lines["connection"] = "close";
    reply.raw.writeHead(status, lines);
    reply.raw.end(content?.body);
  };

  const contentOfRefusal = (refusal: Refusal, { wire, incoming }: Exchange): Content | undefined => {
    const { accept, requestId } = incoming;
    if (wire !== "pages") return refusalBody(refusal, wire, { accept, requestId });
    const sentence = sentenceOf(refusal, wire);
    return { type: htmlType, body: errorPage({ status: refusal.status, sentence, requestId }) };
  };

  const noHeaders: Headers = {};
  return {
    answer: (exchange, answer) => {
      if ("send" in answer) {
        const { request, reply, wire, incoming } = exchange;
        reply.hijack();
        const isStopping = !request.server.server.listening;
        return answer.send(reply.raw, {
          ...standing[wire],
          "x-request-id": incoming.requestId,
          ...(isStopping ? { connection: "close" } : {}),
        });
      }
      const { cookie, headers = noHeaders, status = 200 } = answer;
      send(exchange, status, {
        headers: cookie === undefined ? headers : { ...headers, "set-cookie": cookie },
        content: contentOf(answer),
        ...(answer.framable ? { framable: true } : {}),
      });
      const { requestId, method } = exchange.incoming;
      log.debug("request_answered", { requestId, method, route: exchange.request.routeOptions.url, status });
      return undefined;
    },
    refuse: (exchange, thrown) => {
      const { request, incoming } = exchange;
      const refusal = refusalOf(thrown);
      const { code, status } = refusal;
      const route = request.routeOptions.url ?? "unknown";
      const facts = { requestId: incoming.requestId, method: request.method, route, status, code };
      const isFault = code === "internal" || code === "store_unavailable";
      if (isFault) log.error("request_failed", { ...facts, cause: refusal.cause });
      else log.info("request_refused", facts);
      send(exchange, status, {
        headers: refusalHeaders(refusal),
        content: contentOfRefusal(refusal, exchange),
      });
    },
  };
};
