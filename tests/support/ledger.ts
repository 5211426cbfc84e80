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

type Ask = (sent: Sent) => Promise<number>;

/** @returns the one that works; undefined when there is no such account, which may be when nobody acknowledged it */
const learnPassword = async (ask: Ask, entry: Entry): Promise<string | undefined> => {
  const works = async (password: string): Promise<boolean> =>
    (await ask({ basic: [entry.email, password] })) === 200;
  const [known, changed] = entry.passwords;
  const working: string[] = [];
  for (const password of entry.passwords) if (await works(password)) working.push(password);
  if (!entry.signedUp && working.length === 0) return undefined;

  expect(working, `passwords of ${entry.email}`).toHaveLength(1);
  const former = entry.formerPasswords.at(-1);
  if (former !== undefined) expect(await works(former), "the former password").toBe(false);
  const [password = known] = working;
  entry.signedUp = true;
  entry.passwords = [password];
  if (password === changed) entry.formerPasswords.push(known);
  return password;
};

/** @param maybeEnded whether a change of the password that was under way has ended the others */
const learnSessions = async (ask: Ask, entry: Entry, maybeEnded: boolean): Promise<void> => {
  for (const [session, live] of entry.sessions) {
    const opens = (await ask({ session })) === 200;
    if (live === false) expect(opens, "a session that ended").toBe(false);
    if (live === true && !maybeEnded) expect(opens, "a session that lived").toBe(true);
    entry.sessions.set(session, opens);
  }
  if (!maybeEnded) return;
  const live = [...entry.sessions.values()].filter(Boolean);
  expect(live.length, "sessions beside the one that changed the password").toBeLessThan(2);
};

const learnToken = async (
  client: Client,
  ask: Ask,
  { entry, me }: { entry: Entry; me: Reply },
): Promise<void> => {
  const token = tokenIn(me) ?? "";
  expect(token).toMatch(/^[0-9a-f]{32}$/);
  if (entry.token !== undefined && !entry.tokenUnderWay) expect(token, "the token").toBe(entry.token);
  if (entry.token !== undefined && token !== entry.token) entry.formerTokens.push(entry.token);
  entry.token = token;
  entry.tokenUnderWay = false;
  expect(await ask({ basic: [token, "api_token"] }), "the token").toBe(200);
  for (const former of entry.formerTokens) {
    expect(await ask({ basic: [former, "api_token"] }), "a former token").toBe(403);
  }
  const workspaces = await client.send("GET", "/api/v9/workspaces", { basic: [token, "api_token"] });
  const body: unknown = me.json();
  const id =
    typeof body === "object" && body !== null ? Reflect.get(body, "default_workspace_id") : undefined;
  expect(workspaces.json()).toEqual([expect.objectContaining({ id })]);
};

const asks =
  (client: Client): Ask =>
  async (sent) =>
    (await client.send("GET", "/api/v9/me/logged", sent)).status;

/** Compares what a person knows with a server that was started again, and learns what became of what was under way. */
export const settle = async (client: Client, entry: Entry): Promise<void> => {
  const ask = asks(client);
  const [known] = entry.passwords;
  entry.touched = false;
  const password = await learnPassword(ask, entry);
  if (password === undefined) return;
  await learnSessions(ask, entry, password !== known);
  const me = await client.send("GET", "/api/v9/me", { basic: [entry.email, password] });
  await learnToken(client, ask, { entry, me });
};

/** The same for somebody who was settled long ago, without the passwords, which cost. */
export const recheck = async (client: Client, entry: Entry): Promise<void> => {
  if (!entry.signedUp) return;
  const ask = asks(client);
  await learnSessions(ask, entry, false);
  const me = await client.send("GET", "/api/v9/me", { basic: [entry.token ?? "", "api_token"] });
  expect(me.json()).toMatchObject({ email: entry.email });
  await learnToken(client, ask, { entry, me });
};
