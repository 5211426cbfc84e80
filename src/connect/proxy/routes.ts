import { route, type Input, type Route } from "../../kernel/http/route.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { askedOf } from "./asked.ts";

/** What comes is for the provider: it is neither read nor understood here. */
const anyBody: Input<undefined> = { schema: undefined, optional: true, read: () => undefined };

/** Calls of providers with a connection's credentials (contract nango §1.10). */
export const proxyRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] =>
  [
    { path: "/proxy", summary: "Call the provider's address itself with a connection's credentials" },
    { path: "/proxy/{path*}", summary: "Call the provider with a connection's credentials" },
  ].map((one) =>
    route({
      ...one,
      method: "ANY",
      wire: "connect",
      streams: true,
      guard: key("environment:proxy"),
      input: anyBody,
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
