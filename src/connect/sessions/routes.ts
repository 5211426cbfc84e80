import { noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { newSessionAnswer, sessionAnswer } from "../wire/answers.ts";
import { connectSessionBody, reconnectBody } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, noQuery, unread } from "../wire/input.ts";
import { shownSession } from "./shown-session.ts";

/** Connect sessions: an app makes one, a form reads and ends it (contract nango §1.3 to §1.5). */
export const sessionRoutes = (use: ConnectUseCases, { key, sessionInHeader }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/connect/sessions",
    summary: "Make a link for somebody who is to link an account",
    wire: "connect",
    guard: key("environment:connect_sessions:write"),
    input: connectBody(connectSessionBody),
    answers: { means: "201: the token, and the link that opens the form.", schema: newSessionAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      return { status: 201, json: { data: await use.createConnectSession(principal.environment, input) } };
    },
  }),
  route({
    method: "POST",
    path: "/connect/sessions/reconnect",
    summary: "Make a link for somebody whose credentials stopped working",
    wire: "connect",
    guard: key("environment:connect_sessions:write"),
    input: connectBody(reconnectBody),
    answers: { means: "201: the token, and the link that opens the form.", schema: newSessionAnswer },
    run: async ({ input, principal, incoming }) => {
      noQuery(incoming);
      return { status: 201, json: { data: await use.createReconnectSession(principal.environment, input) } };
    },
  }),
  route({
    method: "GET",
    path: "/connect/session",
    summary: "The session, as the form needs it",
    wire: "connect",
    guard: sessionInHeader,
    input: noBody,
    answers: {
      means: "The session; `finished` says whether it has linked an account.",
      schema: sessionAnswer,
    },
    run: ({ principal, incoming }) => {
      noQuery(incoming);
      return { json: shownSession(principal) };
    },
  }),
  route({
    method: "DELETE",
    path: "/connect/session",
    summary: "End the session",
    wire: "connect",
    guard: sessionInHeader,
    input: noBody,
    answers: { means: "204: the token opens nothing any more." },
    run: async ({ principal }) => {
      await use.endConnectSession(principal);
      return { status: 204 };
    },
  }),
  route({
    method: "POST",
    path: "/connect/telemetry",
    summary: "Taken from the original's form, and dropped: nothing is counted about people",
    wire: "connect",
    guard: anyone,
    input: unread,
    answers: { means: "204." },
    run: () => ({ status: 204 }),
  }),
];
