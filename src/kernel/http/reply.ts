import type { FastifyReply, FastifyRequest } from "fastify";
import type { OutgoingHttpHeaders } from "node:http";
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { createSampling } from "../telemetry/sampling.ts";
import type { Drain } from "./drain.ts";
import type { Incoming } from "./incoming.ts";
import { refusals } from "../errors.ts";
import { endAnswer, isRestLong } from "./bodies/unread-rest.ts";
import { jsonType } from "./content-types.ts";
import { refusalHeaders, refusalOf } from "./problem.ts";
import type { Answer, StreamedAnswer } from "./route.ts";
import { cutSlowReader } from "./slow-reader.ts";
import type { Content, Headers, Wire } from "./wire.ts";

/** A request on its way to its answer. */
export type Exchange = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly wire: Wire;
  /** Of its good answer, where that says none. */
  readonly status: number;
  /** By the clock that only goes forward: milliseconds. */
  readonly since: number;
  readonly incoming: Incoming;
};

export type Replies = {
  readonly answer: (exchange: Exchange, answer: Answer | StreamedAnswer) => void | Promise<void>;
  /** Tells what was thrown: a Refusal as it is, anything else as a 500 whose cause only the log sees. */
  readonly refuse: (exchange: Exchange, thrown: unknown) => void;
};

/** Headers of all answers, whatever the wire. */
const standingHeaders = ({ standing }: Wire, overTls: boolean): Headers => ({
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  ...(overTls ? { "strict-transport-security": "max-age=15552000" } : {}),
  ...standing,
});

const contentOf = (answer: Answer): Content | undefined => {
  if (answer.content) return answer.content;
  return answer.json === undefined ? undefined : { type: jsonType, body: JSON.stringify(answer.json) };
};

type ReplyDeps = {
  readonly overTls: boolean;
  /** Whether a plugin may have put CORS headers on Fastify's reply. */
  readonly withCors: boolean;
  readonly drain: Pick<Drain, "hasBegun">;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the log has a line of each request: then refusals are not sampled either. */
  readonly saysAll: boolean;
  /** How long a client may take nothing of its answer: 30 seconds unless said. */
  readonly longestUnreadMs?: number | undefined;
};

/**
 * Refusals of one code and one network that are said in a minute, and in all: enough for those who ban by the log, and
 * no way to fill a disk with it.
 */
const refusalLines = { ofOneKey: 10, ofAll: 600 };

export const createReplies = (deps: ReplyDeps): Replies => {
  const { overTls, withCors, drain, log } = deps;
  const sampling = createSampling(deps.clock, refusalLines);
  const kept = new Map<Wire, Headers>();
  const standingOf = (wire: Wire): Headers => {
    const known = kept.get(wire);
    if (known) return known;
    const made = standingHeaders(wire, overTls);
    kept.set(wire, made);
    return made;
  };

  /** What every answer begins with. */
  const beginning = ({ wire, incoming }: Exchange): Record<string, string> => {
    const lines = { ...standingOf(wire) };
    for (const name of wire.requestIdNames) lines[name] = incoming.requestId;
    return lines;
  };

  // Written past Fastify's reply, which would lower-case, copy and look through each header of each answer: on the
  // path of every checked request that is work for nothing.
  const send = (
    exchange: Exchange,
    status: number,
    rest: { headers: Readonly<OutgoingHttpHeaders>; content: Content | undefined; framable?: boolean },
  ) => {
    const { request, reply, incoming } = exchange;
    const { content } = rest;
    reply.hijack();
    const lines: OutgoingHttpHeaders = beginning(exchange);
    if (withCors) Object.assign(lines, reply.getHeaders());
    Object.assign(lines, incoming.answerHeaders, rest.headers);
    if (rest.framable) delete lines["x-frame-options"];
    if (content) lines["content-type"] = content.type;
    // RFC 9110 §8.6: never with 204; with 304 it would be that of what is not sent.
    if (status !== 204 && status !== 304)
      lines["content-length"] = content ? Buffer.byteLength(content.body) : 0;
    // Whoever comes back by this connection would find nobody.
    if (drain.hasBegun()) lines["connection"] = "close";
    if (isRestLong(request.raw)) lines["connection"] = "close";
    reply.raw.writeHead(status, lines);
    const isLast = lines["connection"] === "close" || !reply.raw.shouldKeepAlive;
    endAnswer({ request: request.raw, response: reply.raw, isLast }, content?.body);
    cutSlowReader(reply.raw, deps.longestUnreadMs);
  };

  const factsOf = ({ request, incoming, since }: Exchange) => ({
    requestId: incoming.requestId,
    method: request.method,
    route: request.routeOptions.url ?? "unknown",
    address: incoming.client.address,
    ms: Math.round(performance.now() - since),
  });

  const noHeaders: Headers = {};
  return {
    answer: (exchange, answer) => {
      if ("send" in answer) {
        const { reply } = exchange;
        reply.hijack();
        return answer.send(reply.raw, {
          ...beginning(exchange),
          ...(drain.hasBegun() ? { connection: "close" } : {}),
        });
      }
      const { cookie, cookies = [], headers = noHeaders, status = exchange.status } = answer;
      send(exchange, status, {
        headers: cookie === undefined ? headers : { ...headers, "set-cookie": [cookie, ...cookies] },
        content: contentOf(answer),
        ...(answer.framable ? { framable: true } : {}),
      });
      if (deps.saysAll) log.debug("request_answered", { ...factsOf(exchange), status });
      return undefined;
    },
    refuse: (exchange, thrown) => {
      const { wire, incoming } = exchange;
      const refusal = refusalOf(thrown);
      const { code, status } = refusal;
      const isFault = refusal.kind === refusals.internal || refusal.kind === refusals.store_unavailable;
      const leftOut = deps.saysAll ? 0 : sampling.pass(`${code} ${isFault ? "" : incoming.client.network}`);
      if (leftOut !== undefined) {
        const host = refusal.kind === refusals.host_unknown ? { host: incoming.sentHost } : {};
        const facts = { ...factsOf(exchange), status, code, ...host, ...(leftOut > 0 ? { leftOut } : {}) };
        if (isFault) log.error("request_failed", { ...facts, cause: refusal.cause });
        else log.info("request_refused", facts);
      }
      send(exchange, status, {
        headers: refusalHeaders(refusal),
        content: wire.voice.tell(refusal, incoming),
      });
    },
  };
};
