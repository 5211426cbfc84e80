import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  behindProxy,
  elsewhere,
  lock,
  mailedDuring,
  requestChange,
  requestReset,
  requestVerification,
  signIn,
  signUp,
  verifiedPerson,
  whole,
  type SentHeaders,
} from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

const password = "a quiet river at noon";

let house: TestHouse;
/** Somebody with an account of their own, who would like to know who else has one. */
let attacker: { readonly session: string; readonly password: string };
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
  attacker = { session: await verifiedPerson(house, "attacker@example.com", password), password };
  for (const who of ["open", "closed", "locked"]) {
    await verifiedPerson(house, `${who}@example.com`, password);
  }
  await house.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  await lock(house, "locked@example.com");
  await signUp(house, "unverified@example.com", password, elsewhere());
  await house.mails();
  // Nobody empties the queue while it is looked at.
  await house.inside.courier.stop();
});
afterAll(stopHouses);

/** Whom nobody may tell apart from an address that nobody has. */
const takers = ["open", "closed", "locked", "unverified"] as const;

type Asks = (email: string, headers: SentHeaders) => Promise<Reply>;

/** Every call that takes an address, and what it costs: the same for each of them. */
const endpoints: ReadonlyArray<{
  readonly name: string;
  readonly ask: Asks;
  readonly work: { readonly hashes: number; readonly mails: number; readonly events: number };
}> = [
  {
    name: "POST /api/signup",
    ask: (email, headers) => signUp(house, email, password, headers),
    work: { hashes: 1, mails: 1, events: 1 },
  },
  {
    name: "POST /api/sessions",
    ask: (email, headers) => signIn(house, email, "not the password", headers),
    work: { hashes: 1, mails: 0, events: 1 },
  },
  {
    name: "POST /api/me/password_reset/request",
    ask: (email, headers) => requestReset(house, email, headers),
    work: { hashes: 0, mails: 1, events: 1 },
  },
  {
    name: "POST /api/me/email_verification/request",
    ask: (email, headers) => requestVerification(house, email, headers),
    work: { hashes: 0, mails: 1, events: 1 },
  },
  {
    name: "POST /api/me/email_change/request",
    ask: (email, headers) => requestChange(house, attacker, email, headers),
    work: { hashes: 1, mails: 2, events: 1 },
  },
  {
    name: "PUT /api/v9/me",
    ask: (email, headers) =>
      house.send("PUT", "/api/v9/me", {
        session: attacker.session,
        json: { email, current_password: password },
        headers,
      }),
    work: { hashes: 1, mails: 2, events: 1 },
  },
];

let nobodies = 0;
const nobody = (): string => `nobody${++nobodies}@example.com`;

const countOf = async (table: "mail_queue" | "audit_events"): Promise<number> =>
  (await sql`select 1 from ${sql.table(table)}`.execute(house.inside.store.query)).rows.length;
const triesCounted = async (): Promise<number> =>
  (await house.inside.store.query.selectFrom("tries").select("count").execute()).reduce(
    (sum, { count }) => sum + count,
    0,
  );

const rows = async () => ({
  mails: await countOf("mail_queue"),
  events: await countOf("audit_events"),
  tries: await triesCounted(),
});

/** The answer, without what moves by itself, and what was done for it. */
const measured = async (ask: Asks, email: string) => {
  const before = await rows();
  let reply: Reply | undefined;
  const hashes = await hashedDuring(async () => {
    reply = await ask(email, elsewhere());
  });
  const after = await rows();
  if (!reply) throw new Error("No answer");
  const { text, headers, ...answer } = whole(reply);
  const { "x-toggl-quota-remaining": _, ...stays } = headers;
  return {
    answer: { ...answer, headers: stays, text: text.replace(/"updated_at":"[^"]*"/, "") },
    hashes: hashes.map(({ kind, cost }) => `${kind} ${cost}`),
    mails: after.mails - before.mails,
    events: after.events - before.events,
    tries: after.tries - before.tries,
  };
};

describe.each(endpoints)("$name", ({ name, ask, work }) => {
  test("A05: answers of every address alike, to the byte, and does the same for it", async () => {
    const unknown = await measured(ask, nobody());
    expect([unknown.hashes.length, unknown.mails, unknown.events]).toEqual([
      work.hashes,
      work.mails,
      work.events,
    ]);
    expect(unknown.answer.status).toBe(name === "POST /api/sessions" ? 403 : 200);
    expect(unknown.answer.cookies).toEqual([]);

    for (const who of takers) {
      expect(await measured(ask, `${who}@example.com`), who).toEqual(unknown);
    }
  });
});

test("A05: nor does the account of whoever asks tell it afterwards", async () => {
  const seen = async (email: string) => {
    await requestChange(house, attacker, email);
    const { session } = attacker;
    const account = fieldsOf((await house.send("GET", "/api/me", { session })).json());
    const audit = fieldsOf((await house.send("GET", "/api/me/audit", { session })).json());
    const { id: _, ...event } = listOf(audit["events"])[0] ?? {};
    const dropped = await house.send("DELETE", "/api/me/email_change", { session });
    return {
      account: { ...account, pending_email: account["pending_email"] === email },
      event: { ...event, address: "any" },
      dropped: whole(dropped),
    };
  };
  const unknown = await seen(nobody());
  expect(unknown.account.pending_email).toBe(true);
  expect(unknown.event).toMatchObject({ event: "email_change_requested", outcome: "done" });

  for (const who of takers) expect(await seen(`${who}@example.com`), who).toEqual(unknown);
});

test("A05: over the cap of mails to one address a change is refused alike, whoever has it", async () => {
  const capped = await startHouse({
    ...behindProxy,
    LATCHKEY_HIDE_ACCOUNTS: "strict",
    LATCHKEY_MAILS: "2",
  });
  const mine = { session: await verifiedPerson(capped, "mine@example.com", password), password };
  await verifiedPerson(capped, "taken@example.com", password);
  capped.clock.advance(3_600_000);
  const answersTo = async (email: string) => {
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(whole(await requestChange(capped, mine, email)));
    return answers;
  };

  const free = await answersTo("free@example.com");
  expect(free.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(await answersTo("taken@example.com")).toEqual(free);
});

test("A05: the owner of the address is told by mail, and gets no code that would move anybody's account", async () => {
  const own = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
  const mine = { session: await verifiedPerson(own, "mine@example.com", password), password };
  await verifiedPerson(own, "taken@example.com", password);
  const mails = await mailedDuring(own, async () => {
    await requestChange(own, mine, "TAKEN@example.com");
    const json = { email: "taken@example.com", current_password: password };
    await own.send("PUT", "/api/v9/me", { session: mine.session, json });
  });

  expect(mails.map(({ to, subject }) => `${to}: ${subject}`).toSorted()).toEqual([
    "mine@example.com: A new e-mail address was asked for",
    "mine@example.com: A new e-mail address was asked for",
    "taken@example.com: You already have an account",
    "taken@example.com: You already have an account",
  ]);
  for (const { text } of mails) expect(text).not.toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/m);
  expect((await signIn(own, "taken@example.com", password, elsewhere())).status).toBe(200);
  expect((await own.send("GET", "/api/me", { session: mine.session })).json()).toMatchObject({
    email: "mine@example.com",
  });
});

test("A05: where accounts are not hidden, asking for a taken address is capped with the sign-ups, by whichever call", async () => {
  const shown = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "3" });
  const person = await shown.person();
  const owner = await shown.person();
  const from = { "x-forwarded-for": "203.0.113.7" };
  const json = { email: owner.email, current_password: person.password };
  const statuses = [
    (await requestChange(shown, person, owner.email, from)).status,
    (await shown.send("PUT", "/api/v9/me", { session: person.session, json, headers: from })).status,
    (await signUp(shown, owner.email, password, from)).status,
    (await requestChange(shown, person, owner.email, from)).status,
    (await signUp(shown, "free@example.com", password, from)).status,
  ];
  expect(statuses).toEqual([400, 400, 400, 429, 429]);
});
