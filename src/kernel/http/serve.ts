import cors, { type FastifyCorsOptions } from "@fastify/cors";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Random } from "../ids.ts";
import { Refusal } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { readBody } from "./content-encoding.ts";
import { Incoming, type Surroundings } from "./incoming.ts";
import { refusalBody, refusalHeaders, refusalOf } from "./problem.ts";
import { jsonType, type Answer, type Route, type Wire } from "./route.ts";

/** Bytes of a request body, before and after decompression. */
const bodyLimit = 64 * 1024;

type ServeDeps = {
  readonly routes: readonly Route[];
  /** Other origins whose pages may call `/api/…` with the session cookie. */
  readonly corsOrigins: readonly string[];
  readonly surroundings: Surroundings;
  readonly random: Random;
  readonly log: Log;
};

/** The headers that every answer of a wire carries. Those of the Track wire are recorded (contract §2.1). */
const standingHeaders = (wire: Wire, overTls: boolean): Headers => ({
  "cache-control": wire === "track" ? "no-cache, private, no-store, must-revalidate" : "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": wire === "track" ? "SAMEORIGIN" : "DENY",
  "referrer-policy": wire === "track" ? "strict-origin-when-cross-origin" : "no-referrer",
  ...(wire === "track" ? { "x-service-level": "GREEN" } : {}),
  ...(overTls ? { "strict-transport-security": "max-age=15552000" } : {}),
});

type Headers = Readonly<Record<string, string>>;
type Content = { readonly type: string; readonly body: string | Buffer };

const wireOf = (path: string): Wire => {
  if (path.startsWith("/api/v9/")) return "track";
  return path.startsWith("/api/") ? "accounts" : "plain";
};

/** Ids that tell requests of one process apart cheaply, and processes by a random beginning. */
const requestIds = (random: Random): (() => string) => {
  const beginning = random.bytes(10).toString("hex");
  let count = 0;
  return () => {
    count = (count + 1) % 0x1_0000_0000_0000;
    return beginning + count.toString(16).padStart(12, "0");
  };
};

const contentOf = (answer: Answer): Content | undefined => {
  if (answer.content) return answer.content;
  if (answer.json === undefined) return undefined;
  return { type: jsonType, body: JSON.stringify(answer.json) };
};

/** Which methods a path knows, for the `Allow` header. A path that no route has is unknown. */
const methodsByPath = (routes: readonly Route[]): ((path: string) => readonly string[]) => {
  const known = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}/?$`),
  }));
  return (path) => {
    const methods = new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }): string => method));
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].sort();
  };
};

const corsFor = (origins: readonly string[]) => async (request: FastifyRequest): Promise<FastifyCorsOptions> => ({
  origin: request.url.startsWith("/api/") ? [...origins] : false,
  credentials: true,
  methods: ["GET", "POST", "PUT", "DELETE"],
  exposedHeaders: ["Retry-After", "X-Request-Id", "X-Toggl-Quota-Remaining", "X-Toggl-Quota-Resets-In"],
  maxAge: 600,
});

/** The HTTP server over all rooms' rows. Requests are judged in the order of `route()`. */
export const createHttpServer = ({
  routes,
  corsOrigins,
  surroundings,
  random,
  log,
}: ServeDeps): FastifyInstance => {
  const nextId = requestIds(random);
  const overTls = surroundings.origin.protocol === "https:";
  const standing: Readonly<Record<Wire, Readonly<Record<string, string>>>> = {
    accounts: standingHeaders("accounts", overTls),
    track: standingHeaders("track", overTls),
    plain: standingHeaders("plain", overTls),
  };

  // Written past Fastify's reply: it would lower-case, copy and look through each header of each answer, which
  // costs as much as everything else that is done for a checked request.
  const send = (
    reply: FastifyReply,
    wire: Wire,
    incoming: Incoming,
    status: number,
    headers: Headers,
    content: Content | undefined,
  ): void => {
    reply.hijack();
    const lines: OutgoingHttpHeaders = { ...standing[wire], "x-request-id": incoming.requestId };
    if (wire === "track") lines["x-toggl-request-id"] = incoming.requestId;
    if (corsOrigins.length > 0) Object.assign(lines, reply.getHeaders());
    Object.assign(lines, incoming.answerHeaders, headers);
    if (content) lines["content-type"] = content.type;
    lines["content-length"] = content ? Buffer.byteLength(content.body) : 0;
    reply.raw.writeHead(status, lines);
    reply.raw.end(content?.body);
  };

  const refuse = (
    thrown: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    wire: Wire,
    incoming: Incoming,
  ): void => {
    const refusal = refusalOf(thrown);
    const facts = {
      requestId: incoming.requestId,
      method: request.method,
      route: request.routeOptions.url ?? "unknown",
      status: refusal.status,
      code: refusal.code,
    };
    if (refusal.status >= 500) log.error("request_failed", { ...facts, cause: refusal.cause });
    else log.info("request_refused", facts);
    const content = refusalBody(refusal, wire, incoming.accept, incoming.requestId);
    send(reply, wire, incoming, refusal.status, refusalHeaders(refusal), content);
  };

  const app = fastify({
    bodyLimit,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: "idle",
    http: { headersTimeout: 20_000 },
    frameworkErrors: (error, request, reply) => {
      const incoming = new Incoming(request, nextId(), surroundings);
      refuse(new Refusal("request_malformed", { cause: error }), request, reply, wireOf(request.url), incoming);
    },
    clientErrorHandler: refuseUnreadable,
  });

  app.removeAllContentTypeParsers();
  // The bytes are read here and understood by the route, after its guard: who may not call learns nothing of their body.
  app.addContentTypeParser("*", (request: FastifyRequest, payload: IncomingMessage) =>
    readBody(payload, {
      contentEncoding: request.headers["content-encoding"],
      contentLength: request.headers["content-length"],
      limit: bodyLimit,
    }),
  );

  if (corsOrigins.length > 0) void app.register(cors, () => corsFor(corsOrigins));

  for (const row of routes) {
    app.route({
      method: row.method,
      url: row.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      handler: async (request, reply) => {
        const incoming = new Incoming(request, nextId(), surroundings);
        try {
          const answer = await row.handle(incoming);
          const headers = answer.cookie === undefined ? answer.headers : { ...answer.headers, "set-cookie": answer.cookie };
          send(reply, row.wire, incoming, answer.status ?? 200, headers ?? {}, contentOf(answer));
          log.debug("request_answered", { requestId: incoming.requestId, method: row.method, route: row.path, status: answer.status ?? 200 });
        } catch (error) {
          refuse(error, request, reply, row.wire, incoming);
        }
        return reply;
      },
    });
  }

  app.setErrorHandler((error, request, reply) => {
    const incoming = new Incoming(request, nextId(), surroundings);
    refuse(error, request, reply, wireOf(request.url), incoming);
  });

  const methodsOf = methodsByPath(routes);
  app.setNotFoundHandler((request, reply) => {
    const incoming = new Incoming(request, nextId(), surroundings);
    const [path = ""] = request.url.split("?", 1);
    const methods = methodsOf(path);
    const refusal =
      methods.length === 0
        ? new Refusal("not_found")
        : new Refusal("method_not_allowed", { headers: { allow: methods.join(", ") } });
    refuse(refusal, request, reply, wireOf(path), incoming);
  });

  return app;
};

/** Answers what never became a request: broken HTTP, headers over 16 KiB, a client that is too slow. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, text } =
    error.code === "HPE_HEADER_OVERFLOW"
      ? { status: 431, text: "The request's headers are too large" }
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? { status: 408, text: "The request took too long to arrive" }
        : { status: 400, text: "The request is not valid HTTP" };
  const body = JSON.stringify(text);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
