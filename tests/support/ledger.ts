// People who use a server that may die at any moment, and who write down what it told them: what was acknowledged must
// hold, what was under way may have happened or not, but not by half.

import { expect } from "vitest";
import { sessionOf, type Client, type Reply, type Sent } from "./http.ts";

/** What a person knows of their account. */
export type Entry = {
  readonly email: string;
  /** Whether the sign-up was acknowledged. */
  signedUp: boolean;
  /** The password; while it is being changed the new one too. */
  passwords: readonly [string, ...string[]];
  readonly formerPasswords: string[];
  token: string | undefined;
  tokenUnderWay: boolean;
  readonly formerTokens: string[];
  /** Undefined while nobody knows. */
  readonly sessions: Map<string, boolean | undefined>;
  /** Changes of the password that were acknowledged. */
  passwordChanges: number;
  /** Whether anything was done since it was last compared with the server. */
  touched: boolean;
};

export type Ledger = {
  readonly entries: Entry[];
  /** Answers that nobody should have got. */
  readonly surprises: string[];
  /** How many acknowledgements of each kind were written down. */
  readonly acknowledged: Map<string, number>;
};

export const newLedger = (): Ledger => ({ entries: [], surprises: [], acknowledged: new Map() });

const newPassword = (): string => `river ${crypto.randomUUID()}`;

const liveSession = (entry: Entry): string | undefined =>
  [...entry.sessions].find(([, live]) => live === true)?.[0];

const tokenIn = (reply: Reply): string | undefined => {
  const me: unknown = reply.json();
  return typeof me === "object" && me !== null && "api_token" in me ? String(me.api_token) : undefined;
};

/**
 * One person does one thing after the other, to accounts of their own, until the server does not answer any more.
 * @param mine the accounts; new ones are added
 * @param choose numbers from 0 to 1
 */
export const useServer = async (
  client: Client,
  ledger: Ledger,
  { mine, choose }: { readonly mine: Entry[]; readonly choose: () => number },
): Promise<void> => {
  /** @returns the answer when it is a good one; undefined when the server was busy and has done nothing */
  const send = async (kind: string, method: string, path: string, sent: Sent): Promise<Reply | undefined> => {
    const reply = await client.send(method, path, sent);
    if (reply.status === 200) ledger.acknowledged.set(kind, (ledger.acknowledged.get(kind) ?? 0) + 1);
    else if (reply.status !== 503) ledger.surprises.push(`${kind}: ${reply.status} ${reply.text}`);
    return reply.status === 200 ? reply : undefined;
  };

  const signUp = async (): Promise<void> => {
    const password = newPassword();
    const entry: Entry = {
      email: `${crypto.randomUUID()}@example.com`,
      signedUp: false,
      passwords: [password],
      formerPasswords: [],
      token: undefined,
      tokenUnderWay: false,
      formerTokens: [],
      sessions: new Map(),
      passwordChanges: 0,
      touched: true,
    };
    ledger.entries.push(entry);
    const json = { email: entry.email, password, tos_accepted_for: "track" };
    const reply = await send("sign-up", "POST", "/api/signup", { json });
    if (!reply) return;
    entry.signedUp = true;
    mine.push(entry);
    entry.sessions.set(sessionOf(reply) ?? "", true);
  };

  const signIn = async (entry: Entry): Promise<void> => {
    const [password] = entry.passwords;
    const reply = await send("sign-in", "POST", "/api/sessions", { json: { email: entry.email, password } });
    if (reply) entry.sessions.set(sessionOf(reply) ?? "", true);
  };

  const signOut = async (entry: Entry): Promise<void> => {
    const session = liveSession(entry);
    if (session === undefined) return;
    entry.sessions.set(session, undefined);
    const reply = await send("sign-out", "DELETE", "/api/sessions", { session });
    entry.sessions.set(session, reply === undefined);
  };

  const replaceToken = async (entry: Entry): Promise<void> => {
    const session = liveSession(entry);
    if (session === undefined) return;
    entry.token ??= tokenIn(await client.send("GET", "/api/v9/me", { session }));
    entry.tokenUnderWay = true;
    const reply = await send("token", "POST", "/api/v9/me/reset_token", { session });
    entry.tokenUnderWay = false;
    if (!reply) return;
    if (entry.token !== undefined) entry.formerTokens.push(entry.token);
    entry.token = String(reply.json());
  };

  const changePassword = async (entry: Entry): Promise<void> => {
    const session = liveSession(entry);
    if (session === undefined) return;
    const [former] = entry.passwords;
    const password = newPassword();
    entry.passwords = [former, password];
    const json = { current_password: former, password };
    const reply = await send("password", "PUT", "/api/v9/me", { session, json });
    entry.passwords = [reply ? password : former];
    if (!reply) return;
    entry.passwordChanges += 1;
    entry.formerPasswords.push(former);
    for (const one of entry.sessions.keys()) entry.sessions.set(one, one === session);
  };

  const doings = [signIn, signOut, replaceToken, changePassword];
  try {
    for (;;) {
      const entry = mine[Math.floor(choose() * mine.length)];
      const doing = doings[Math.floor(choose() * (doings.length + 2))];
      if (entry && doing) {
        entry.touched = true;
        await doing(entry);
      } else await signUp();
    }
  } catch {
    // The server is gone; what was under way stays written down as that.
  }
};

export const acknowledgements = (ledger: Ledger): number =>
  [...ledger.acknowledged.values()].reduce((sum, count) => sum + count, 0);

/** Compares what a person knows with a server that was started again, and learns what became of what was under way. */
export const settle = async (client: Client, entry: Entry): Promise<void> => {
  const status = async (sent: Sent): Promise<number> =>
    (await client.send("GET", "/api/v9/me/logged", sent)).status;
  const withPassword = (password: string): Promise<number> => status({ basic: [entry.email, password] });

  entry.touched = false;
  const working: string[] = [];
  for (const password of entry.passwords) if ((await withPassword(password)) === 200) working.push(password);
  if (!entry.signedUp) {
    // Never acknowledged: it may be there, whole, or not at all.
    if (working.length === 0) return;
    entry.signedUp = true;
  }
  expect(working, `passwords of ${entry.email}`).toHaveLength(1);
  const [password = ""] = working;
  const [known, changed] = entry.passwords;
  const last = entry.formerPasswords.at(-1);
  if (last !== undefined) expect(await withPassword(last), "the former password").toBe(403);
  if (changed !== undefined) expect(await withPassword(password === changed ? known : changed)).toBe(403);

  for (const [session, live] of entry.sessions) {
    const opens = (await status({ session })) === 200;
    if (live !== undefined && changed === undefined) expect(opens, "a session").toBe(live);
    // A session that had ended stays ended; whether others ended goes with the change of the password.
    if (live === false) expect(opens, "an ended session").toBe(false);
    entry.sessions.set(session, opens);
  }
  if (changed !== undefined) {
    const live = [...entry.sessions.values()].filter(Boolean);
    if (password === changed)
      expect(live.length, "sessions beside the one that changed the password").toBeLessThan(2);
  }
  entry.passwords = [password];
  if (password === changed) entry.formerPasswords.push(known);

  const me = await client.send("GET", "/api/v9/me", { basic: [entry.email, password] });
  const token = tokenIn(me);
  expect(token).toMatch(/^[0-9a-f]{32}$/);
  if (entry.token !== undefined && !entry.tokenUnderWay) expect(token, "the token").toBe(entry.token);
  if (entry.token !== undefined && token !== entry.token) entry.formerTokens.push(entry.token);
  expect(await status({ basic: [token ?? "", "api_token"] })).toBe(200);
  for (const former of entry.formerTokens) {
    expect(await status({ basic: [former, "api_token"] }), "a former token").toBe(403);
  }
  entry.token = token;
  entry.tokenUnderWay = false;

  const workspaces = await client.send("GET", "/api/v9/workspaces", { basic: [token ?? "", "api_token"] });
  const body: unknown = me.json();
  const id =
    typeof body === "object" && body !== null && "default_workspace_id" in body
      ? body.default_workspace_id
      : 0;
  expect(workspaces.json()).toEqual([expect.objectContaining({ id })]);
};
