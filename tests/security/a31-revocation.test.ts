import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionIdOf } from "../support/forge.ts";
import { sessionOf, type Sent } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";
import { resetCode } from "../support/reset.ts";

let house: TestHouse;
let twin: TestHouse;
beforeAll(async () => {
  house = await startHouse({
    LATCHKEY_SIGN_UPS: "1000",
    LATCHKEY_RATE: "1000000",
    LATCHKEY_BURST: "1000000",
    LATCHKEY_PASSWORD_TRIES: "100",
  });
  twin = await house.twin();
});
afterAll(stopHouses);

const newPassword = "another river at dusk";

type Credential = "own cookie" | "other cookie" | "token" | "password";
type Credentials = Readonly<Record<Credential, Sent>>;

type Settled = Person & { readonly token: string; readonly other: string };

type Event = {
  readonly name: string;
  readonly happens: (where: TestHouse, person: Settled) => Promise<void>;
  readonly ends: readonly Credential[];
  /** What opens the account afterwards, if anything does. */
  readonly opens?: Sent;
};

const expectDone = async (reply: Promise<{ readonly status: number }>): Promise<void> => {
  expect((await reply).status).toBe(200);
};

const accountIdOf = async (where: TestHouse, { session }: Person): Promise<number> =>
  Number((await where.send("GET", "/api/v9/me/id", { session })).json());

const everything: readonly Credential[] = ["own cookie", "other cookie", "token", "password"];

const events: readonly Event[] = [
  {
    name: "sign-out with the cookie",
    happens: (where, { session }) => expectDone(where.send("DELETE", "/api/sessions", { session })),
    ends: ["own cookie"],
  },
  {
    name: "sign-out with the password",
    happens: (where, { email, password }) =>
      expectDone(where.send("DELETE", "/api/sessions", { basic: [email, password] })),
    ends: ["own cookie", "other cookie"],
  },
  {
    name: "sign-out with the token",
    happens: (where, { token }) =>
      expectDone(where.send("DELETE", "/api/sessions", { basic: [token, "api_token"] })),
    ends: ["own cookie", "other cookie"],
  },
  {
    name: "the end of one session from another",
    happens: (where, { session, other }) =>
      expectDone(where.send("DELETE", `/api/me/sessions/${sessionIdOf(other)}`, { session })),
    ends: ["other cookie"],
  },
  {
    name: "the end of the call's own session by its number",
    happens: (where, { session }) =>
      expectDone(where.send("DELETE", `/api/me/sessions/${sessionIdOf(session)}`, { session })),
    ends: ["own cookie"],
  },
  {
    name: "the end of all other sessions",
    happens: (where, { session }) => expectDone(where.send("DELETE", "/api/me/sessions", { session })),
    ends: ["other cookie"],
  },
  {
    name: "the end of all sessions by the password",
    happens: (where, { email, password }) =>
      expectDone(where.send("DELETE", "/api/me/sessions", { basic: [email, password] })),
    ends: ["own cookie", "other cookie"],
  },
  {
    name: "a change of the password",
    happens: (where, { session, password }) =>
      expectDone(
        where.send("PUT", "/api/v9/me", {
          session,
          json: { current_password: password, password: newPassword },
        }),
      ),
    ends: ["other cookie", "password"],
  },
  {
    name: "a change of the password by a program",
    happens: (where, { token, password }) =>
      expectDone(
        where.send("PUT", "/api/v9/me", {
          basic: [token, "api_token"],
          json: { current_password: password, password: newPassword },
        }),
      ),
    ends: ["own cookie", "other cookie", "password"],
  },
  {
    name: "a reset of the password",
    happens: async (where, { email }) => {
      const code = await resetCode(where, email);
      await expectDone(
        where.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password: newPassword } }),
      );
    },
    ends: everything,
  },
  {
    name: "a replacement of the token",
    happens: (where, { session }) => expectDone(where.send("POST", "/api/v9/me/reset_token", { session })),
    ends: ["token"],
  },
  {
    name: "closing the account",
    happens: (where, { session }) =>
      expectDone(where.send("POST", "/api/me/close_account/track", { session })),
    ends: everything,
  },
  {
    name: "closing the account on the Track API",
    happens: (where, { token }) =>
      expectDone(where.send("POST", "/api/v9/me/close_account", { basic: [token, "api_token"] })),
    ends: everything,
  },
  {
    name: "the operator's lock",
    happens: async (where, person) =>
      where.inside.accounts.use.lockAccount(await accountIdOf(where, person), {}),
    ends: everything,
  },
];

const ask = (where: TestHouse, shown: Sent) => where.send("GET", "/api/v9/me/logged", shown);

/** Every credential of a new account, each of them used on both nodes, so that whatever can be remembered is. */
const settle = async (first = house, second = twin) => {
  const person = await first.person();
  const { email, password } = person;
  const token = await first.tokenOf(person);
  const other = sessionOf(await first.send("POST", "/api/sessions", { json: { email, password } })) ?? "";
  const credentials: Credentials = {
    "own cookie": { session: person.session },
    "other cookie": { session: other },
    token: { basic: [token, "api_token"] },
    password: { basic: [email, password] },
  };
  for (const one of [first, second]) {
    for (const [name, shown] of Object.entries(credentials)) {
      expect((await ask(one, shown)).status, `${name}, before`).toBe(200);
    }
  }
  return { person: { ...person, token, other }, credentials };
};

/** What each credential opens, and what it must open. */
const expectFates = async (
  where: TestHouse,
  credentials: Credentials,
  { ends }: Event,
  when: string,
): Promise<void> => {
  for (const name of everything) {
    const { status } = await ask(where, credentials[name]);
    expect(status, `${name}, ${when}`).toBe(ends.includes(name) ? 403 : 200);
  }
};

/** Longer than a password that was right is remembered. */
const cacheMinute = 61_000;

describe.each(events)("$name", (event) => {
  test("A31 ends what it must at once, on another node within a second, and for good", async () => {
    const first = await startHouse();
    const second = await first.twin();
    const { person, credentials } = await settle(first, second);

    await event.happens(first, person);

    for (const name of event.ends) {
      const status = await statusWithinSecond(() => ask(second, credentials[name]));
      expect(status, `${name}, on another node`).toBe(403);
    }
    await expectFates(first, credentials, event, "on this node");
    await expectFates(second, credentials, event, "on another node");

    first.clock.advance(cacheMinute);
    await expectFates(first, credentials, event, "when no password is remembered any more");
    await expectFates(second, credentials, event, "on another node that remembers no password");

    const restarted = await first.restart();
    await expectFates(restarted, credentials, event, "after a restart");
  });

  test("A31 holds on every call that takes the credential, writes first of all", async () => {
    const { person, credentials } = await settle();
    const { length: mailsBefore } = await house.mails();
    await event.happens(house, person);
    const mailsAfter = await house.mails();

    for (const name of event.ends) {
      for (const [method, path] of [
        ["GET", "/api/sessions"],
        ["GET", "/api/v9/me"],
        ["GET", "/api/v9/workspaces"],
        ["PUT", "/api/v9/me"],
        ["POST", "/api/v9/me/reset_token"],
        ["POST", "/api/v9/me/close_account"],
        ["POST", "/api/me/close_account/track"],
        ["GET", "/api/me"],
        ["GET", "/api/me/sessions"],
        ["GET", "/api/me/audit"],
        ["DELETE", "/api/me/sessions"],
        ["DELETE", "/api/me/email_change"],
        ["POST", "/api/me/email_change/request"],
        ["DELETE", "/api/sessions"],
      ] as const) {
        const json = method === "PUT" ? { fullname: "Somebody Else" } : undefined;
        const reply = await house.send(method, path, { ...credentials[name], json });
        expect(reply.status, `${name}: ${method} ${path}`).toBe(403);
        expect(reply.text, `${name}: ${method} ${path}`).not.toMatch(/[0-9a-f]{32}|success/);
      }
    }
    if (event.ends.includes("password")) {
      const { email, password } = person;
      const reply = await house.send("POST", "/api/sessions", { json: { email, password } });
      expect([reply.status, reply.cookies]).toEqual([403, []]);
    }
    // None of these calls did anything.
    expect(await house.mails()).toHaveLength(mailsAfter.length);
    expect(mailsAfter.length - mailsBefore).toBeLessThanOrEqual(2);
  });
});

test("A31 what takes the place of the ended credential works at once, on another node too", async () => {
  const { person } = await settle();

  const token = (await house.send("POST", "/api/v9/me/reset_token", { session: person.session })).json();
  await expectDone(
    house.send("PUT", "/api/v9/me", {
      session: person.session,
      json: { current_password: person.password, password: newPassword },
    }),
  );

  for (const one of [house, twin]) {
    expect((await ask(one, { basic: [String(token), "api_token"] })).status).toBe(200);
    expect((await ask(one, { basic: [person.email, newPassword] })).status).toBe(200);
  }
});

/** @returns the code that takes it back */
const closeAccount = async ({ email, session }: Person): Promise<string> => {
  // So that the mail about it is the newest.
  house.clock.advance(1000);
  await expectDone(house.send("POST", "/api/me/close_account/track", { session }));
  return codeIn(await house.mailTo(email));
};

test("A31 unlocking gives password and token back, and no session that had ended; taking back gives none of them", async () => {
  const locked = await settle();
  const closed = await settle();
  const operator = house.inside.accounts.use;
  const id = await accountIdOf(house, locked.person);

  await operator.lockAccount(id, {});
  const undo = await closeAccount(closed.person);
  await operator.unlockAccount(id, {});
  await expectDone(
    house.send("POST", `/api/me/close_account/undo/${undo}`, { json: { password: "a river taken back" } }),
  );

  for (const { credentials } of [locked, closed]) {
    for (const name of ["token", "password"] as const) {
      const stays = credentials === locked.credentials ? 200 : 403;
      expect((await ask(house, credentials[name])).status, name).toBe(stays);
      expect(await statusWithinSecond(() => ask(twin, credentials[name])), name).toBe(stays);
    }
    for (const name of ["own cookie", "other cookie"] as const) {
      expect((await ask(house, credentials[name])).status, name).toBe(403);
      expect(await statusWithinSecond(() => ask(twin, credentials[name])), name).toBe(403);
    }
  }
});

test("A31 a lock stays when the owner takes a closed account back", async () => {
  const { person, credentials } = await settle();
  const operator = house.inside.accounts.use;
  const id = await accountIdOf(house, person);
  const undo = await closeAccount(person);
  await operator.lockAccount(id, {});

  expect(
    (
      await house.send("POST", `/api/me/close_account/undo/${undo}`, {
        json: { password: "a river taken back" },
      })
    ).status,
  ).toBe(400);
  await operator.unlockAccount(id, {});
  for (const name of everything) expect((await ask(house, credentials[name])).status, name).toBe(403);
});

test("A31 a node that hears of no changes any more believes the store and not its memory", async () => {
  const deaf = await house.twin();
  const { person, credentials } = await settle(house, deaf);
  await deaf.inside.store.changes.stop();

  await expectDone(house.send("POST", "/api/v9/me/reset_token", { session: person.session }));
  await expectDone(house.send("DELETE", "/api/sessions", { basic: [person.email, person.password] }));

  for (const name of ["token", "own cookie", "other cookie"] as const) {
    expect(await statusWithinSecond(() => ask(deaf, credentials[name])), name).toBe(403);
  }
  expect((await ask(deaf, credentials.password)).status).toBe(200);
});

test("A31 a session that is used without a pause is refused from the answer to its sign-out on", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { session } = await house.person();
    let ended = false;
    const late: number[] = [];
    const use = async (): Promise<void> => {
      while (late.length < 6) {
        const afterwards = ended;
        const { status } = await ask(house, { session });
        if (afterwards) late.push(status);
      }
    };
    const users = Array.from({ length: 8 }, use);
    await expectDone(house.send("DELETE", "/api/sessions", { session }));
    ended = true;
    await Promise.all(users);

    expect(new Set(late)).toEqual(new Set([403]));
  }
});
