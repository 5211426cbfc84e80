import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, expect, test } from "vitest";
import { openOperatorHouse } from "#app/operator.ts";
import { sealedColumns } from "#app/sealed-columns.ts";
import { removeRootKey } from "#kernel/crypto/root-keys/root-key-removal.ts";
import { registeredKeys, sealingKey } from "#kernel/crypto/root-keys/root-key-registry.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { connectClient, done } from "../support/connect.ts";
import { dumpStore } from "../support/dump.ts";
import { sessionOf, type Client } from "../support/http.ts";
import { byToken, newHolder, toggl, type Holder } from "../support/link-scene.ts";
import { connectSession } from "../support/connect.ts";
import { readOutbox } from "../support/mails.ts";
import { besides, clearSites, endProcess, newSite, runToEnd, startProcess } from "../support/process.ts";
import { roundsOf } from "../support/rounds.ts";
import { beginRootKeys, leaningIn, rootKeys } from "../support/rotation.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const upstreams: Upstream[] = [];
afterEach(async () => {
  for (const upstream of upstreams.splice(0)) await upstream.stop();
});
afterAll(clearSites);

const log = createLog({ level: "silent", clock: { now: () => 0 } });
const password = "a quiet river at noon";

type Member = { readonly email: string; readonly token: string; readonly session: string };
type Link = { readonly connection: string; readonly token: string };

const rounds = Array.from({ length: roundsOf({ test: 1, soak: 4 }) }, (_, index) => index + 1);

test.each(rounds)(
  "A49 while two servers are used, a rotation that is killed twice comes to its end: nothing is lost, nothing shut, and the old key goes (%i)",
  { timeout: 240_000 },
  async () => {
    const provider = await startUpstream();
    upstreams.push(provider);
    const known = new Map<string, Holder>();
    provider.answers("/api/v9/me", (asked) => toggl(...known.values())(asked));
    provider.answers("/hook", { status: 204 });
    const site = await newSite({
      LATCHKEY_OUTBOUND_ALLOW: provider.origin,
      LATCHKEY_SIGN_UPS: "100000",
      LATCHKEY_MAILS: "100000",
      LATCHKEY_NETWORK_TRIES: "100000",
      LATCHKEY_RATE: "100000",
      LATCHKEY_BURST: "100000",
    });
    const servers = [await startProcess(site.settings), await startProcess(await besides(site))] as const;
    const hand = await openOperatorHouse(site.config, log);
    const key = (await hand.connect.use.createEnvironmentKey({ environment: "dev" })).key.reveal();
    const app = (at: Client) => connectClient(at, key);
    try {
      await done(
        app(servers[0]).post("/integrations", {
          provider: "toggl",
          unique_key: "toggl",
          integration_config: { base_url: provider.origin },
        }),
      );
      await done(app(servers[0]).patch("/environment/webhooks", { primary_url: `${provider.origin}/hook` }));

      const members: Member[] = [];
      const links: Link[] = [];
      const surprises: string[] = [];
      let uses = 0;
      const expectWell = (
        what: string,
        reply: { readonly status: number; readonly text: string },
        has = "",
      ) => {
        uses += 1;
        if (reply.status !== 200 || !reply.text.includes(has)) {
          surprises.push(`${what}: ${reply.status} ${reply.text}`);
        }
      };

      const join = async (at: Client): Promise<void> => {
        const email = `member${members.length}-${crypto.randomUUID().slice(0, 8)}@example.com`;
        const reply = await at.send("POST", "/api/signup", {
          json: { email, password, tos_accepted_for: "track" },
        });
        const session = sessionOf(reply) ?? "";
        const me = await at.send("GET", "/api/v9/me", { session });
        expectWell("sign-up", me, email);
        members.push({ email, session, token: String(fieldsOf(me.json())["api_token"]) });
      };
      const link = async (at: Client): Promise<void> => {
        const holder = newHolder();
        known.set(holder.token, holder);
        const session = await connectSession(app(at));
        const to = `/api-auth/basic/toggl?connect_session_token=${session}`;
        const reply = await at.send("POST", to, byToken(holder));
        expectWell("link", reply);
        links.push({ connection: String(fieldsOf(reply.json())["connectionId"]), token: holder.token });
      };
      const useMember = async (at: Client, { email, token, session }: Member): Promise<void> => {
        expectWell("token", await at.send("GET", "/api/v9/me", { basic: [token, "api_token"] }), token);
        expectWell("session", await at.send("GET", "/api/v9/me", { session }), token);
        const signIn = await at.send("POST", "/api/sessions", { json: { email, password } });
        expectWell("sign-in", signIn);
        expectWell("new session", await at.send("GET", "/api/v9/me", { session: sessionOf(signIn) }), email);
      };
      const useLink = async (at: Client, { connection, token }: Link): Promise<void> => {
        const path = `/connections/${connection}?provider_config_key=toggl`;
        expectWell("credentials", await app(at).get(path), token);
        const headers = { "connection-id": connection, "provider-config-key": "toggl" };
        expectWell("proxy", await app(at).send("GET", "/proxy/api/v9/me", { headers }), token);
      };

      /** Enough for a rotation to be in the middle of it. */
      const bring = async (count: number): Promise<void> => {
        for (let made = 0; made < count; made += 1) {
          const holder = newHolder();
          known.set(holder.token, holder);
          const credentials = { type: "BASIC", username: holder.token, password: "api_token" };
          const reply = await app(servers[made % 2 ? 1 : 0]).post("/connections", {
            provider_config_key: "toggl",
            credentials,
            verify: false,
          });
          expectWell("import", { ...reply, status: reply.status === 201 ? 200 : reply.status });
          links.push({ connection: String(fieldsOf(reply.json())["connection_id"]), token: holder.token });
        }
      };
      await Promise.all(servers.map(join));
      await Promise.all([bring(60), bring(60)]);

      let isOver = false;
      const load = servers.flatMap((at, node) => [
        (async () => {
          while (!isOver) {
            await join(at);
            const [member] = members.slice(-1 - node);
            if (member) await useMember(at, member);
            // Sign-ups and sign-ins cost a hash each; the command wants a turn too.
            await wait(100);
          }
        })(),
        (async () => {
          for (let turn = 0; !isOver; turn += 1) {
            await link(at);
            const other = links[(turn * 37) % links.length];
            if (other) await useLink(servers[turn % 2 ? 1 : 0], other);
            await wait(10);
          }
        })(),
      ]);

      const before = sealingKey(await registeredKeys(hand.store.query))?.id ?? "";
      const current = async () => sealingKey(await registeredKeys(hand.store.query));
      /** Runs the command until that is so, and kills it then. */
      const killWhen = async (isSo: () => Promise<boolean>): Promise<void> => {
        const rotating = beginRootKeys(site.settings, "rotate");
        while (!rotating.isOver() && !(await isSo())) await wait(1);
        await rotating.kill();
      };
      await killWhen(async () => (await registeredKeys(hand.store.query)).length === 2);
      expect((await current())?.id).toBe(before);
      await killWhen(async () => (await current())?.id !== before);
      const half = await current();
      expect(half?.settled_at).toBeNull();
      expect((await leaningIn(hand.store)).has(before)).toBe(true);
      const early = removeRootKey({ ...hand, columns: sealedColumns }, before, async () => undefined);
      await expect(early).rejects.toThrow(/^Not everything is wrapped by/);

      const resumed = await rootKeys(site.settings, "rotate", "--json");
      expect(resumed).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(resumed.out)).toMatchObject({
        id: half?.id,
        resumed: true,
        former: [before],
        stuck: [],
      });
      const removed = await rootKeys(site.settings, "remove", before, "--json");
      expect(removed).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(removed.out)).toMatchObject({ removed: true, dropped: true });

      isOver = true;
      await Promise.all(load);
      expect(surprises).toEqual([]);
      expect(uses).toBeGreaterThan(200);
      expect([...(await leaningIn(hand.store)).keys()]).toEqual([half?.id]);
      for (const server of servers) {
        expect(server.err() + server.out()).not.toMatch(/root_key|vault_record|UnsealError|"level":"error"/);
        expect((await endProcess(server)).code).toBe(0);
      }

      // Who has only the old key does not even start; the text of no record was left under it.
      expect((await dumpStore(site.config)).includes(`v1:${before}:`)).toBe(false);
      const again = await startProcess(site.settings);
      await Promise.all(members.slice(0, 4).map((member) => useMember(again, member)));
      for (const { token } of members) {
        expectWell("token", await again.send("GET", "/api/v9/me", { basic: [token, "api_token"] }), token);
      }
      for (const { connection, token } of links) {
        const path = `/connections/${connection}?provider_config_key=toggl`;
        expectWell("credentials", await app(again).get(path), token);
      }
      expect(surprises).toEqual([]);
      const welcomed = async () => {
        const mails = await readOutbox(site.outbox);
        return members.filter(({ email }) => mails.filter(({ to }) => to === email).length === 1).length;
      };
      await expect.poll(welcomed, { timeout: 15_000 }).toBe(members.length);
      const told = () => provider.asked.filter(({ path }) => path === "/hook").length;
      await expect.poll(told, { timeout: 15_000 }).toBeGreaterThanOrEqual(links.length - 120);
      await endProcess(again);
      const old = {
        ...site.settings,
        LATCHKEY_ROOT_KEYS: `${before}:${Buffer.alloc(32).toString("base64")}`,
      };
      expect((await runToEnd(old)).err).toContain(`needs root key ${half?.id}`);
    } finally {
      await hand.close();
    }
  },
);
