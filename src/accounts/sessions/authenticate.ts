import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import type { BasicCredentials } from "../../kernel/http/basic.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import type { Guard } from "../../kernel/http/route.ts";
import { withoutUnseenAround } from "../../kernel/text/unseen.ts";
import { isOpen, type Account, type Peer, type Principal } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { deviceCookieName } from "./remember-device.ts";
import type { ShownDevice } from "./sign-in.ts";
import { sessionCookieName, type LiveSession, type Sessions } from "./sessions.ts";
import { accountByToken } from "../store/accounts.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";
import { refusals } from "../model/refusals.ts";

/** In the password's place it says that the user's place holds an API token. Compared exactly. */
const tokenPassword = "api_token";

const tokenForm = /^[0-9a-f]{32}$/;

export const peerOf = (incoming: Incoming): Peer => ({
  ...incoming.client,
  userAgent: incoming.userAgent,
  requestId: incoming.requestId,
});

/** A cookie's value, where a call works without it too: one that must not count here is as good as none. */
export const cookieIn = (incoming: Incoming, name = sessionCookieName): string | undefined => {
  try {
    const cookie = incoming.cookie(name);
    return cookie.kind === "one" ? cookie.value : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
};

/** Every browser says with a write where it comes from, and no program does unless it wants to be taken for one. */
const isBrowser = (incoming: Incoming): boolean =>
  incoming.header("origin") !== undefined || incoming.header("sec-fetch-site") !== undefined;

export const shownDevice = (incoming: Incoming): ShownDevice => ({
  cookie: cookieIn(incoming, deviceCookieName),
  keeps: isBrowser(incoming),
});

export const isTokenPair = (basic: BasicCredentials): boolean => basic.password.reveal() === tokenPassword;

/** At once when the credential was seen before, so that the usual call waits for nothing. */
export type Authenticate = (incoming: Incoming) => Principal | Promise<Principal>;

type Deps = Pick<AccountDeps, "store"> & {
  readonly sessions: Sessions;
  readonly passwordChecks: PasswordChecks;
};

/**
 * Who a request comes from: Basic with e-mail and password, Basic with a token, or the session cookie.
 * When both Basic and a cookie are there, Basic decides.
 * @throws Refusal credentials_missing, credentials_wrong, email_unverified, login_throttled, busy
 */
export const createAuthenticate = ({ store, sessions, passwordChecks }: Deps): Authenticate => {
  const byToken = createFreshCache<Principal>(store.changes, { max: 20_000 });

  const loadToken = async (digest: string): Promise<Principal> => {
    const principal = await byToken.load(digest, async () => {
      const account = await accountByToken(store.query, digest);
      if (!account || !isOpen(account)) return undefined;
      return {
        accountId: account.id,
        value: {
          account,
          via: "token",
          sessionId: undefined,
          credential: `token:${account.id}`,
        },
      };
    });
    if (!principal) throw new Refusal(refusals.credentials_wrong);
    return principal;
  };

  const ofToken = (typed: string): Principal | Promise<Principal> => {
    const token = withoutUnseenAround(typed);
    if (!tokenForm.test(token)) throw new Refusal(refusals.credentials_wrong);
    // Looked up by digest: what the comparison takes tells nothing about the token.
    const digest = sha256Hex(token);
    return byToken.get(digest) ?? loadToken(digest);
  };

  const byPassword = (account: Account): Principal => ({
    account,
    via: "password",
    sessionId: undefined,
    credential: `password:${account.id}`,
  });

  const ofPassword = ({ user, password }: BasicCredentials, peer: Peer): Principal | Promise<Principal> => {
    const account = passwordChecks.ofAddressRemembered(user, password, peer);
    return account instanceof Promise ? account.then(byPassword) : byPassword(account);
  };

  const ofSession = (session: LiveSession | undefined): Principal => {
    if (!session) throw new Refusal(refusals.session_not_current);
    const { account, jti } = session;
    return { account, via: "session", sessionId: jti, credential: `session:${jti}` };
  };

  return (incoming) => {
    const basic = incoming.basic();
    if (basic === "malformed") throw new Refusal(refusals.credentials_wrong);
    if (basic) return isTokenPair(basic) ? ofToken(basic.user) : ofPassword(basic, peerOf(incoming));
    const cookie = incoming.cookie(sessionCookieName);
    if (cookie.kind === "none") throw new Refusal(refusals.credentials_missing);
    if (cookie.kind === "ambiguous") throw new Refusal(refusals.session_not_current);
    const session = sessions.resolve(cookie.value);
    return session instanceof Promise ? session.then(ofSession) : ofSession(session);
  };
};

const anyRefuses: readonly RefusalKind[] = [
  refusals.credentials_missing,
  refusals.credentials_wrong,
  refusals.session_not_current,
  refusals.email_unverified,
  refusals.login_throttled,
  refusals.busy,
];

/** Any of the three credentials. */
export const anyCredential = (authenticate: Authenticate): Guard<Principal> => ({
  admits: "cookie, password or token",
  refuses: anyRefuses,
  readsCookie: true,
  admit: authenticate,
});

/** For what a token must not do: it is kept in programs, and may be in more hands than its owner's. */
export const cookieOrPassword = (authenticate: Authenticate): Guard<Principal> => ({
  admits: "cookie or password",
  refuses: [...anyRefuses, refusals.password_needed],
  readsCookie: true,
  admit: async (incoming) => {
    const principal = await authenticate(incoming);
    if (principal.via === "token") throw new Refusal(refusals.password_needed);
    return principal;
  },
});
