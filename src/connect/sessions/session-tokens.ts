import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import type { Guard } from "../../kernel/http/route.ts";
import { isSessionToken, type Caller, type ConnectSession } from "../model/connect-session.ts";
import type { ConnectDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import type { Scope } from "../model/scopes.ts";
import { invalidQuery } from "../wire/input.ts";
import { connectSessionByDigest } from "../store/connect-sessions.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock">;

/** @throws Refusal invalid_connect_session_token_format, unknown_connect_session_token */
const sessionOfToken = async ({ store, clock }: Deps, token: string): Promise<ConnectSession> => {
  if (!isSessionToken(token)) throw new Refusal(refusals.invalid_connect_session_token_format);
  const session = await connectSessionByDigest(store.query, sha256Hex(token), clock.now());
  if (!session) throw new Refusal(refusals.unknown_connect_session_token);
  return session;
};

const bearerOf = (incoming: Incoming): string => {
  const token = incoming.bearer();
  if (token === "missing") throw new Refusal(refusals.missing_auth_header);
  if (token === "malformed") throw new Refusal(refusals.malformed_auth_header);
  return token.reveal();
};

const tokenRefuses = [
  refusals.missing_auth_header,
  refusals.malformed_auth_header,
  refusals.invalid_connect_session_token_format,
  refusals.unknown_connect_session_token,
];

/** The form's own calls: a token in the header. */
export const sessionInHeader = (deps: Deps): Guard<ConnectSession> => ({
  admits: "connect session",
  refuses: tokenRefuses,
  admit: (incoming) => sessionOfToken(deps, bearerOf(incoming)),
});

/**
 * The submitting of credentials. The original's SDK sends the token in the query; ours in the header, where no log of a
 * proxy sees it.
 */
export const sessionInQuery = (deps: Deps): Guard<ConnectSession> => ({
  admits: "connect session",
  refuses: [
    ...tokenRefuses,
    refusals.missing_public_key,
    refusals.deprecated_authentication,
    refusals.invalid_query_params,
  ],
  admit: (incoming) => {
    const token = incoming.query("connect_session_token");
    if (token !== undefined) return sessionOfToken(deps, token);
    if (incoming.queryEntries.some(([name]) => name === "connect_session_token")) {
      throw invalidQuery("connect_session_token", "is there more than once");
    }
    if (incoming.query("public_key") !== undefined) throw new Refusal(refusals.deprecated_authentication);
    if (incoming.bearer() === "missing") throw new Refusal(refusals.missing_public_key);
    return sessionOfToken(deps, bearerOf(incoming));
  },
});

/** What apps and forms both may read. */
export const keyOrSession = (
  deps: Deps,
  keys: EnvironmentKeys,
  ...anyOf: readonly Scope[]
): Guard<Caller> => {
  const key = keys.guard(...anyOf);
  return {
    admits: "API key or connect session",
    refuses: [...key.refuses, refusals.unknown_connect_session_token],
    admit: async (incoming) => {
      const token = bearerOf(incoming);
      if (isSessionToken(token)) return { kind: "session", session: await sessionOfToken(deps, token) };
      return { kind: "key", holder: await key.admit(incoming) };
    },
  };
};
