import { anyQuery, noBody, unread } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { newSessionAnswer, sessionAnswer } from "../wire/answers.ts";
import { connectSessionBody, reconnectBody } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody } from "../wire/input.ts";
import { shownSession } from "./shown-session.ts";
import { connectWire } from "../wire/wire.ts";

/** Connect sessions: an app makes one, a form reads and ends it (contract nango §1.3 to §1.5). */
export const sessionRoutes = (use: ConnectUseCases, { key, sessionInHeader }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/connect/sessions",
    summary: "Make a link for somebody who is to link an account",
    wire: connectWire,
    guard: key("environment:connect_sessions:write"),
    input: connectBody(connectSessionBody),
    status: 201,
    answers: { means: "The token, and the link that opens the form.", schema: newSessionAnswer },
    run: async ({ input, principal }) => ({
      json: { data: await use.createConnectSession(principal.environment, input) },
    }),
  }),
  route({
    method: "POST",
    path: "/connect/sessions/reconnect",
    summary: "Make a link for somebody whose credentials stopped working",
    wire: connectWire,
    guard: key("environment:connect_sessions:write"),
    input: connectBody(reconnectBody),
    status: 201,
    answers: { means: "The token, and the link that opens the form.", schema: newSessionAnswer },
    run: async ({ input, principal }) => ({
      json: { data: await use.createReconnectSession(principal.environment, input) },
    }),
  }),
  route({
    method: "GET",
    path: "/connect/session",
    summary: "The session, as the form needs it",
    wire: connectWire,
    guard: sessionInHeader,
    input: noBody,
    answers: {
      means: "The session; `finished` says whether it has linked an account.",
      schema: sessionAnswer,
    },
    run: ({ principal }) => ({ json: shownSession(principal) }),
  }),
  route({
    method: "DELETE",
    path: "/connect/session",
    summary: "End the session",
    wire: connectWire,
    guard: sessionInHeader,
    input: noBody,
    query: anyQuery,
    status: 204,
    answers: { means: "The token opens nothing any more." },
    run: async ({ principal }) => {
      await use.endConnectSession(principal);
      return {};
    },
  }),
  route({
    method: "POST",
    path: "/connect/telemetry",
    summary: "Taken from the original's form, and dropped: nothing is counted about people",
    wire: connectWire,
    guard: anyone,
    fromAnyPage: true,
    input: unread,
    query: anyQuery,
    status: 204,
    answers: { means: "Nothing more." },
    run: () => ({}),
  }),
];
