import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { Tx } from "#kernel/db/store.ts";
import {
  confirmEmail,
  confirmReset,
  mailedCode,
  requestReset,
  resetCode,
  signIn,
  subjects,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";

// What a call knows of an account when it begins may be of yesterday when it comes to change it: another process was
// faster, and this one has not heard of it, or has to wait for it.

let house: TestHouse;
let person: Person;
let id: number;
beforeAll(async () => {
  house = await startHouse(roomy);
});
beforeEach(async () => {
  person = await house.person();
  id = Number((await house.send("GET", "/api/v9/me/id", { session: person.session })).json());
});
afterAll(stopHouses);

describe("A31 a lock that this process has not heard of yet", () => {
  /** Behind the back of everything that would announce it, as another process does it for a moment. */
  const lockUnheard = async (): Promise<void> => {
    const { email, password, session } = person;
    for (const sent of [{ basic: [email, password] }, { session }] satisfies Sent[]) {
      expect((await house.send("GET", "/api/v9/me", sent)).status).toBe(200);
    }
    await sql`update accounts set locked_at = ${house.clock.now()} where id = ${id}`.execute(
      house.inside.store.query,
    );
  };

  const everything = async (): Promise<unknown> => {
    const { rows } = await sql`
      select accounts.email, display_name, password_hash, closed_at, digest from accounts
      join api_tokens on account_id = accounts.id where accounts.id = ${id}`.execute(
      house.inside.store.query,
    );
    return rows[0];
  };

  const doings: Readonly<Record<string, () => Promise<Reply>>> = {
    "a new name": () =>
      house.send("PUT", "/api/v9/me", { session: person.session, json: { fullname: "Somebody Else" } }),
    "a new password": () =>
      house.send("PUT", "/api/v9/me", {
        session: person.session,
        json: { current_password: person.password, password: "another river at dusk" },
      }),
    "a new token": () => house.send("POST", "/api/v9/me/reset_token", { session: person.session }),
    "a move to another address": () =>
      house.send("POST", "/api/me/email_change/request", {
        session: person.session,
        json: { email: `moving-${person.email}`, current_password: person.password },
      }),
    "an end of such a move": () =>
      house.send("DELETE", "/api/me/email_change", { basic: [person.email, person.password] }),
    "a close": () => house.send("POST", "/api/me/close_account/track", { session: person.session }),
    "a sign-in": () => signIn(house, person.email, person.password),
  };

  test.for(Object.entries(doings))("holds against %s", async ([, doing]) => {
    await lockUnheard();
    const before = await everything();

    const reply = await doing();

    expect([reply.status, reply.cookies]).toEqual([403, []]);
    expect(await everything()).toEqual(before);
  });
});

// On SQLite a writer waits before it reads anything.
const store = inject("store");

describe.for(store.kind === "postgres" ? [store] : [])(
  "A31 behind a transaction that holds the account",
  () => {
    const waiting = async (): Promise<number> => {
      const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(house.inside.store.query);
      return rows.length;
    };

    const behind = async (
      change: (query: Tx["query"]) => Promise<unknown>,
      call: () => Promise<Reply>,
    ): Promise<Reply> => {
      const [called] = await house.inside.store.transaction(async ({ query }) => {
        await sql`select 1 from accounts where id = ${id} for update`.execute(query);
        const reply = call();
        await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
        await change(query);
        // In a list: the transaction ends before the call does.
        return [reply];
      });
      return called;
    };

    const lock = (query: Tx["query"]) =>
      sql`update accounts set locked_at = ${house.clock.now()} where id = ${id}`.execute(query);

    const row = async () => {
      const { rows } = await sql<{ password_hash: string; email_verified_at: number | null }>`
      select password_hash, email_verified_at from accounts where id = ${id}`.execute(
        house.inside.store.query,
      );
      return rows[0];
    };

    test("that moves it away, no code is mailed to the old address", async () => {
      const moved = `moved-${person.email}`;
      const move = (query: Tx["query"]) =>
        sql`update accounts set email = ${moved}, email_canonical = ${moved} where id = ${id}`.execute(query);

      const reply = await behind(move, () => requestReset(house, person.email));

      expect([reply.status, reply.text]).toEqual([200, '{"success":true}']);
      expect(
        (await house.mails()).filter(({ to, subject }) => to === person.email && subject === subjects.reset),
      ).toEqual([]);
    });

    test("that locks it, no address is verified", async () => {
      const code = await mailedCode(house, person.email, "verify");

      expect((await behind(lock, () => confirmEmail(house, code))).status).toBe(400);
      expect((await row())?.email_verified_at).toBeNull();
    });

    test("that locks it, no password is set", async () => {
      const code = await resetCode(house, person.email);
      const before = await row();
      const reply = await behind(lock, () => confirmReset(house, code, "another river at dusk"));

      expect([reply.status, reply.cookies]).toEqual([400, []]);
      expect(await row()).toEqual(before);
    });
  },
);
