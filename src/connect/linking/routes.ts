import { z } from "zod";
import { type Input, noBody, ofFields } from "../../kernel/http/input.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { linkedAnswer } from "../wire/answers.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import { givenCredentials } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, connectQuery, flag, invalidQuery, parsePart } from "../wire/input.ts";
import { formAnswer } from "./form.ts";
import { connectWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";
import { verificationRefuses } from "../verification/verify-credentials.ts";
import type { RefusalKind } from "../../kernel/errors.ts";

const formQuery = z.strictObject({
  opener: z.string().max(2048).describe("The origin of the page that frames the form").optional(),
});

const config = z.record(z.string(), z.string().max(1024)).optional();

/** `params` in the body is ours: some of them are secret, and no place for those is worse than an address. */
const basicBody = z.strictObject({
  username: givenCredentials.username,
  password: givenCredentials.password,
  params: config,
});
const apiKeyBody = z.strictObject({ apiKey: givenCredentials.apiKey, params: config });
const noneBody = z.strictObject({ params: config });

const submitQuery = z.strictObject({
  connect_session_token: z
    .string()
    .describe("The session's token, where it is not in the Authorization header")
    .optional(),
  connection_id: z.string().optional(),
  params: config.describe("Fields of the connection's configuration"),
  /** Ours: the person was told so, and means it. */
  confirm_account_change: flag.describe("`true`: it may be another account than before"),
  /** What the original's SDK sends along for public keys and OAuth: taken there too, and of no use here. */
  user_scope: z.string().optional(),
  hmac: z.string().optional(),
  authorization_params: z.record(z.string(), z.string()).optional(),
});

type Submission = {
  readonly params: { readonly integration_key: string };
  readonly query: z.output<typeof submitQuery>;
  readonly principal: ConnectSession;
  readonly input: Readonly<Record<string, unknown>> & { readonly params?: z.output<typeof config> };
  readonly incoming: Incoming;
};

const submitRefuses: readonly RefusalKind[] = [
  ...new Set([
    refusals.unknown_provider_config,
    refusals.invalid_auth_mode,
    refusals.integration_not_allowed,
    refusals.invalid_connection,
    refusals.different_account,
    refusals.connect_session_finished,
    refusals.connection_failing,
    refusals.rate_limited,
    ...verificationRefuses,
  ]),
];

/** The original's SDK says that a body is JSON, and sends none. */
const emptyBody: Input<z.output<typeof noneBody>> = {
  schema: noneBody,
  optional: true,
  refuses: ofFields,
  read: (incoming) => parsePart(noneBody, incoming.json() ?? {}, refusals.input_invalid),
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
    { params: path, query: asked, principal: session, input: sent, incoming }: Submission,
  ) => {
    if (asked.connection_id !== undefined) {
      throw invalidQuery("connection_id", "connection_id is forbidden when using session token");
    }
    const { params, ...credentials } = sent;
    const linked = await use.submitCredentials(session, {
      integrationKey: path.integration_key,
      mode,
      sent: credentials,
      config: { ...asked.params, ...params },
      confirmed: asked.confirm_account_change,
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
    wire: connectWire,
    guard: sessionInQuery,
    query: connectQuery(submitQuery),
    refuses: submitRefuses,
    answers: { means: "The connection, and whose account it is.", schema: linkedAnswer },
  } as const;

  return [
    route({
      method: "GET",
      path: "/connect/form",
      summary: "Everything that the form needs to stand there",
      wire: connectWire,
      guard: sessionInHeader,
      input: noBody,
      query: connectQuery(formQuery),
      refuses: [refusals.origin_not_allowed],
      answers: {
        means: "The session and what can be linked with it.",
        schema: formAnswer,
      },
      run: async ({ query, principal }) => ({ json: { data: await use.readForm(principal, query.opener) } }),
    }),
    route({
      ...common,
      path: "/api-auth/basic/{integration_key}",
      summary: "Submit a user name and a password, or an API token in their place",
      input: connectBody(basicBody),
      run: (call) => submit("BASIC", call),
    }),
    route({
      ...common,
      path: "/api-auth/api-key/{integration_key}",
      summary: "Submit an API key",
      input: connectBody(apiKeyBody),
      run: (call) => submit("API_KEY", call),
    }),
    route({
      ...common,
      path: "/auth/unauthenticated/{integration_key}",
      summary: "Link a provider that asks for no credentials",
      input: emptyBody,
      run: (call) => submit("NONE", call),
    }),
  ];
};
