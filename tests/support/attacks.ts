// What attackers have: many networks, every door that takes a password, an eye for small differences. And what a
// defender counts.

import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import type { AuditEventName } from "#app/ground.ts";
import { sessionOf, type Client, type Reply, type Sent } from "./http.ts";
import type { TestHouse } from "./house.ts";
import { codeIn, type Mail } from "./mails.ts";

/** The clients of these tests are the one trusted proxy, and so can come from any network. */
export const behindProxy = { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" };

export type SentHeaders = NonNullable<Sent["headers"]>;

/** Headers of a request that the trusted proxy passes on for this client. */
export const from = (address: string): SentHeaders => ({ "x-forwarded-for": address });

let networks = 0;

/** The same, each time for another network that nobody came from before. */
export const elsewhere = (): SentHeaders => {
  networks += 1;
  return from(`198.18.${networks >> 8}.${networks & 255}`);
};

/** Everything that a caller can compare, but for the number of the request. */
export const whole = ({ status, headers, cookies, text }: Reply) => {
  const { date: _, "x-request-id": __, "x-toggl-request-id": ___, ...rest } = headers;
  return { status, headers: rest, cookies, text: text.replace(/urn:latchkey:request:[0-9a-f]+/, "urn") };
};

export type Door = {
  readonly name: string;
  /** Whether a right password changes nothing behind it. */
  readonly harmless: boolean;
  knock(client: Client, email: string, password: string, headers?: SentHeaders): Promise<Reply>;
};

const basicDoor = (method: string, path: string, harmless: boolean): Door => ({
  name: `Basic on ${method} ${path}`,
  harmless,
  knock: (client, email, password, headers) =>
    client.send(method, path, { basic: [email, password], headers }),
});

/** Every door that opens to an address and a password. */
export const passwordDoors: readonly Door[] = [
  {
    name: "JSON on POST /api/sessions",
    harmless: true,
    knock: (client, email, password, headers) =>
      client.send("POST", "/api/sessions", { json: { email, password }, headers }),
  },
  basicDoor("POST", "/api/sessions", true),
  basicDoor("GET", "/api/sessions", true),
  basicDoor("GET", "/api/v9/me", true),
  basicDoor("DELETE", "/api/sessions", false),
  basicDoor("POST", "/api/v9/me/reset_token", false),
  basicDoor("POST", "/api/me/close_account/track", false),
  basicDoor("POST", "/api/v9/me/close_account", false),
];

export const signIn = (
  client: Client,
  email: string,
  password: string,
  headers?: SentHeaders,
): Promise<Reply> => client.send("POST", "/api/sessions", { json: { email, password }, headers });

export const signUp = (
  client: Client,
  email: string,
  password: string,
  headers?: SentHeaders,
): Promise<Reply> =>
  client.send("POST", "/api/signup", { json: { email, password, tos_accepted_for: "track" }, headers });

export const requestReset = (
  client: Client,
  email: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> => client.send("POST", "/api/me/password_reset/request", { json: { email }, headers });

export const confirmReset = (
  client: Client,
  code: string,
  password: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> =>
  client.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password }, headers });

export const requestVerification = (
  client: Client,
  email: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> => client.send("POST", "/api/me/email_verification/request", { json: { email }, headers });

/** @param of the account that is to move to the address */
export const requestChange = (
  client: Client,
  of: { readonly session: string; readonly password: string },
  email: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> =>
  client.send("POST", "/api/me/email_change/request", {
    session: of.session,
    json: { email, current_password: of.password },
    headers,
  });

/** Of either kind: it confirms the address that it was mailed to. */
export const confirmEmail = (
  client: Client,
  code: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> => client.send("POST", `/api/me/email_verification/confirm/${code}`, { headers });

/** Takes a closed account back. */
export const undoClose = (
  client: Client,
  code: string,
  password: string,
  headers: SentHeaders = elsewhere(),
): Promise<Reply> =>
  client.send("POST", `/api/me/close_account/undo/${code}`, { json: { password }, headers });

export const subjects = {
  verify: "Confirm your e-mail address",
  reset: "Reset your password",
  closed: "Your account was closed",
  change: "Confirm your new e-mail address",
} as const;

/** All mails, once the couriers of all processes have brought out what was queued. */
const allMails = async (house: TestHouse): Promise<readonly Mail[]> => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const mails = await house.mails();
    const queued = await house.inside.store.query.selectFrom("mail_queue").select("id").execute();
    if (queued.length === 0) return mails;
    if (performance.now() > deadline) throw new Error(`${queued.length} mails are still queued`);
    await wait(5);
  }
};

/** The code of the newest mail of this kind. Mails of one millisecond have no order: wind the clock in between. */
export const mailedCode = async (
  house: TestHouse,
  email: string,
  kind: keyof typeof subjects,
): Promise<string> =>
  codeIn((await allMails(house)).findLast((mail) => mail.to === email && mail.subject === subjects[kind]));

/** The mails that came while the work ran. */
export const mailedDuring = async (
  house: TestHouse,
  work: () => Promise<unknown>,
): Promise<readonly Mail[]> => {
  const before = new Set((await allMails(house)).map(({ raw }) => raw));
  await work();
  return (await allMails(house)).filter(({ raw }) => !before.has(raw));
};

/** Asks for a reset and reads the code. */
export const resetCode = async (house: TestHouse, email: string, storedEmail = email): Promise<string> => {
  house.clock.advance(1);
  await requestReset(house, email);
  return mailedCode(house, storedEmail, "reset");
};

/** Signs somebody up, verifies the address, signs in: works in a strict house too. @returns the session */
export const verifiedPerson = async (house: TestHouse, email: string, password: string): Promise<string> => {
  await signUp(house, email, password, elsewhere());
  const code = await mailedCode(house, email, "verify");
  await confirmEmail(house, code);
  const session = sessionOf(await signIn(house, email, password, elsewhere()));
  if (session === undefined) throw new Error(`${email} could not sign in`);
  return session;
};

const accountIdOf = async ({ inside }: TestHouse, email: string): Promise<number> => {
  const account = await inside.accounts.use.findAccount(email);
  if (account === undefined || account === "malformed") throw new Error(`No account of ${email}`);
  return account.id;
};

/** The operator's lock. */
export const lock = async (house: TestHouse, email: string): Promise<void> =>
  house.inside.accounts.use.lockAccount(await accountIdOf(house, email), {});

/** How many events of this name were written down, of one account or of all. */
export const audited = async (house: TestHouse, event: AuditEventName, email?: string): Promise<number> => {
  const events = await house.inside.store.query
    .selectFrom("audit_events")
    .select(["account_id", "times"])
    .where("event", "=", event)
    .execute();
  if (email === undefined) return events.reduce((sum, { times }) => sum + times, 0);
  const id = await accountIdOf(house, email);
  return events.filter(({ account_id }) => account_id === id).length;
};

/** How many sessions live. */
export const sessionsOf = async (house: TestHouse, email: string): Promise<number> => {
  const id = await accountIdOf(house, email);
  const found = await sql`select jti from sessions where account_id = ${id}`.execute(
    house.inside.store.query,
  );
  return found.rows.length;
};

/** `[how, many]` by status: `{ 200: 1, 400: 99 }`. */
export const tally = (replies: readonly Reply[]): Readonly<Record<number, number>> => {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

export const times = <Result>(count: number, work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

/** One after another. */
export const series = async <Result>(
  count: number,
  work: (index: number) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  for (let index = 0; index < count; index += 1) results.push(await work(index));
  return results;
};
