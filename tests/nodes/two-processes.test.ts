import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partsOf, sessionIdOf } from "../support/forge.ts";
import { sessionOf, type Reply, type Sent } from "../support/http.ts";
import { codeIn, readOutbox } from "../support/mails.ts";
import { withOperator } from "../support/operator.ts";
import { besides, clearSites, newSite, startProcess, type Running, type Site } from "../support/process.ts";
import { statusWithinSecond, withinSecond } from "../support/refused-soon.ts";

// Two real processes on one store. What the one is told, the other knows within a second.

let site: Site;
let one: Running;
let other: Running;
beforeAll(async () => {
  site = await newSite({ LATCHKEY_SIGN_UPS: "1000", LATCHKEY_PASSWORD_TRIES: "4", LATCHKEY_MAILS: "1000" });
  one = await startProcess(site.settings);
  other = await startProcess(await besides(site));
});
afterAll(clearSites);

const river = "a quiet river at noon";
const dusk = "another river at dusk";

const bothWays = [
  ["the first", "the second"],
  ["the second", "the first"],
] as const;
const nodeOf = (name: (typeof bothWays)[number][0]): Running => (name === "the first" ? one : other);

const ask = (node: Running, shown: Sent): Promise<Reply> => node.send("GET", "/api/v9/me/logged", shown);

const signIn = (node: Running, email: string, password: string): Promise<Reply> =>
  node.send("POST", "/api/sessions", { json: { email, password } });

let people = 0;

/** Somebody whose every credential has been used on both. */
const settle = async (where: Running) => {
  const email = `person${++people}@example.com`;
  const json = { email, password: river, tos_accepted_for: "track" };
  const session = sessionOf(await where.send("POST", "/api/signup", { json }));
  const stranger = sessionOf(await signIn(where, email, river));
  const me: unknown = (await where.send("GET", "/api/v9/me", { session })).json();
  const token = typeof me === "object" && me !== null && "api_token" in me ? String(me.api_token) : "";
  const id = typeof me === "object" && me !== null && "id" in me ? Number(me.id) : 0;
  const credentials = {
    cookie: { session },
    "other cookie": { session: stranger },
    token: { basic: [token, "api_token"] },
    password: { basic: [email, river] },
  } as const;
  for (const node of [one, other]) {
    for (const [name, shown] of Object.entries(credentials)) {
      expect((await ask(node, shown)).status, `${name}, before`).toBe(200);
    }
  }
  return { email, session, id, credentials };
};

type Settled = Awaited<ReturnType<typeof settle>>;
type Credential = keyof Settled["credentials"];

const done = async (reply: Promise<Reply>): Promise<void> => {
  expect((await reply).status).toBe(200);
};

const events: ReadonlyArray<{
  readonly name: string;
  readonly happens: (where: Running, person: Settled) => Promise<void>;
  readonly ends: readonly Credential[];
}> = [
  {
    name: "a session that ends",
    happens: (where, { session }) => done(where.send("DELETE", "/api/sessions", { session })),
    ends: ["cookie"],
  },
  {
    name: "all sessions that end",
    happens: (where, { credentials }) => done(where.send("DELETE", "/api/sessions", credentials.token)),
    ends: ["cookie", "other cookie"],
  },
  {
    name: "a session that is ended from another one",
    happens: (where, { session, credentials }) =>
      done(
        where.send("DELETE", `/api/me/sessions/${sessionIdOf(credentials["other cookie"].session ?? "")}`, {
          session,
        }),
      ),
    ends: ["other cookie"],
  },
  {
    name: "all sessions but one that end",
    happens: (where, { session }) => done(where.send("DELETE", "/api/me/sessions", { session })),
    ends: ["other cookie"],
  },
  {
    name: "a token that is replaced",
    happens: (where, { session }) => done(where.send("POST", "/api/v9/me/reset_token", { session })),
    ends: ["token"],
  },
  {
    name: "a password that is changed",
    happens: (where, { session }) =>
      done(where.send("PUT", "/api/v9/me", { session, json: { current_password: river, password: dusk } })),
    ends: ["other cookie", "password"],
  },
  {
    name: "an account that is closed",
    happens: (where, { session }) => done(where.send("POST", "/api/me/close_account/track", { session })),
    ends: ["cookie", "other cookie", "token", "password"],
  },
  {
    name: "an account that is locked",
    // From a third process, which is no server.
    happens: (_, { id }) => withOperator(site, ({ use }) => use.lockAccount(id, {})),
    ends: ["cookie", "other cookie", "token", "password"],
  },
];

describe.each(bothWays)("on %s, seen from %s", (here, there) => {
  test.each(events)("$name is refused within a second", async ({ happens, ends }) => {
    const person = await settle(nodeOf(here));

    await happens(nodeOf(here), person);

    await Promise.all(
      ends.map(async (name) => {
        const shown = person.credentials[name];
        expect(await statusWithinSecond(() => ask(nodeOf(there), shown)), `${name}, there`).toBe(403);
        expect(await statusWithinSecond(() => ask(nodeOf(here), shown)), `${name}, here`).toBe(403);
      }),
    );
    for (const [name, shown] of Object.entries(person.credentials)) {
      if (ends.some((ended) => ended === name)) continue;
      for (const node of [one, other]) expect((await ask(node, shown)).status, name).toBe(200);
    }
  });

  test("what is new works there at once", async () => {
    const { email, session } = await settle(nodeOf(here));
    const token = (await nodeOf(here).send("POST", "/api/v9/me/reset_token", { session })).json();
    const json = { current_password: river, password: dusk };
    await done(nodeOf(here).send("PUT", "/api/v9/me", { session, json }));
    const fresh = sessionOf(await signIn(nodeOf(here), email, dusk));

    for (const shown of [
      { basic: [String(token), "api_token"] },
      { basic: [email, dusk] },
      { session: fresh },
    ] as const) {
      expect((await ask(nodeOf(there), shown)).status).toBe(200);
    }
  });
});

test("wrong passwords are counted together, and the wait holds on both", async () => {
  const { email } = await settle(one);
  for (const node of [one, other, one, other]) {
    expect((await signIn(node, email, "wrong")).status).toBe(403);
  }
  for (const node of [one, other]) {
    const reply = await signIn(node, email, river);
    expect([reply.status, reply.headers["x-remaining-login-attempts"]]).toEqual([429, "0"]);
  }
});

test("of many guesses at once on both no more than the limit are tried", async () => {
  const { email, session } = await settle(one);
  const guesses = await Promise.all(
    Array.from({ length: 24 }, (_, index) => signIn(index % 2 === 0 ? one : other, email, `wrong ${index}`)),
  );
  const statuses = guesses.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 403 && status !== 429)).toEqual([]);
  expect(statuses.filter((status) => status === 403)).toHaveLength(4);
  expect((await ask(other, { session })).status).toBe(200);
});

const resetCode = async (email: string): Promise<string> => {
  const sent = async () =>
    (await readOutbox(site.outbox)).find(({ to, subject }) => to === email && /reset/i.test(subject));
  expect(await sent()).toBeUndefined();
  await done(one.send("POST", "/api/me/password_reset/request", { json: { email } }));
  await expect.poll(sent, { timeout: 5000 }).toBeDefined();
  return codeIn(await sent());
};

test("a code is used once, on whichever it is tried first or at the same time", async () => {
  const { email } = await settle(one);
  const code = await resetCode(email);
  const confirm = (node: Running, password: string) =>
    node.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password } });

  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, index) => confirm(index % 2 === 0 ? one : other, `${dusk} ${index}`)),
  );
  const winners = replies.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  expect(winners).toHaveLength(1);
  for (const node of [one, other]) expect((await confirm(node, dusk)).status).toBe(400);
  for (const node of [one, other]) {
    expect((await ask(node, { basic: [email, `${dusk} ${winners[0]}`] })).status).toBe(200);
    expect(
      (
        await ask(node, {
          session: sessionOf(replies[winners[0] ?? 0] ?? replies[0] ?? expect.unreachable()),
        })
      ).status,
    ).toBe(200);
  }
});

test("an address is signed up once, on whichever it is tried first or at the same time", async () => {
  const json = { email: "only-one@example.com", password: river, tos_accepted_for: "track" };
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? one : other).send("POST", "/api/signup", { json }),
    ),
  );
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200,
    ...Array.from({ length: 9 }, () => 400),
  ]);
});

test("a key that a third process rotates or revokes is seen by both", async () => {
  const { email, session, credentials } = await settle(one);
  const kidOf = async (node: Running): Promise<unknown> => {
    const header: unknown = JSON.parse(partsOf(sessionOf(await signIn(node, email, river)) ?? "").header);
    return typeof header === "object" && header !== null && "kid" in header ? header.kid : undefined;
  };
  const old = await kidOf(one);

  const kid = await withOperator(site, ({ use }) => use.rotateSigningKey({}));
  for (const node of [one, other]) {
    expect(
      await withinSecond(
        () => kidOf(node),
        (by) => by === kid,
      ),
    ).toBe(kid);
    expect((await ask(node, { session })).status).toBe(200);
  }
  await withOperator(site, ({ use }) => use.revokeSigningKey(String(old), {}));
  for (const node of [one, other]) {
    expect(await statusWithinSecond(() => ask(node, { session }))).toBe(403);
    expect((await ask(node, credentials.token)).status).toBe(200);
    const published = await node.send("GET", "/.well-known/jwks.json");
    expect(published.text).toContain(`"${kid}"`);
    expect(published.text).not.toContain(`"${String(old)}"`);
  }
});

test("each mail is written once, although both look for mails that are due", async () => {
  const emails = Array.from({ length: 12 }, (_, index) => `mailed${index}@example.com`);
  await Promise.all(
    emails.map((email, index) =>
      done(
        (index % 2 === 0 ? one : other).send("POST", "/api/signup", {
          json: { email, password: river, tos_accepted_for: "track" },
        }),
      ),
    ),
  );
  const mailed = async () =>
    (await readOutbox(site.outbox)).map(({ to }) => to).filter((to) => to.startsWith("mailed"));
  await expect.poll(async () => (await mailed()).length, { timeout: 8000 }).toBe(emails.length);
  expect((await mailed()).toSorted()).toEqual(emails.toSorted());
});
