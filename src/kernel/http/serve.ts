import cors, { type FastifyCorsOptions } from "@fastify/cors";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Random } from "../ids.ts";
import { Refusal, refusals, type RefusalCode } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { readBody } from "./content-encoding.ts";
import { Incoming, type Surroundings } from "./incoming.ts";
import { createReplies, type ErrorPage, type Exchange, type Headers } from "./reply.ts";
import { jsonType, type Route, type Wire } from "./route.ts";

/** Bytes of a request body, before and after decompression. */
const bodyLimits = { connect: 1024 * 1024, others: 64 * 1024 } as const;

type ServeDeps = {
  readonly routes: readonly Route[];
  /** Other origins whose pages may call `/api/…` with the session cookie. */
  readonly corsOrigins: readonly string[];
  readonly standing: Partial<Readonly<Record<Wire, Headers>>>;
  readonly errorPage: ErrorPage;
  readonly surroundings: Surroundings;
  readonly random: Random;
  readonly log: Log;
};

const connectPaths =
  /^\/(connect|integrations|connections?|providers|proxy|api-auth|app-auth|app-store-auth|auth|environments?|environment-variables|oauth|oauth2|records|sync|action|scripts)(\/|\?|$)/;

const wireOf = (path: string): Wire => {
  if (connectPaths.test(path)) return "connect";
  if (path.startsWith("/api/v9/")) return "track";
  return path.startsWith("/api/") ? "accounts" : "plain";
};

/** A person who mistyped an address gets a page; a program gets what its wire says. */
const wireOfUnknown = ({ url, headers, method }: FastifyRequest): Wire => {
  const wire = wireOf(url);
  const isPerson = method === "GET" && headers.accept?.includes("text/html") === true;
  return wire === "plain" && isPerson ? "pages" : wire;
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

/** Which methods a path knows, for the `Allow` header. A path that no route has is unknown. */
const methodsByPath = (routes: readonly Route[]): ((path: string) => readonly string[]) => {
  const known = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(
      `^${path
        .replaceAll(".", "\\.")
        .replace(/\{\w+\*\}$/, ".*")
        .replaceAll(/\{\w+\}/g, "[^/]+")}/?$`,
    ),
  }));
  return (path) => {
    const methods = new Set(
      known.filter(({ pattern }) => pattern.test(path)).map(({ method }): string => method),
    );
    if (methods.delete("ANY")) for (const method of anyMethods) methods.add(method);
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].toSorted();
  };
};

const corsFor =
  (origins: readonly string[]) =>
  async (request: FastifyRequest): Promise<FastifyCorsOptions> => ({
    origin: request.url.startsWith("/api/") ? [...origins] : false,
    credentials: true,
    // Any other OPTIONS is an unknown method, as on a server without CORS.
    preflight: "origin" in request.headers && "access-control-request-method" in request.headers,
    methods: ["GET", "POST", "PUT", "DELETE"],
    exposedHeaders: ["Retry-After", "X-Request-Id", "X-Toggl-Quota-Remaining", "X-Toggl-Quota-Resets-In"],
    maxAge: 600,
  });

const unreadable: Readonly<Record<string, RefusalCode>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Answers what never became a request: broken HTTP, headers over 16 KiB, a client that is too slow. */
const refuseUnreadable =
  (log: Log) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const code = unreadable[error.code ?? ""] ?? "request_malformed";
    const { status, text } = refusals[code];
    log.info("request_unreadable", { status, code });
    const body = JSON.stringify(text);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: ${jsonType}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  };

const anyMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"] as const;

declare module "fastify" {
  /** What the reading of a body depends on. */
  interface FastifyContextConfig {
    streams?: boolean;
    wire?: Wire;
  }
}

const urlOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1").replace(/\{\w+\*\}$/, "*");

const preflightPaths = (routes: readonly Route[]): ReadonlySet<string> =>
  new Set(routes.filter(({ wire }) => wire === "connect").map(({ path }) => urlOf(path)));

/** What browsers ask before a call of the Connect wire from another origin (recorded, contract nango §1.11). */
const preflightHeaders = {
  "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,PROPFIND,REPORT",
  "access-control-allow-headers":
    "Authorization, Content-Type, Accept, Origin, X-Requested-With, Nango-Activity-Log-Id, Nango-Is-Dry-Run, Nango-Is-Sync, Provider-Config-Key, Connection-Id, Retries, Retry-On, Base-Url-Override, Sentry-Trace, Baggage",
  "access-control-max-age": "600",
};

/** The HTTP server over all rooms' rows. Requests are judged in the order of `route()`. */
export const createHttpServer = (deps: ServeDeps): FastifyInstance => {
  const { routes, corsOrigins, surroundings } = deps;
  const nextId = requestIds(deps.random);
  const { answer, refuse } = createReplies({
    overTls: surroundings.origin.protocol === "https:",
    standing: deps.standing,
    errorPage: deps.errorPage,
    withCors: corsOrigins.length > 0,
    log: deps.log,
  });

  const exchangeOf = (
    request: FastifyRequest,
    reply: FastifyReply,
    wire = wireOf(request.url),
  ): Exchange => ({
    request,
    reply,
    wire,
    incoming: new Incoming(request, nextId(), surroundings),
  });

  const app = fastify({
    bodyLimit: bodyLimits.connect,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    // For what streams through the proxy; bodies that are read as a whole have their own, shorter time.
    requestTimeout: 600_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: "idle",
    http: { headersTimeout: 20_000 },
    frameworkErrors: (error, request, reply) =>
      refuse(exchangeOf(request, reply), new Refusal("request_malformed", { cause: error })),
    clientErrorHandler: refuseUnreadable(deps.log),
  });

  app.removeAllContentTypeParsers();
  // The bytes are read here and understood by the route, after its guard: who may not call learns nothing of their body.
  app.addContentTypeParser("*", async (request: FastifyRequest, payload: IncomingMessage) => {
    const { streams, wire } = request.routeOptions.config;
    if (streams === true) return payload;
    return readBody(payload, {
      contentEncoding: request.headers["content-encoding"],
      contentLength: request.headers["content-length"],
      limit: wire === "connect" ? bodyLimits.connect : bodyLimits.others,
    });
  });
  for (const method of ["PROPFIND", "REPORT"]) app.addHttpMethod(method, { hasBody: true });

  if (corsOrigins.length > 0) void app.register(cors, () => corsFor(corsOrigins));

  for (const row of routes) {
    app.route({
      method: row.method === "ANY" ? [...anyMethods] : row.method,
      url: urlOf(row.path),
      config: { streams: row.streams === true, wire: row.wire },
      handler: async (request, reply) => {
        const exchange = exchangeOf(request, reply, row.wire);
        try {
          await answer(exchange, await row.handle(exchange.incoming));
        } catch (error) {
          refuse(exchange, error);
        }
        return reply;
      },
    });
  }
  for (const path of preflightPaths(routes)) {
    app.options(path, (request, reply) =>
      answer(exchangeOf(request, reply, "connect"), { status: 204, headers: preflightHeaders }),
    );
  }

  app.setErrorHandler((error, request, reply) =>
    refuse(exchangeOf(request, reply, request.routeOptions.config.wire), error),
  );

  const methodsOf = methodsByPath(routes);
  app.setNotFoundHandler((request, reply) => {
    const wire = wireOfUnknown(request);
    // A browser that may not ask would keep from the page what is told here.
    if (
      wire === "connect" &&
      request.method === "OPTIONS" &&
      "access-control-request-method" in request.headers
    ) {
      return answer(exchangeOf(request, reply, wire), { status: 204, headers: preflightHeaders });
    }
    const [path = ""] = request.url.split("?", 1);
    const methods = methodsOf(path);
    const refusal =
      methods.length === 0
        ? new Refusal("not_found")
        : new Refusal("method_not_allowed", { headers: { allow: methods.join(", ") } });
    return refuse(exchangeOf(request, reply, wire), refusal);
  });

  return app;
};
