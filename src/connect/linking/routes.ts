import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { route, type Input, type Route } from "../../kernel/http/route.ts";
import { linkedAnswer } from "../wire/answers.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, invalidQuery, parsePart, parseQuery } from "../wire/input.ts";
import { formAnswer } from "./form.ts";

const formQuery = z.strictObject({ opener: z.string().max(2048).optional() });

const secret = z.string().max(1024);
const config = z.record(z.string(), z.string().max(1024)).optional();

/** `params` in the body is ours: some of them are secret, and no place for those is worse than an address. */
const basicBody = z.strictObject({ username: secret, password: secret, params: config });
const apiKeyBody = z.strictObject({ apiKey: z.string().min(1).max(1024), params: config });
const noneBody = z.strictObject({ params: config });

const submitQuery = z.strictObject({
  connect_session_token: z.string().optional(),
  connection_id: z.string().optional(),
  params: config,
  /** Ours: the person was told that it is another account than before, and means it. */
  confirm_account_change: z.enum(["true", "false"]).optional(),
  /** What the original's SDK sends along for public keys and OAuth: taken there too, and of no use here. */
  user_scope: z.string().optional(),
  hmac: z.string().optional(),
  authorization_params: z.record(z.string(), z.string()).optional(),
});

type Sent = Readonly<Record<string, unknown>> & { readonly params?: z.output<typeof config> };

/** The original's SDK says that a body is JSON, and sends none. */
const emptyBody: Input<z.output<typeof noneBody>> = {
  schema: noneBody,
  optional: true,
  read: (incoming) => parsePart(noneBody, incoming.json() ?? {}, "input_invalid"),
};

/**
 * The form: what it needs to stand there, and the submitting of credentials, by it or by the original's SDK (contract
 * nango §1.6).
 */
export const linkingRoutes = (
  use: ConnectUseCases,
  { sessionInHeader, sessionInQuery }: Gates,
): readonly Route[] => {
  const submit = async (
    mode: Provider["auth_mode"],
    {
      session,
      sent,
      incoming,
    }: { readonly session: ConnectSession; readonly sent: Sent; readonly incoming: Incoming },
  ) => {
    const asked = parseQuery(submitQuery, incoming);
    if (asked.connection_id !== undefined) {
      throw invalidQuery("connection_id", "connection_id is forbidden when using session token");
    }
    const { params, ...credentials } = sent;
    const linked = await use.submitCredentials(session, {
      integrationKey: incoming.param("integration_key"),
      mode,
      sent: credentials,
      config: { ...asked.params, ...params },
      confirmed: asked.confirm_account_change === "true",
      peer: incoming.client,
    });
    return {
      json: {
        connectionId: linked.connectionId,
        providerConfigKey: linked.integration.uniqueKey,
        account: linked.account,
      },
    };
  };

  const common = {
    method: "POST",
    wire: "connect",
    guard: sessionInQuery,
    answers: { means: "The connection, and whose account it is.", schema: linkedAnswer },
  } as const;

  return [
    route({
      method: "GET",
      path: "/connect/form",
      summary: "Everything that the form needs to stand there",
      wire: "connect",
      guard: sessionInHeader,
      input: noBody,
      answers: {
        means:
          "The session and what can be linked with it. `opener` is the origin of the page that frames the form.",
        schema: formAnswer,
      },
      run: async ({ principal, incoming }) => {
        const { opener } = parseQuery(formQuery, incoming);
        return { json: { data: await use.readForm(principal, opener) } };
      },
    }),
    route({
      ...common,
      path: "/api-auth/basic/{integration_key}",
      summary: "Submit a user name and a password, or an API token in their place",
      input: connectBody(basicBody),
      run: ({ input, principal, incoming }) => submit("BASIC", { session: principal, sent: input, incoming }),
    }),
    route({
      ...common,
      path: "/api-auth/api-key/{integration_key}",
      summary: "Submit an API key",
      input: connectBody(apiKeyBody),
      run: ({ input, principal, incoming }) =>
        submit("API_KEY", { session: principal, sent: input, incoming }),
    }),
    route({
      ...common,
      path: "/auth/unauthenticated/{integration_key}",
      summary: "Link a provider that asks for no credentials",
      input: emptyBody,
      run: ({ input, principal, incoming }) => submit("NONE", { session: principal, sent: input, incoming }),
    }),
  ];
};
