import cors, { type FastifyCorsOptions } from "@fastify/cors";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Random } from "../ids.ts";
import { Refusal, refusals, type RefusalKind } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { createSampling } from "../telemetry/sampling.ts";
import { holdInvitation } from "./bodies/invitation.ts";
import { isEnding } from "./bodies/unread-rest.ts";
import { Incoming, type Surroundings } from "./incoming.ts";
import { jsonType } from "./content-types.ts";
import type { Drain } from "./drain.ts";
import { ownersOf, type Owners } from "./owners.ts";
import { patternOf, urlOf } from "./path.ts";
import { createReplies, type Exchange } from "./reply.ts";
import type { Route } from "./route.ts";
import { createTurns } from "./turns.ts";
import { plainWire, type Headers, type Wire } from "./wire.ts";

type ServeDeps = {
  readonly routes: readonly Route[];
  /** Who answers where no wire is at home: a person who mistyped an address gets a page. */
  readonly unowned: { readonly programs: Wire; readonly people: Wire };
  /** Other origins whose pages may call with the session cookie, where a wire allows it. */
  readonly corsOrigins: readonly string[];
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly drain: Pick<Drain, "hasBegun" | "pass">;
  /** Whether the log has a line of each request. */
  readonly saysAll: boolean;
  readonly longestUnreadMs?: number | undefined;
  readonly random: Random;
  readonly log: Log;
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

/**
 * Clients put a base address with a slash at its end before a path: `//api/v9/me`. Calls of an API mean the path with
 * one; of pages, files and what is streamed on, a slash more may be part of what is named.
 */
const singleSlashes = (routes: readonly Route[]): ((url: string) => string) => {
  const calls = routes
    .filter(({ wire, streams }) => wire.forPeople !== true && wire !== plainWire && streams !== true)
    .map(({ path }) => patternOf(path));
  return (url) => {
    if (!url.startsWith("//")) return url;
    const single = url.replace(/^\/+/, "/");
    const [path = ""] = single.split("?", 1);
    return calls.some((pattern) => pattern.test(path)) ? single : url;
  };
};

/** Which methods a path knows, for the `Allow` header. A path that no route has is unknown. */
const methodsByPath = (routes: readonly Route[]): ((path: string) => readonly string[]) => {
  const known = routes.map(({ method, path }) => ({ method, pattern: patternOf(path) }));
  return (path) => {
    const methods = new Set(
      known.filter(({ pattern }) => pattern.test(path)).map(({ method }): string => method),
    );
    if (methods.delete("ANY")) for (const method of anyMethods) methods.add(method);
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].toSorted();
  };
};

const corsFor = (origins: readonly string[], { wires, ownerOf }: Owners) => {
  const exposed = [...wires].flatMap(({ cookiesFromElsewhere }) => cookiesFromElsewhere?.exposes ?? []);
  return async (request: FastifyRequest): Promise<FastifyCorsOptions> => ({
    origin: ownerOf(request.url)?.cookiesFromElsewhere ? [...origins] : false,
    credentials: true,
    // Any other OPTIONS is an unknown method, as on a server without CORS.
    preflight: "origin" in request.headers && "access-control-request-method" in request.headers,
    methods: ["GET", "POST", "PUT", "DELETE"],
    exposedHeaders: ["Retry-After", "X-Request-Id", ...exposed],
    maxAge: 600,
  });
};

const unreadable: Readonly<Record<string, RefusalKind>> = {
  HPE_HEADER_OVERFLOW: refusals.headers_too_large,
  ERR_HTTP_REQUEST_TIMEOUT: refusals.request_timeout,
};

/** Answers what never became a request: broken HTTP, headers over 16 KiB, a client that is too slow. */
const refuseUnreadable = ({ clock, log }: Pick<ServeDeps, "clock" | "log">) => {
  const sampling = createSampling(clock, { ofOneKey: 10, ofAll: 100 });
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable || isEnding(socket)) {
      socket.destroy();
      return;
    }
    const { code, status, text } = unreadable[error.code ?? ""] ?? refusals.request_malformed;
    const address = socket.remoteAddress ?? "";
    const leftOut = sampling.pass(`${code} ${address}`);
    if (leftOut !== undefined) log.info("request_unreadable", { status, code, address, leftOut });
    const body = JSON.stringify(text);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: ${jsonType}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  };
};

/** All that Fastify would look for a body of, and those that it does not know. */
const withBody = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND", "REPORT"];

const anyMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"] as const;

declare module "fastify" {
  interface FastifyContextConfig {
    wire?: Wire;
  }
}

/** With a browser, at an address. */
const isOfPerson = ({ method, headers }: FastifyRequest): boolean =>
  method === "GET" && headers.accept?.includes("text/html") === true;

/** Whether a browser asks what a page of another origin may do. */
const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === "OPTIONS" && "access-control-request-method" in headers;

/** Where a page calls with credentials, a browser takes no `*` for its origin (Fetch §3.3.5). */
const pageHeaders = ({ headers: { origin } }: FastifyRequest): Headers =>
  origin === undefined
    ? {}
    : {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        vary: "Origin",
      };

/** The HTTP server over all rooms' rows. Requests are judged in the order of `route()`. */
export const createHttpServer = (deps: ServeDeps): FastifyInstance => {
  const { routes, corsOrigins, surroundings, unowned, drain } = deps;
  const nextId = requestIds(deps.random);
  const owners = ownersOf(routes);
  const withoutDoubledSlashes = singleSlashes(routes);
  const { answer, refuse } = createReplies({
    overTls: surroundings.origin.protocol === "https:",
    withCors: corsOrigins.length > 0,
    drain,
    clock: deps.clock,
    log: deps.log,
    saysAll: deps.saysAll,
    longestUnreadMs: deps.longestUnreadMs,
  });

  const exchangeOf = (
    request: FastifyRequest,
    reply: FastifyReply,
    wire = owners.ownerOf(request.url) ?? unowned.programs,
    status = 200,
  ): Exchange => ({
    request,
    reply,
    wire,
    status,
    since: performance.now(),
    incoming: new Incoming(request, nextId(), surroundings),
  });

  const takeTurn = createTurns(deps);
  const app = fastify({
    rewriteUrl: ({ url = "/" }) => withoutDoubledSlashes(url),
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    // For what streams through the proxy; bodies that are read as a whole have their own, shorter time.
    requestTimeout: 600_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: "idle",
    // What comes on a connection that is open still gets its answer, and in our voice.
    return503OnClosing: false,
    http: { headersTimeout: 20_000 },
    frameworkErrors: (error, request, reply) => {
      if (takeTurn(request.raw, reply.raw))
        refuse(exchangeOf(request, reply), new Refusal(refusals.request_malformed, { cause: error }));
      else reply.hijack();
    },
    clientErrorHandler: refuseUnreadable(deps),
  });

  // Fastify reads no body: the route does, behind its guard and its limit.
  app.removeAllContentTypeParsers();
  for (const method of withBody) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.server.on("checkContinue", (request, response) => {
    holdInvitation(request, response);
    app.server.emit("request", request, response);
  });

  app.addHook("onRequest", (request, reply, next) => {
    if (takeTurn(request.raw, reply.raw)) drain.pass(next);
    else reply.hijack();
  });

  if (corsOrigins.length > 0) void app.register(cors, () => corsFor(corsOrigins, owners));

  for (const row of routes) {
    app.route({
      method: row.method === "ANY" ? [...anyMethods] : row.method,
      url: urlOf(row.path),
      config: { wire: row.wire },
      handler: async (request, reply) => {
        const exchange = exchangeOf(request, reply, row.wire, row.status);
        try {
          if (row.fromAnyPage) Object.assign(exchange.incoming.answerHeaders, pageHeaders(request));
          await answer(exchange, await row.handle(exchange.incoming));
        } catch (error) {
          exchange.incoming.leaveBody();
          refuse(exchange, error);
        }
        return reply;
      },
    });
  }
  for (const [path, { wire, fromAnyPage }] of new Map(routes.map((row) => [urlOf(row.path), row]))) {
    const { preflight } = wire;
    if (!preflight) continue;
    app.options(path, (request, reply) => {
      const headers = fromAnyPage ? { ...preflight, ...pageHeaders(request) } : preflight;
      return answer(exchangeOf(request, reply, wire), { status: 204, headers });
    });
  }

  app.setErrorHandler((error, request, reply) =>
    refuse(exchangeOf(request, reply, request.routeOptions.config.wire), error),
  );

  const methodsOf = methodsByPath(routes);
  app.setNotFoundHandler((request, reply) => {
    const wire = owners.ownerOf(request.url) ?? (isOfPerson(request) ? unowned.people : unowned.programs);
    // A browser that may not ask would keep from the page what is told here.
    if (wire.preflight && isPreflight(request)) {
      return answer(exchangeOf(request, reply, wire), { status: 204, headers: wire.preflight });
    }
    const [path = ""] = request.url.split("?", 1);
    const methods = methodsOf(path);
    const refusal =
      methods.length === 0
        ? new Refusal(refusals.not_found)
        : new Refusal(refusals.method_not_allowed, { headers: { allow: methods.join(", ") } });
    return refuse(exchangeOf(request, reply, wire), refusal);
  });

  return app;
};
