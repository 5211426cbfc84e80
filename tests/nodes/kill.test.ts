import { readdir } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { compose } from "#app/compose.ts";
import type { Store } from "#kernel/db/store.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { acknowledgements, newLedger, recheck, settle, useServer, type Entry } from "../support/ledger.ts";
import { readOutbox } from "../support/mails.ts";
import {
  clearSites,
  endProcess,
  newSite,
  startProcess,
  type Running,
  type Site,
} from "../support/process.ts";
import { roundsOf } from "../support/rounds.ts";

afterAll(clearSites);

const rounds = roundsOf({ test: 8, soak: 40 });
const users = 4;
const kinds = ["sign-up", "sign-in", "sign-out", "token", "password"];

const unlimited = {
  LATCHKEY_SIGN_UPS: "1000000",
  LATCHKEY_MAILS: "1000000",
  LATCHKEY_PASSWORD_TRIES: "100",
  LATCHKEY_NETWORK_TRIES: "1000000",
  LATCHKEY_RATE: "1000000",
  LATCHKEY_BURST: "1000000",
};

/** Numbers that look like chance and are the same in each run, so that a failure can be looked at again. */
const numbersFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

/** Some at a time: the right passwords of all of them have to be hashed. */
const settleAll = async (running: Running, entries: readonly Entry[]): Promise<void> => {
  const left = [...entries];
  const lane = async (): Promise<void> => {
    for (let entry = left.pop(); entry; entry = left.pop()) await settle(running, entry);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
};

type Count = { readonly count: number | string };

const countIn = async (store: Store, query: ReturnType<typeof sql<Count>>): Promise<number> =>
  Number((await query.execute(store.query)).rows[0]?.count);

const expectNothingHalfMade = async (store: Store): Promise<void> => {
  const without: Readonly<Record<string, ReturnType<typeof sql<Count>>>> = {
    token: sql`select count(*) as count from accounts where id not in (select account_id from api_tokens)`,
    organization: sql`select count(*) as count from accounts where id not in (select owner_id from organizations)`,
    workspace: sql`select count(*) as count from organizations where id not in (select organization_id from workspaces)`,
    "profile that names its workspace": sql`select count(*) as count from accounts where id not in (
      select account_id from track_profiles join workspaces on workspaces.id = default_workspace_id
      join organizations on organizations.id = organization_id and owner_id = account_id)`,
    "code for its address": sql`select count(*) as count from accounts where id not in (
      select account_id from mail_codes where purpose = 'verify_email')`,
    "trace of its making": sql`select count(*) as count from accounts where id not in (
      select account_id from audit_events where event = 'sign_up' and outcome = 'done')`,
  };
  for (const [what, query] of Object.entries(without)) {
    expect(await countIn(store, query), `accounts without ${what}`).toBe(0);
  }
  if (store.kind === "sqlite") {
    expect((await sql`pragma integrity_check`.execute(store.query)).rows).toEqual([
      { integrity_check: "ok" },
    ]);
    expect((await sql`pragma foreign_key_check`.execute(store.query)).rows).toEqual([]);
  }
};

/** The last start, with a clock on which the leases of the dead have run out: what they had begun is taken up again. */
const deliverAll = async (site: Site, work: (store: Store) => Promise<void>): Promise<void> => {
  const clock = { now: () => Date.now() + 3_600_000 };
  const house = await compose(site.config, createLog({ level: "silent", clock }), { clock });
  try {
    await house.courier.deliverDue();
    expect(await countIn(house.store, sql`select count(*) as count from mail_queue`)).toBe(0);
    await work(house.store);
  } finally {
    await house.close();
  }
};

test(
  "a process that is killed again and again under load loses nothing that it acknowledged, and leaves nothing by half",
  { timeout: 120_000 + rounds * 15_000 },
  async () => {
    const site = await newSite(unlimited);
    const ledger = newLedger();
    const chance = numbersFrom(20_261_121);
    const accounts = Array.from({ length: users }, (): Entry[] => []);
    let running = await startProcess(site.settings);
    for (let round = 0; round < rounds; round += 1) {
      const client = running;
      const load = accounts.map((mine) => useServer(client, ledger, { mine, choose: chance }));
      // By what was done and not by time, so that a slow machine has as much to lose: of each kind, too.
      const enough = acknowledgements(ledger) + 4 + Math.floor(chance() * 10);
      const isEnough = (): boolean =>
        acknowledgements(ledger) > enough &&
        kinds.every((kind) => (ledger.acknowledged.get(kind) ?? 0) > (round + 1) / 4);
      await expect.poll(isEnough, { timeout: 60_000, interval: 5 }).toBe(true);
      await wait(chance() * 25);
      await endProcess(running, "SIGKILL");
      await Promise.all(load);

      running = await startProcess(site.settings);
      await settleAll(
        running,
        ledger.entries.filter(({ touched }) => touched),
      );
    }
    expect(ledger.surprises).toEqual([]);
    // What was acknowledged long ago has survived the later deaths too.
    for (const entry of ledger.entries) await recheck(running, entry);
    await settleAll(
      running,
      ledger.entries.filter((_, index) => index % 5 === 0),
    );
    expect((await endProcess(running)).code).toBe(0);

    const there = ledger.entries.filter(({ signedUp }) => signedUp);
    await deliverAll(site, async (store) => {
      await expectNothingHalfMade(store);
      expect(await countIn(store, sql`select count(*) as count from accounts`)).toBe(there.length);
      const mails = await readOutbox(site.outbox);
      const names = await readdir(site.outbox);
      expect(names.filter((name) => !name.endsWith(".eml"))).toEqual([]);
      const told = (to: string, subject: RegExp): number =>
        mails.filter((mail) => mail.to === to && subject.test(mail.subject)).length;
      let changes = 0;
      let tokens = 0;
      for (const { email, passwordChanges } of there) {
        expect(told(email, /^Confirm your e-mail address$/), `mails to verify ${email}`).toBe(1);
        expect(told(email, /password was changed/), `mails on changes to ${email}`).toBeGreaterThanOrEqual(
          passwordChanges,
        );
        changes += told(email, /password was changed/);
        tokens += told(email, /token was replaced/);
      }
      const audited = sql<Count>`select count(*) as count from audit_events where event = 'password_changed'`;
      expect(changes).toBe(await countIn(store, audited));
      // Of one account, five an hour at the most.
      const replaced = sql<Count>`select count(*) as count from audit_events where event = 'token_replaced'`;
      expect(tokens).toBeLessThanOrEqual(await countIn(store, replaced));
      expect(mails).toHaveLength(there.length + changes + tokens);
    });
  },
);
