import { noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import { newSessionAnswer, sessionAnswer } from "../wire/answers.ts";
import { connectSessionBody, reconnectBody } from "../wire/bodies.ts";
import type { ConnectDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import { connectBody, noQuery, unread } from "../wire/input.ts";
import { sessionInHeader } from "./session-tokens.ts";
import { shownSession } from "./shown-session.ts";
import { deleteConnectSession } from "../store/connect-sessions.ts";
import { createConnectSession, createReconnectSession } from "./create-session.ts";

/** Connect sessions: an app makes one, a form reads and ends it (contract nango §1.3 to §1.5). */
export const sessionRoutes = (
  deps: Pick<ConnectDeps, "store" | "clock" | "random" | "rootKeys" | "catalogue" | "policy">,
  keys: EnvironmentKeys,
): readonly Route[] => {
  const create = createConnectSession(deps);
  const reconnect = createReconnectSession(deps);
  const session = sessionInHeader(deps);
  return [
    route({
      method: "POST",
      path: "/connect/sessions",
      summary: "Make a link for somebody who is to link an account",
      wire: "connect",
      guard: keys.guard("environment:connect_sessions:write"),
      input: connectBody(connectSessionBody),
      answers: { means: "201: the token, and the link that opens the form.", schema: newSessionAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        return { status: 201, json: { data: await create(principal.environment, input) } };
      },
    }),
    route({
      method: "POST",
      path: "/connect/sessions/reconnect",
      summary: "Make a link for somebody whose credentials stopped working",
      wire: "connect",
      guard: keys.guard("environment:connect_sessions:write"),
      input: connectBody(reconnectBody),
      answers: { means: "201: the token, and the link that opens the form.", schema: newSessionAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        return { status: 201, json: { data: await reconnect(principal.environment, input) } };
      },
    }),
    route({
      method: "GET",
      path: "/connect/session",
      summary: "The session, as the form needs it",
      wire: "connect",
      guard: session,
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
      guard: session,
      input: noBody,
      answers: { means: "204: the token opens nothing any more." },
      run: async ({ principal }) => {
        await deps.store.transaction((tx) => deleteConnectSession(tx.query, principal.id));
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
};
