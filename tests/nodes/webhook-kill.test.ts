import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, expect, test } from "vitest";
import { compose } from "#app/compose.ts";
import { openOperatorHouse } from "#app/operator.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import type { Client } from "../support/http.ts";
import {
  clearSites,
  endProcess,
  newSite,
  startProcess,
  type Running,
  type Site,
} from "../support/process.ts";
import { roundsOf } from "../support/rounds.ts";
import { whileStarted } from "../support/start-here.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { appOf, arrivedAt, creation, isStandardSignature, setUpWebhooks, tell } from "../support/webhooks.ts";

const receivers: Upstream[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});
afterAll(clearSites);

const rounds = roundsOf({ test: 3, soak: 20 });
const toldInRound = 24;

const log = createLog({ level: "silent", clock: { now: () => 0 } });

/** The last start, with a clock on which the leases of the dead have run out: what they had begun is taken up again. */
const deliverLeft = async (site: Site, receiver: Upstream): Promise<void> => {
  const clock = { now: () => Date.now() + 3_600_000 };
  const house = await compose({ ...site.config, outboundAllow: [receiver.origin] }, log, { clock });
  try {
    await house.connect.webhooks.courier.deliverDue();
  } finally {
    await house.close();
  }
};

test(
  "a process that is killed again and again while it delivers loses no webhook that was committed",
  { timeout: 60_000 + rounds * 15_000 },
  async () => {
    const receiver = await startUpstream();
    receivers.push(receiver);
    // Slow enough that a process dies with some of them on their way, before and after they were taken.
    receiver.answers("/hook", () => ({
      status: 204,
      after: wait(5 + Math.random() * 20),
    }));
    const site = await newSite({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
    let running: Running = await startProcess(site.settings);
    const hand = await openOperatorHouse(site.config, log);
    const told = new Set<string>();
    let secret: string;
    try {
      const app = await appOf({ send: (...sent) => running.send(...sent), inside: hand });
      secret = await setUpWebhooks(app, { primary_url: `${receiver.origin}/hook` });

      for (let round = 0; round < rounds; round += 1) {
        const ids = Array.from({ length: toldInRound }, () => crypto.randomUUID());
        const before = receiver.asked.length;
        for (const connectionId of ids) {
          await tell(hand, creation({ connectionId }));
          told.add(connectionId);
        }
        // The hand can't wake another process; who asks for one again does.
        const { data } = await app.ask("GET", "/environment/webhooks/deliveries?state=pending&limit=1");
        const [waiting] = listOf(data);
        if (waiting) {
          await app.ask("POST", `/environment/webhooks/deliveries/${String(waiting["id"])}/redeliver`);
        }
        // By what has arrived and not by time, so that a slow machine has as much to lose.
        const enough = before + 1 + Math.floor((toldInRound / 2) * Math.random());
        await expect
          .poll(() => receiver.asked.length, { timeout: 20_000, interval: 5 })
          .toBeGreaterThanOrEqual(enough);
        await endProcess(running, "SIGKILL");
        running = await startProcess(site.settings);
      }
      expect((await endProcess(running)).code).toBe(0);
    } finally {
      await hand.close();
    }

    await deliverLeft(site, receiver);

    const arrived = arrivedAt(receiver, "/hook");
    expect(new Set(arrived.map(({ fields }) => fields["connectionId"]))).toEqual(told);
    // What was sent twice was sent under one id, and was the same.
    const bodies = new Map(arrived.map(({ id, body }) => [id, body]));
    expect(bodies.size).toBe(told.size);
    for (const { id, body, asked } of arrived) {
      expect(body).toBe(bodies.get(id));
      expect(await isStandardSignature(asked, secret)).toBe(true);
    }

    const last = await startProcess(site.settings);
    const again = await openOperatorHouse(site.config, log);
    try {
      const app = await appOf({ send: last.send, inside: again });
      const { data } = await app.ask("GET", "/environment/webhooks/deliveries?limit=100");
      expect(new Set(listOf(data).map(({ state }) => state))).toEqual(new Set(["delivered"]));
      for (const state of ["pending", "failed"]) {
        const left = await app.ask("GET", `/environment/webhooks/deliveries?state=${state}`);
        expect(fieldsOf(left)).toEqual({ data: [], next: null });
      }
    } finally {
      await again.close();
      await endProcess(last);
    }
  },
);

test("a server that is told to end does so while an app hangs, and the app is told after the next start", async () => {
  const receiver = await startUpstream();
  receivers.push(receiver);
  receiver.answers("/hook", { instead: "hang" });
  const site = await newSite({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
  const tellOnce = async ({ send }: Client): Promise<void> => {
    const hand = await openOperatorHouse(site.config, log);
    try {
      const app = await appOf({ send, inside: hand });
      await setUpWebhooks(app, { primary_url: `${receiver.origin}/hook` });
      await tell(hand, creation());
      await expect.poll(() => arrivedAt(receiver, "/hook").length, { timeout: 20_000 }).toBe(1);
    } finally {
      await hand.close();
    }
  };
  await whileStarted(site.settings, tellOnce, { longestTellingMs: 100 });

  receiver.answers("/hook", { status: 200 });
  await deliverLeft(site, receiver);
  const [first, second, ...others] = arrivedAt(receiver, "/hook");
  expect(others).toEqual([]);
  expect(second).toMatchObject({ id: first?.id, body: first?.body });
});
