import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, expect, test } from "vitest";
import { openOperatorHouse, type OperatorHouse } from "#app/operator.ts";
import { sha256Hex } from "#kernel/crypto/digest.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { connectClient, connectSession, done } from "../support/connect.ts";
import { byToken, newHolder, toggl, type Holder } from "../support/link-scene.ts";
import { clearSites, endProcess, newSite, startProcess, type Running } from "../support/process.ts";
import { roundsOf } from "../support/rounds.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const receivers: Upstream[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});
afterAll(clearSites);

const rounds = roundsOf({ test: 3, soak: 12 });
const lanes = 4;

const log = createLog({ level: "silent", clock: { now: () => 0 } });

/** What a person knows of one attempt to link an account. */
type Attempt = {
  readonly session: string;
  readonly holder: Holder;
  /** To link anew; undefined for a first time. */
  readonly anew: string | undefined;
  /** The connection, when the server said that it is linked. */
  linked: string | undefined;
};

type Row = {
  readonly id: number;
  readonly connection_id: string;
  readonly account_id: string;
  readonly state: string;
  readonly sealed_version: number;
};

const countOf = async (hand: OperatorHouse, query: ReturnType<typeof sql<{ count: number | string }>>) =>
  Number((await query.execute(hand.store.query)).rows[0]?.count);

test(
  "a process that is killed again and again while people link accounts loses no link that it acknowledged, and leaves nothing by half",
  { timeout: 60_000 + rounds * 20_000 },
  async () => {
    const provider = await startUpstream();
    receivers.push(provider);
    const known = new Map<string, Holder>();
    // Slow enough that a process dies before, while and after the provider is asked.
    provider.answers("/api/v9/me", (asked) => ({
      ...toggl(...known.values())(asked),
      after: wait(Math.random() * 15),
    }));
    provider.answers("/hook", { status: 204 });
    const site = await newSite({ LATCHKEY_OUTBOUND_ALLOW: provider.origin, LATCHKEY_LOG_LEVEL: "warn" });
    let running: Running = await startProcess(site.settings);
    const hand = await openOperatorHouse(site.config, log);
    const key = (await hand.connect.use.createEnvironmentKey({ environment: "dev" })).key.reveal();
    const attempts: Attempt[] = [];
    const app = () => connectClient(running, key);
    const surprises: string[] = [];
    try {
      await done(
        app().post("/integrations", {
          provider: "toggl",
          unique_key: "toggl",
          integration_config: { base_url: provider.origin },
        }),
      );
      await done(
        app().send("PATCH", "/environment/webhooks", { json: { primary_url: `${provider.origin}/hook` } }),
      );

      /** One account after the other, each second one anew, until the server does not answer any more. */
      const link = async (at: Running): Promise<void> => {
        const mine = connectClient(at, key);
        let last: Attempt | undefined;
        try {
          for (let count = 0; ; count += 1) {
            const anew = count % 2 === 1 ? last?.linked : undefined;
            const holder = anew && last ? { ...newHolder(), id: last.holder.id } : newHolder();
            known.set(holder.token, holder);
            const session =
              anew === undefined
                ? await connectSession(mine)
                : String(
                    fieldsOf(
                      (
                        await done(
                          mine.post("/connect/sessions/reconnect", {
                            connection_id: anew,
                            integration_id: "toggl",
                          }),
                        )
                      )["data"],
                    )["token"],
                  );
            last = { session, holder, anew, linked: undefined };
            attempts.push(last);
            const reply = await at.send(
              "POST",
              `/api-auth/basic/toggl?connect_session_token=${session}`,
              byToken(holder),
            );
            if (reply.status === 200) last.linked = String(fieldsOf(reply.json())["connectionId"]);
            else surprises.push(`${reply.status} ${reply.text}`);
          }
        } catch {
          // It was killed.
        }
      };

      for (let round = 0; round < rounds; round += 1) {
        const before = attempts.filter(({ linked }) => linked !== undefined).length;
        const at = running;
        const load = Array.from({ length: lanes }, () => link(at));
        // More than there are lanes: then somebody has linked anew.
        const enough = before + lanes + 1 + Math.floor(Math.random() * 6);
        await expect
          .poll(() => attempts.filter(({ linked }) => linked !== undefined).length, {
            timeout: 20_000,
            interval: 3,
          })
          .toBeGreaterThanOrEqual(enough);
        await wait(Math.random() * 20);
        await endProcess(running, "SIGKILL");
        await Promise.all(load);
        running = await startProcess(site.settings);
      }
      expect(surprises).toEqual([]);

      const rows = (
        await sql<Row>`select id, connection_id, account_id, state, sealed_version from connections`.execute(
          hand.store.query,
        )
      ).rows;
      const byId = new Map(rows.map((row) => [row.connection_id, row]));
      const acknowledged = attempts.filter(({ linked }) => linked !== undefined);
      expect(acknowledged.length).toBeGreaterThan(rounds * lanes);
      expect(acknowledged.some(({ anew }) => anew !== undefined)).toBe(true);
      expect(acknowledged.length).toBeLessThan(attempts.length);

      // Every connection opens, and is of somebody who tried; of those that were acknowledged none is gone.
      const tokens = new Map<string, string>();
      for (const { connection_id: id, state } of rows) {
        const { credentials, account } = await done(
          app().get(`/connections/${id}?provider_config_key=toggl`),
        );
        const token = String(fieldsOf(credentials)["username"]);
        tokens.set(id, token);
        expect(state).toBe("live");
        expect(fieldsOf(account)["id"]).toBe(String(known.get(token)?.id));
      }
      for (const attempt of attempts) {
        const { session, holder, anew, linked } = attempt;
        const { rows: sessions } = await sql<{ finished: number | null }>`
          select finished_at as finished from connect_sessions where digest = ${sha256Hex(session)}`.execute(
          hand.store.query,
        );
        const isFinished = sessions[0]?.finished !== null;
        const later = attempts.some((one) => one !== attempt && one.anew === (linked ?? anew));
        if (linked !== undefined) {
          expect(isFinished).toBe(true);
          expect(byId.has(linked)).toBe(true);
          if (!later) expect(tokens.get(linked)).toBe(holder.token);
        }
        // Without an acknowledgement it was linked as a whole, or not at all; never finished for nothing.
        if (linked === undefined && anew === undefined) {
          const made = rows.filter(({ account_id: account }) => account === String(holder.id));
          expect(made).toHaveLength(isFinished ? 1 : 0);
        }
        if (linked === undefined && anew !== undefined) {
          expect(tokens.get(anew) === holder.token).toBe(isFinished);
        }
        // A link that was not used up is good for another try.
        if (!isFinished) {
          const again = await done(
            running.send("POST", `/api-auth/basic/toggl?connect_session_token=${session}`, byToken(holder)),
          );
          expect(fieldsOf(again["account"])["id"]).toBe(String(holder.id));
        }
      }

      // Each link left one trace, and one webhook to be delivered.
      const links = attempts.length;
      expect(
        await countOf(
          hand,
          sql`select count(*) as count from audit_events where event in ('connection_linked', 'connection_linked_anew')`,
        ),
      ).toBe(links);
      expect(
        await countOf(
          hand,
          sql`select count(*) as count from webhook_deliveries
            where event in ('connection.created', 'connection.reconnected')`,
        ),
      ).toBe(links);
      expect(listOf((await done(app().get("/connections?limit=1")))["connections"])).toHaveLength(1);
      if (hand.store.kind === "sqlite") {
        expect((await sql`pragma integrity_check`.execute(hand.store.query)).rows).toEqual([
          { integrity_check: "ok" },
        ]);
        expect((await sql`pragma foreign_key_check`.execute(hand.store.query)).rows).toEqual([]);
      }
      expect((await endProcess(running)).code).toBe(0);
    } finally {
      await hand.close();
    }
  },
);
