import type { ServerResponse } from "node:http";
import type { z } from "zod";
import type { Incoming } from "./incoming.ts";

/**
 * A row of a room's `routes.ts`: who may call what, with which body, under which limit. The rows are
 * dispatched (serve.ts), documented (OpenAPI) and tested (no route without a guard).
 */

/** `ANY` is whatever a client of the proxy sends, WebDAV's methods included. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "ANY";

/** Whose voice an answer speaks in: it decides headers and the texts of refusals. */
export type Wire = "accounts" | "track" | "connect" | "plain" | "pages";

/** Lets a request in and tells who it is, or throws a Refusal. */
export type Guard<Principal> = {
  /** For the documents: what the caller must show. */
  readonly admits:
    | "anyone"
    | "cookie, password or token"
    | "cookie or password"
    | "API key"
    | "connect session"
    | "API key or connect session";
  readonly admit: (incoming: Incoming) => Principal | Promise<Principal>;
};

/** Refuses a caller who asks too often; may add headers to the answer. */
export type Limit<Principal> = (principal: Principal, incoming: Incoming) => void;

/** How a body becomes an input. */
export type Input<Value> = {
  /** For the documents; undefined where no body is read. */
  readonly schema: z.ZodType | undefined;
  readonly optional: boolean;
  readonly read: (incoming: Incoming) => Value;
};

export const jsonType = "application/json; charset=utf-8";
export const htmlType = "text/html; charset=utf-8";

export type Answer = {
  /** 200 unless said. */
  readonly status?: number;
  /** Sent as JSON; without it the body is empty. */
  readonly json?: unknown;
  /** A ready body with its type, where the answer is not JSON. */
  readonly content?: { readonly type: string; readonly body: string | Buffer };
  /** A whole `Set-Cookie` line. */
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pages of others may show it in a frame. */
  readonly framable?: boolean;
};

/** An answer that is not at hand as a whole: `send` writes it, head and body, and ends it. */
export type StreamedAnswer = {
  readonly send: (response: ServerResponse, standing: Readonly<Record<string, string>>) => Promise<void>;
};

export type Call<Value, Principal> = {
  readonly input: Value;
  readonly principal: Principal;
  readonly incoming: Incoming;
};

type RouteFacts = {
  readonly method: Method;
  /** With `{name}` for what varies, and at the end `{name*}` for the rest of the path, slashes included. */
  readonly path: string;
  /** One line for the reference. */
  readonly summary: string;
  readonly wire: Wire;
  /** Refused from other sites even without a cookie: a stranger's page must not sign anybody in. */
  readonly sameSite?: true;
  /** The body is not read beforehand: `run` takes it as a stream (`incoming.stream`). */
  readonly streams?: true;
  /** The good ending, for the documents: what it means and what its body is. */
  readonly answers: { readonly means: string; readonly schema?: z.ZodType };
};

type RouteSpec<Value, Principal> = RouteFacts & {
  readonly guard: Guard<Principal>;
  readonly limit?: Limit<Principal>;
  readonly input: Input<Value>;
  readonly run: (call: Call<Value, Principal>) => Answer | StreamedAnswer | Promise<Answer | StreamedAnswer>;
};

export type Route = RouteFacts & {
  readonly admits: Guard<unknown>["admits"];
  readonly bodySchema: z.ZodType | undefined;
  readonly bodyOptional: boolean;
  readonly handle: (incoming: Incoming) => Promise<Answer | StreamedAnswer>;
};

/** Ties a row's guard, limit, input and use case together, in the order in which they are checked. */
export const route = <Value, Principal>(spec: RouteSpec<Value, Principal>): Route => {
  const { guard, limit, input, run, ...facts } = spec;
  return {
    ...facts,
    admits: guard.admits,
    bodySchema: input.schema,
    bodyOptional: input.optional,
    handle: async (incoming) => {
      if (facts.sameSite) incoming.refuseOtherSites();
      const admitted = guard.admit(incoming);
      const principal = admitted instanceof Promise ? await admitted : admitted;
      limit?.(principal, incoming);
      return run({ input: input.read(incoming), principal, incoming });
    },
  };
};

export const anyone: Guard<undefined> = { admits: "anyone", admit: () => undefined };
