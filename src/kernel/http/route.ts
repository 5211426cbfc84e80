import type { ServerResponse } from "node:http";
import type { z } from "zod";
import { refusals, type RefusalKind } from "../errors.ts";
import type { Incoming } from "./incoming.ts";
import type { Input, Query } from "./input.ts";
import { paramsReader, type Params } from "./path.ts";
import type { Content, Headers, Wire } from "./wire.ts";

/**
 * A row of a room's `routes.ts`: the whole contract of a call. Who may make it and how often, what is read of it, what
 * it answers, and how it can be refused. The rows are dispatched (serve.ts), documented (OpenAPI) and tested (what the
 * tests saw is what the rows say).
 */

/** `ANY` is whatever a client of the proxy sends, WebDAV's methods included. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "ANY";

/** Lets a request in and tells who it is, or throws a Refusal. */
export type Guard<Principal> = {
  /** For the documents: what the caller must show, such as `cookie or password`; `anyone` need show nothing. */
  readonly admits: string;
  readonly refuses: readonly RefusalKind[];
  /** A cookie counts on our own host only, and a write with it must come from our own site. */
  readonly readsCookie?: true;
  readonly admit: (incoming: Incoming) => Principal | Promise<Principal>;
};

export const anyone: Guard<undefined> = { admits: "anyone", refuses: [], admit: () => undefined };

/** Refuses a caller who asks too often; may add headers to the answer. */
export type Limit<Principal> = {
  readonly refuses: readonly RefusalKind[];
  readonly take: (principal: Principal, incoming: Incoming) => void;
};

export type Answer = {
  /** The row's, unless said. */
  readonly status?: number;
  /** Sent as JSON; without it the body is empty. */
  readonly json?: unknown;
  /** A ready body with its type, where the answer is not JSON. */
  readonly content?: Content;
  /** A whole `Set-Cookie` line. */
  readonly cookie?: string;
  /** More of them, after that one. */
  readonly cookies?: readonly string[];
  readonly headers?: Headers;
  /** Pages of others may show it in a frame. */
  readonly framable?: boolean;
};

/** An answer that is not at hand as a whole: `send` writes it, head and body, and ends it. */
export type StreamedAnswer = {
  readonly send: (response: ServerResponse, standing: Headers) => Promise<void>;
};

type Call<Path extends string, Value, Principal, Asked> = {
  readonly params: Params<Path>;
  readonly query: Asked;
  readonly input: Value;
  readonly principal: Principal;
  readonly incoming: Incoming;
};

type RouteFacts = {
  readonly method: Method;
  /** One line for the reference. */
  readonly summary: string;
  readonly wire: Wire;
  /** Refused from other sites even without a cookie: a stranger's page must not sign anybody in. */
  readonly sameSite?: true;
  /** The body is not read beforehand: `run` takes it as a stream (`incoming.takeStream`). */
  readonly streams?: true;
  /** Pages of any origin may call with what the browser holds for ours: nothing of that is read, or answered. */
  readonly fromAnyPage?: true;
  /** Only there to say that it is not: it has no good ending. */
  readonly notSupported?: true;
  /** For the documents: what is read of the headers, besides credentials. */
  readonly headers?: z.ZodObject;
  /** The good ending, for the documents: what it means and what its body is. */
  readonly answers: { readonly means: string; readonly schema?: z.ZodType };
};

type RouteSpec<Path extends string, Value, Principal, Asked> = RouteFacts & {
  readonly path: Path;
  readonly guard: Guard<Principal>;
  readonly limit?: Limit<Principal>;
  readonly input: Input<Value>;
  /** Of the good answer; 200 unless said. */
  readonly status?: 200 | 201 | 204;
  /** How the use case refuses, beyond what the other parts of the row say of themselves. */
  readonly refuses?: readonly RefusalKind[];
  readonly run: (
    call: Call<Path, Value, Principal, Asked>,
  ) => Answer | StreamedAnswer | Promise<Answer | StreamedAnswer>;
};

/** A step on the way through a row, in the order of the way. */
export type Check = {
  readonly step: "any" | "site" | "guard" | "limit" | "bytes" | "body" | "query" | "use case";
  readonly refuses: readonly RefusalKind[];
};

export type Route = RouteFacts & {
  readonly path: string;
  readonly status: number;
  readonly admits: Guard<unknown>["admits"];
  readonly input: Omit<Input<unknown>, "read">;
  readonly query: Omit<Query<unknown>, "read">;
  /** Those that can refuse. */
  readonly checks: readonly Check[];
  readonly handle: (incoming: Incoming) => Promise<Answer | StreamedAnswer>;
};

/** By any row: a bug, and a database that is away. */
const ofAny = [refusals.internal, refusals.store_unavailable];

/** By whatever reads a body, before anything of it is understood. */
const ofBytes = [
  refusals.request_malformed,
  refusals.encoding_invalid,
  refusals.request_timeout,
  refusals.body_too_large,
  refusals.encoding_unsupported,
  refusals.busy,
];

type Parts = Pick<RouteFacts, "method" | "sameSite" | "streams"> & {
  readonly guard: Pick<Guard<unknown>, "refuses" | "readsCookie">;
  readonly limit: Pick<Limit<unknown>, "refuses"> | undefined;
  readonly input: Pick<Input<unknown>, "refuses" | "leavesBody">;
  readonly query: Pick<Query<unknown>, "refuses">;
  readonly refuses: readonly RefusalKind[];
};

const readsBody = ({ method, streams, input }: Pick<Parts, "method" | "streams" | "input">): boolean =>
  method !== "GET" && streams !== true && input.leavesBody !== true;

const checksOf = (parts: Parts) => {
  const { method, sameSite, guard, limit, input, query, refuses } = parts;
  const isWrite = method !== "GET";
  const isRead = readsBody(parts);
  const ofCookie = isWrite ? [refusals.host_unknown, refusals.cross_site] : [refusals.host_unknown];
  const checks: readonly Check[] = [
    { step: "any", refuses: ofAny },
    { step: "site", refuses: sameSite ? [refusals.cross_site] : [] },
    { step: "guard", refuses: guard.readsCookie ? [...guard.refuses, ...ofCookie] : guard.refuses },
    { step: "limit", refuses: limit?.refuses ?? [] },
    { step: "bytes", refuses: isRead ? ofBytes : [] },
    { step: "body", refuses: isRead ? input.refuses : [] },
    { step: "query", refuses: query.refuses },
    { step: "use case", refuses },
  ];
  return checks.filter((check) => check.refuses.length > 0);
};

/** Ties a row's parts together, in the order in which they are checked. A row that names no query reads its wire's. */
export function route<const Path extends string, Value, Principal, Asked>(
  spec: RouteSpec<Path, Value, Principal, Asked> & { readonly query: Query<Asked> },
): Route;
export function route<const Path extends string, Value, Principal>(
  spec: RouteSpec<Path, Value, Principal, unknown> & { readonly query?: undefined },
): Route;
export function route<const Path extends string, Value, Principal>(
  spec: RouteSpec<Path, Value, Principal, unknown> & { readonly query?: Query<unknown> | undefined },
): Route {
  const {
    path,
    guard,
    limit,
    input,
    query = spec.wire.query,
    run,
    refuses = [],
    status = 200,
    ...facts
  } = spec;
  const paramsOf = paramsReader(path);
  const takesBody = readsBody({ ...facts, input });
  const { bodyLimit } = spec.wire;

  const admit = (incoming: Incoming): Principal | Promise<Principal> => {
    if (facts.sameSite) incoming.refuseOtherSites();
    const admitted = guard.admit(incoming);
    if (takesBody && admitted instanceof Promise) incoming.beginBody(bodyLimit);
    return admitted;
  };
  const readInput = async (incoming: Incoming): Promise<Value> => {
    await incoming.receiveBody(bodyLimit);
    const value = input.read(incoming);
    incoming.leaveBody();
    return value;
  };

  return {
    ...facts,
    path,
    status,
    admits: guard.admits,
    input,
    query,
    checks: checksOf({ ...facts, guard, limit, input, query, refuses }),
    handle: async (incoming) => {
      const admitted = admit(incoming);
      const principal = admitted instanceof Promise ? await admitted : admitted;
      limit?.take(principal, incoming);
      const call = {
        input: takesBody ? await readInput(incoming) : input.read(incoming),
        query: query.read(incoming),
        params: paramsOf(incoming.pathValues),
        principal,
        incoming,
      };
      return run(call);
    },
  };
}
