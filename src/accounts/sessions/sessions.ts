import { sha256Hex } from "../../kernel/crypto/digest.ts";
import { clockSkew, kidOf, signJwt, verifyJwt } from "../../kernel/crypto/jwt/jwt.ts";
import { day } from "../../kernel/clock.ts";
import { createFreshCache } from "../../kernel/db/fresh-cache.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import { sessionCookie } from "../../kernel/http/cookie.ts";
import { newHexId } from "../../kernel/ids.ts";
import { isOpen, type Account, type Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { holdOpen } from "../credentials/hold-open.ts";
import { sessionLifetimeMs } from "../signing/signing-keys.ts";
import {
  endOldestSessions,
  insertSession,
  purgeSessions,
  sessionWithAccount,
  touchSessions,
} from "../store/sessions.ts";
import type { SessionRow } from "../store/tables.ts";
import { refusals } from "../model/refusals.ts";

export const sessionCookieName = "__Secure-accounts-session";

/** How long the "last seen" of sessions is collected before it is written. */
const touchEveryMs = 60_000;

/** By how much the store may lag behind what any process knows of a session; twice, for a write that comes late. */
const unwrittenForMs = 2 * touchEveryMs;

/** More than anybody's devices; a program that signs in for each call ends its oldest sessions with it. */
const mostSessions = 200;

export type LiveSession = {
  readonly jti: string;
  readonly expiresAt: number;
  readonly account: Account;
  seenAt: number;
};

export type Sessions = {
  /**
   * Makes a session row and returns the whole `Set-Cookie` line. Signing keys must be loaded outside.
   * @throws Refusal credentials_wrong when the account is no longer what it was when it was read
   */
  issue(
    tx: Tx,
    account: Account,
    by: { readonly remember: boolean; readonly peer: Peer; readonly signer: Signer },
  ): Promise<string>;
  signer(): Promise<Signer>;
  /** The live session behind a cookie's value; undefined when it is no session any more. */
  resolve(cookie: string): LiveSession | undefined | Promise<LiveSession | undefined>;
  /** The row with when it was last seen, as far as this process knows; undefined when it is no session any more. */
  living(row: SessionRow): SessionRow | undefined;
  /** Writes down when sessions were last seen. */
  flushSeen(): Promise<void>;
  /** Deletes those that have ended, here and in every other process. */
  purge(signal?: AbortSignal): Promise<void>;
};

export type Signer = Awaited<ReturnType<AccountDeps["signingKeys"]["current"]>>;

type Deps = Pick<AccountDeps, "store" | "clock" | "random" | "signingKeys" | "policy">;

/**
 * Sessions are a signed token in a cookie and a row in the store. The signature is checked once per token
 * and process; whether the session still lives is the row's say, through a cache that every revocation
 * empties at once (kernel/db/fresh-cache.ts).
 */
export const createSessions = (deps: Deps): Sessions => {
  const { store, clock, policy } = deps;
  const cache = createFreshCache<LiveSession>(store.changes, { max: 20_000 });
  const idleMs = policy.sessionIdleDays * day;
  const seen = new Map<string, number>();

  const isLive = (session: Pick<LiveSession, "expiresAt" | "seenAt">, now: number): boolean =>
    session.expiresAt > now && (idleMs === 0 || now - session.seenAt < idleMs);

  const lastSeen = (row: SessionRow): number => Math.max(row.last_seen_at, seen.get(row.jti) ?? 0);

  const read = async (cookie: string): Promise<{ accountId: number; value: LiveSession } | undefined> => {
    const kid = kidOf(cookie);
    const key = kid === undefined ? undefined : await deps.signingKeys.verifier(kid);
    const claims = verifyJwt(cookie, {
      key: () => key,
      issuer: policy.origin.origin,
      audience: "track",
      now: clock.now(),
    });
    const row = claims && (await sessionWithAccount(store.query, claims.jti));
    if (!row || row.account.publicId !== claims.sub || !isOpen(row.account)) return undefined;
    const { session, account } = row;
    return {
      accountId: account.id,
      value: {
        jti: session.jti,
        expiresAt: Math.min(session.expires_at, claims.exp * 1000),
        account,
        seenAt: lastSeen(session),
      },
    };
  };

  const current = (session: LiveSession | undefined): LiveSession | undefined => {
    const now = clock.now();
    if (!session || !isLive(session, now)) return undefined;
    if (now - session.seenAt >= touchEveryMs) {
      session.seenAt = now;
      seen.set(session.jti, now);
    }
    return session;
  };

  return {
    signer: () => deps.signingKeys.current(),
    issue: async (tx, account, { remember, peer, signer }) => {
      const jti = newHexId(deps.random);
      const now = clock.now();
      const iat = Math.floor(now / 1000);
      const exp = iat + sessionLifetimeMs / 1000;
      const held = await holdOpen(tx, account.id);
      // What was proved a moment ago, before the hash or another wait, must hold when the session is made.
      if (held.credentialVersion !== account.credentialVersion) throw new Refusal(refusals.credentials_wrong);
      await insertSession(tx.query, {
        jti,
        account_id: account.id,
        created_at: now,
        expires_at: exp * 1000,
        last_seen_at: now,
        remembered: remember ? 1 : 0,
        address: peer.address,
        user_agent: peer.userAgent.slice(0, 256),
      });
      if ((await endOldestSessions(tx.query, account.id, mostSessions)) > 0) tx.changed(account.id);
      const token = signJwt(
        {
          aud: ["track"],
          exp,
          iat,
          iss: policy.origin.origin,
          jti,
          nbf: iat - clockSkew,
          sub: account.publicId,
        },
        signer,
      );
      const maxAge = remember ? sessionLifetimeMs / 1000 : undefined;
      return sessionCookie(sessionCookieName, token, { maxAge });
    },
    resolve: (cookie) => {
      // A digest, so that the cookies of the last hours don't lie in memory as such.
      const key = sha256Hex(cookie);
      const known = cache.get(key);
      // What has lain idle here may have been used on another node: then the row says so.
      return (known && current(known)) ?? cache.load(key, () => read(cookie)).then(current);
    },
    living: (row) => {
      const seenAt = lastSeen(row);
      return isLive({ expiresAt: row.expires_at, seenAt }, clock.now())
        ? { ...row, last_seen_at: seenAt }
        : undefined;
    },
    flushSeen: async () => {
      if (seen.size === 0) return;
      const batch = new Map(seen);
      await store.transaction((tx) => touchSessions(tx.query, batch), "patient");
      // Kept until then: it counts, and a store that is away for a moment makes nobody look idle.
      for (const [jti, at] of batch) if (seen.get(jti) === at) seen.delete(jti);
    },
    purge: (signal) => {
      const now = clock.now();
      // A session that looks idle in the store may have been used since: a process knows, and has yet to write it.
      const idleSince = idleMs === 0 ? undefined : now - idleMs - unwrittenForMs;
      return purgeSessions(store.query, { now, idleSince }, signal);
    },
  };
};
