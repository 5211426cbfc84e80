import { hash } from "@node-rs/argon2";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { resetCode, subjects } from "../support/attacks.ts";
import { hashedDuring, whileHashing } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Reply, type Sent } from "../support/http.ts";

// A hash takes its time, and others act meanwhile. What was proved before the wait must hold when it is acted upon: each
// of these holds the hash by hand, lets something happen, and lets go.

let house: TestHouse;
beforeAll(async () => {
  // Room beside the hash that is held, however few cores the machine has.
  house = await startHouse({ ...roomy, LATCHKEY_HASHES: "4" });
});
afterAll(stopHouses);

const chosenMeanwhile = "a different river at dawn";
const wanted = "a third river at midnight";

let person: Person;
let id: number;
let otherSession: string;
beforeEach(async () => {
  person = await house.person();
  id = Number((await house.send("GET", "/api/v9/me/id", { session: person.session })).json());
  otherSession = String(sessionOf(await signIn(person.password)));
});

const signIn = (password: string): Promise<Reply> =>
  house.send("POST", "/api/sessions", { json: { email: person.email, password } });
const askMe = (password: string): Promise<Reply> =>
  house.send("GET", "/api/v9/me", { basic: [person.email, password] });
const change = (json: object, session = person.session): Promise<Reply> =>
  house.send("PUT", "/api/v9/me", { session, json: { current_password: person.password, ...json } });

const expectStatus = async (reply: Promise<Reply>, status: number): Promise<void> => {
  const { status: got, text } = await reply;
  expect([got, text]).toEqual([status, text]);
};

type Event = {
  readonly name: string;
  readonly happens: () => Promise<void>;
  /** The password that opens the account afterwards. */
  readonly opens?: string;
};

const events: readonly Event[] = [
  {
    name: "the password is changed",
    happens: () => expectStatus(change({ password: chosenMeanwhile }, otherSession), 200),
    opens: chosenMeanwhile,
  },
  {
    name: "the account is closed",
    happens: () =>
      expectStatus(house.send("POST", "/api/me/close_account/track", { session: otherSession }), 200),
  },
  { name: "the account is locked", happens: () => house.inside.accounts.use.lockAccount(id, {}) },
];

/** Only what happened meanwhile has happened. */
const expectOnly = async ({ opens }: Event): Promise<void> => {
  for (const password of [person.password, wanted, chosenMeanwhile]) {
    const status = password === opens ? 200 : 403;
    expect([password, (await askMe(password)).status]).toEqual([password, status]);
    expect([password, (await signIn(password)).status]).toEqual([password, status]);
  }
};

describe.for(events)("A31 while a password is hashed, $name", (event) => {
  test("and no session is issued", async () => {
    const reply = await whileHashing(() => signIn(person.password), event.happens);

    expect([reply.status, reply.cookies]).toEqual([403, []]);
    await expectOnly(event);
  });

  test("and the pair opens nothing, then or in the minute after it", async () => {
    const reply = await whileHashing(() => askMe(person.password), event.happens);
    const next = await hashedDuring(() => expectStatus(askMe(person.password), 403));

    expect([reply.status, next.length]).toEqual([403, 1]);
    await expectOnly(event);
  });

  test.for([1, 2])("and no new password is taken for it (hash %d)", async (which) => {
    const reply = await whileHashing(() => change({ password: wanted }), event.happens, which);

    expect([reply.status, reply.cookies]).toEqual([403, []]);
    await expectOnly(event);
  });

  test("and the address stays", async () => {
    const email = `moved-${person.email}`;
    const reply = await whileHashing(() => change({ email }), event.happens);

    expect(reply.status).toBe(403);
    expect(await house.mailTo(email)).toBeUndefined();
    await expectOnly(event);
  });

  test("and no move to another address is begun", async () => {
    const email = `moving-${person.email}`;
    const { session, password } = person;
    const ask = () =>
      house.send("POST", "/api/me/email_change/request", {
        session,
        json: { email, current_password: password },
      });

    const reply = await whileHashing(ask, event.happens);

    expect(reply.status).toBe(403);
    expect(await house.mailTo(email)).toBeUndefined();
    await expectOnly(event);
  });

  test("and a code that was right sets no password", async () => {
    const code = await resetCode(house, person.email);
    const confirm = () =>
      house.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password: wanted } });

    const reply = await whileHashing(confirm, event.happens);

    expect([reply.status, reply.cookies]).toEqual([400, []]);
    await expectOnly(event);
  });
});

test("A31 an old password that is hashed anew does not come back over the new one", async () => {
  const weak = await hash(person.password, { memoryCost: 32, timeCost: 1, parallelism: 1 });
  await sql`update accounts set password_hash = ${weak} where id = ${id}`.execute(house.inside.store.query);
  const [changed] = events;
  if (!changed) throw new Error("No event");

  // The second hash is the one that is to be kept.
  const reply = await whileHashing(() => signIn(person.password), changed.happens, 2);

  expect([reply.status, reply.cookies]).toEqual([403, []]);
  await expectOnly(changed);
});

test("A31 of two codes of a reset the newer one counts, though the older was right when its hash began", async () => {
  const older = await resetCode(house, person.email);
  // A code that is good is mailed again, and lives on; the next request after its first lifetime makes another.
  house.clock.advance(29 * minute);
  expect(await resetCode(house, person.email)).toBe(older);
  house.clock.advance(2 * minute);
  const confirm = (code: string, password: string) =>
    house.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password } });

  let newer = "";
  house.clock.advance(1);
  const reply = await whileHashing(
    () => confirm(older, wanted),
    async () => {
      newer = await resetCode(house, person.email);
    },
  );

  expect([reply.status, reply.cookies]).toEqual([400, []]);
  await expectStatus(confirm(newer, chosenMeanwhile), 200);
  await expectOnly({ name: "", happens: async () => undefined, opens: chosenMeanwhile });
  expect((await house.mails()).filter(({ to }) => to === person.email).map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([subjects.reset, "Your password was changed"]),
  );
});

describe("A06 a server that is too busy to hash", () => {
  const busyRound = async (at: TestHouse, { email, session }: Person, round: number): Promise<void> => {
    const wrong = (index: number): string => `wrong ${round} ${index}`;
    const indices = Array.from({ length: 6 }, (_, index) => index);
    const asks = indices.flatMap((index): readonly Promise<Reply>[] => {
      const json: Sent["json"] = { current_password: wrong(index), password: wanted };
      return [
        index % 2 === 0
          ? at.send("POST", "/api/sessions", { json: { email, password: wrong(index) } })
          : at.send("GET", "/api/v9/me", { basic: [email, wrong(index)] }),
        at.send("PUT", "/api/v9/me", { session, json }),
      ];
    });
    for (const reply of await Promise.all(asks)) {
      expect([reply.status, reply.headers["retry-after"], reply.text]).toEqual([503, "1", reply.text]);
    }
  };

  test("counts nothing as a wrong password: the right one is let in however often it was turned away", async () => {
    const narrow = await startHouse({ LATCHKEY_HASHES: "1" });
    const [holder, someone] = [await narrow.person(), await narrow.person()];
    const { email, password, session } = someone;

    await whileHashing(
      () => narrow.send("GET", "/api/v9/me", { basic: [holder.email, holder.password] }),
      async () => {
        // Ten wrong ones in a row would be followed by a wait.
        for (const round of [1, 2]) await busyRound(narrow, someone, round);
      },
    );

    expect((await narrow.send("POST", "/api/sessions", { json: { email, password } })).status).toBe(200);
    const json = { current_password: password, password: wanted };
    expect((await narrow.send("PUT", "/api/v9/me", { session, json })).status).toBe(200);
    expect((await narrow.send("GET", "/api/v9/me", { basic: [email, wanted] })).status).toBe(200);
  });
});
