import { route, type Route } from "../../kernel/http/route.ts";
import { anyQuery, unread } from "../../kernel/http/input.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { proxyRefuses } from "./call-provider.ts";
import { askedHeaders, askedOf } from "./asked.ts";
import { connectWire } from "../wire/wire.ts";

/** Calls of providers with a connection's credentials (contract nango §1.10). */
export const proxyRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] =>
  [
    { path: "/proxy", summary: "Call the provider's address itself with a connection's credentials" },
    { path: "/proxy/{path*}", summary: "Call the provider with a connection's credentials" },
  ].map((one) =>
    route({
      ...one,
      method: "ANY",
      wire: connectWire,
      streams: true,
      guard: key("environment:proxy"),
      headers: askedHeaders,
      // What comes is for the provider: it is neither read nor understood here.
      input: unread,
      query: anyQuery,
      refuses: proxyRefuses,
      answers: { means: "Whatever the provider answers: its status, headers and body." },
      run: async ({ principal, incoming }) => ({
        send: await use.callProvider({
          holder: principal,
          asked: askedOf(incoming.stream.headers),
          incoming,
        }),
      }),
    }),
  );
