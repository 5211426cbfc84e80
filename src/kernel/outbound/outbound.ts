/** Every HTTP call that a process of this house makes goes out from here, and from the files beside it. */
import { get } from "node:http";
import { get as getOverTls } from "node:https";
import { second, systemClock, type Clock } from "../clock.ts";
import { createByteBudget } from "../memory/byte-budget.ts";
import { portOf } from "../text/host.ts";
import { createCall, type Call } from "./call.ts";
import { createPipe, type Pipe } from "./pipe.ts";
import { createPools, poolOpener } from "./pools.ts";
import { createTargets, type TargetRules } from "./target.ts";

export type { CallAnswer, CallRequest } from "./call.ts";
export { OutboundFault } from "./fault.ts";
export type { Asker } from "./look-ups.ts";
export type { PipeOptions, PipeOutcome, PipeRequest } from "./pipe.ts";

export type OutboundDeps = TargetRules & {
  /** PEM certificates to believe besides those that Node does. */
  readonly authorities?: readonly string[];
  readonly clock?: Clock;
  /** Milliseconds that a call may take which does not say so itself; 10 s. */
  readonly longestCallMs?: number;
  /** Bytes that the answers of all calls may hold together which are read as a whole; 64 MiB. */
  readonly mostAnswerBytes?: number;
};

/** Calls to strangers, whose addresses are checked before anything is sent. */
export type Outbound = {
  /** The whole answer, whatever its status. @throws OutboundFault */
  readonly call: Call;
  /** Streams the answer to a client of this server. Resolves when it is over, also when it failed. */
  readonly pipe: Pipe;
  /** Cuts off what is running; what comes later is `unreachable`. */
  readonly close: () => Promise<void>;
};

export const createOutbound = (deps: OutboundDeps): Outbound => {
  const { authorities, clock = systemClock, longestCallMs = 10 * second } = deps;
  const answers = createByteBudget({ clock, mostBytes: deps.mostAnswerBytes });
  const pools = createPools({ targets: createTargets(deps), clock, openPool: poolOpener(authorities) });
  return { call: createCall(pools, longestCallMs, answers), pipe: createPipe(pools), close: pools.close };
};

export type OwnReply = { readonly status: number; readonly text: string };

const mostCharacters = 65_536;
const longestMs = 5 * second;

/** Where one reaches a server that listens on every interface. */
const reachable: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

type Where = { readonly host: string; readonly port: number; readonly tls: boolean };

/** A plain GET that never rejects. */
const ask = (
  { host, port, tls }: Where,
  origin: URL,
  path: string,
): Promise<OwnReply | "refused" | "silent"> =>
  new Promise((resolve) => {
    const call = (tls ? getOverTls : get)({
      host,
      port,
      path,
      headers: { host: origin.host },
      agent: false,
      signal: AbortSignal.timeout(longestMs),
    });
    call.on("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ECONNREFUSED" ? "refused" : "silent"),
    );
    call.on("response", (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > mostCharacters) call.destroy();
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.on("error", () => resolve("silent"));
    });
  });

/**
 * Asks as people's browsers do, by the address that they type and through whatever stands in front.
 *
 * @returns as `askOwnServer` does; `silent` too where the name leads nowhere, or the certificate is not believed
 */
export const askAtOrigin = (origin: URL, path: string): Promise<OwnReply | "refused" | "silent"> => {
  const host = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  return ask({ host, port: portOf(origin), tls: origin.protocol === "https:" }, origin, path);
};

/**
 * Asks whatever listens where a server with these settings would, by plain GET. Never rejects.
 *
 * @returns `refused`: nobody listens; `silent`: somebody does, and does not talk HTTP within 5 s
 */
export const askOwnServer = (
  { host, port, origin }: { readonly host: string; readonly port: number; readonly origin: URL },
  path: string,
): Promise<OwnReply | "refused" | "silent"> =>
  ask({ host: reachable.get(host) ?? host, port, tls: false }, origin, path);
