import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { isStandardSignature, openScene, setUpWebhooks, type App, type Scene } from "../support/webhooks.ts";

/** The list of what was sent, and sending one of them once more. */

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

let receiver: Upstream;
let house: TestHouse;
beforeAll(async () => {
  receiver = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
});
afterAll(async () => {
  await stopHouses();
  await receiver.stop();
});

let scene: Scene;
let app: App;
let secret: string;
beforeEach(async () => {
  scene = await openScene(house, receiver);
  ({ app } = scene);
  secret = await setUpWebhooks(app, { primary_url: scene.hook });
});

const page = async (query = "") => {
  const { data, next } = await app.ask("GET", `/environment/webhooks/deliveries${query}`);
  return { data: listOf(data), next: z.string().nullable().parse(next) };
};

const again = (id: unknown, by = app) =>
  by.send("POST", `/environment/webhooks/deliveries/${String(id)}/redeliver`);

const codeOf = (reply: { json(): unknown }): unknown => fieldsOf(fieldsOf(reply.json())["error"])["code"];

const delivered = async (): Promise<string> => {
  await scene.tell(scene.creation());
  await scene.deliver();
  const { data } = await page();
  expect(data[0]).toMatchObject({ state: "delivered" });
  return String(data[0]?.["id"]);
};

/** What of a delivery is not shown: whether its contents are still there. */
const kept = async (): Promise<readonly boolean[]> => {
  const { rows } = await sql<{ sealed: string | null }>`select sealed from webhook_deliveries
    where environment_id = ${scene.environmentId}`.execute(house.inside.store.query);
  return rows.map(({ sealed }) => sealed !== null);
};

const chores = async (): Promise<void> => {
  await house.inside.timetable.runDue();
};

describe("the list", () => {
  test("has the newest first, in pages that hang together", async () => {
    for (let n = 0; n < 5; n++) {
      await scene.tell(scene.creation({ connectionId: `c${n}` }), scene.creation({ connectionId: `d${n}` }));
      house.clock.advance(second);
    }
    await scene.deliver();
    const all = (await page()).data.map(({ id }) => id);
    expect(all).toHaveLength(10);
    expect((await page()).next).toBeNull();
    const times = (await page()).data.map(({ created_at: at }) => String(at));
    expect(times).toEqual(times.toSorted().toReversed());

    const walked: unknown[] = [];
    let query = "?limit=3";
    for (;;) {
      const { data, next } = await page(query);
      walked.push(...data.map(({ id }) => id));
      if (next === null) break;
      query = `?limit=3&before=${next}`;
    }
    expect(walked).toEqual(all);
  });

  test("can be asked for what has come to which end", async () => {
    await delivered();
    scene.answers({ status: 410 });
    await scene.tell(scene.creation());
    await scene.deliver();
    scene.answers({ status: 500 });
    await scene.tell(scene.creation());
    await scene.deliver();

    for (const [state, status] of [
      ["delivered", 204],
      ["failed", 410],
      ["pending", 500],
    ] as const) {
      const { data } = await page(`?state=${state}`);
      expect(data).toMatchObject([{ state, last_status: status }]);
    }
    expect((await page()).data).toHaveLength(3);
  });

  test("tells nothing of what was said, and nothing of an address but its origin", async () => {
    await scene.tell(scene.creation({ webhookUrlOverride: `${scene.hook}?key=of-mine` }));
    await scene.deliver();
    const told = JSON.stringify(await page());
    expect(told).not.toContain("user@example.com");
    expect(told).not.toContain(`/${scene.environment}`);
    expect(told).not.toContain("of-mine");
  });

  test.each(["limit=0", "limit=101", "limit=ten", "limit=1&limit=2", "state=lost", "page=2", "before=%00"])(
    "refuses ?%s",
    async (query) => {
      const reply = await app.send("GET", `/environment/webhooks/deliveries?${query}`);
      expect([reply.status, codeOf(reply)]).toEqual([400, "invalid_query_params"]);
    },
  );

  test("has no page behind a delivery that there is not", async () => {
    await delivered();
    expect(await page("?before=0123456789abcdef0123456789abcdef")).toEqual({ data: [], next: null });
  });

  test("has each delivery for thirty days after its end", async () => {
    await delivered();
    house.clock.advance(30 * day);
    await chores();
    expect((await page()).data).toHaveLength(1);
    house.clock.advance(hour + 1);
    await chores();
    expect((await page()).data).toEqual([]);
  });

  test("keeps what waits, however old it is", async () => {
    scene.answers({ status: 500 });
    await scene.tell(scene.creation());
    await scene.deliver();
    house.clock.advance(60 * day);
    await chores();
    scene.answers({ status: 200 });
    await scene.deliver();
    expect((await page()).data).toMatchObject([{ state: "delivered", attempts: 2 }]);
  });
});

describe("sending once more", () => {
  test("what was delivered goes out again, the same under the same id, with the time of now", async () => {
    const id = await delivered();
    house.clock.advance(hour);
    const reply = await again(id);
    expect([reply.status, fieldsOf(reply.json())["data"]]).toEqual([
      200,
      expect.objectContaining({ id, state: "pending", attempts: 0, ended_at: null }),
    ]);
    await scene.deliver();

    const [first, repeated] = scene.arrived();
    expect(scene.arrived()).toHaveLength(2);
    expect([repeated?.id, repeated?.body]).toEqual([first?.id, first?.body]);
    expect(repeated && (await isStandardSignature(repeated.asked, secret))).toBe(true);
    expect(repeated?.asked.headers["webhook-timestamp"]).not.toBe(first?.asked.headers["webhook-timestamp"]);
    expect((await page()).data).toMatchObject([{ id, state: "delivered", attempts: 1 }]);
  });

  test("what was given up begins anew, with all its tries, at the address of now", async () => {
    scene.answers({ status: 410 });
    await scene.tell(scene.creation());
    await scene.deliver();
    const id = (await page()).data[0]?.["id"];
    await app.ask("PATCH", "/environment/webhooks", { primary_url: `${scene.hook}/mended` });
    receiver.answers(`/${scene.environment}/mended`, { status: 500 });
    await again(id);
    await scene.deliver();
    expect((await page()).data).toMatchObject([{ id, state: "pending", attempts: 1, last_status: 500 }]);

    receiver.answers(`/${scene.environment}/mended`, { status: 200 });
    house.clock.advance(5 * second);
    await scene.deliver();
    expect((await page()).data).toMatchObject([{ id, state: "delivered", attempts: 2 }]);
  });

  test("what waits does not wait any longer, and keeps count", async () => {
    scene.answers({ status: 500, headers: { "retry-after": "3600" } });
    await scene.tell(scene.creation());
    await scene.deliver();
    const id = (await page()).data[0]?.["id"];
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);

    scene.answers({ status: 200 });
    expect((await again(id)).status).toBe(200);
    await scene.deliver();
    expect((await page()).data).toMatchObject([{ id, state: "delivered", attempts: 2 }]);
  });

  test("asked for by many at once, it goes out once more for all of them, or once for each", async () => {
    const id = await delivered();
    const replies = await Promise.all(Array.from({ length: 8 }, () => again(id)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    await scene.deliver();
    expect(scene.arrived().length).toBeGreaterThanOrEqual(2);
    expect(scene.arrived().length).toBeLessThanOrEqual(9);
    expect((await page()).data).toMatchObject([{ id, state: "delivered" }]);
  });

  test("is possible for three days after the end; then what it said is erased", async () => {
    const id = await delivered();
    house.clock.advance(3 * day);
    await chores();
    expect(await kept()).toEqual([true]);
    house.clock.advance(hour + 1);
    await chores();

    expect(await kept()).toEqual([false]);
    expect((await page()).data).toMatchObject([{ id, state: "delivered", can_redeliver: false }]);
    const reply = await again(id);
    expect([reply.status, codeOf(reply)]).toEqual([410, "delivery_erased"]);
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);
    expect((await page()).data).toMatchObject([{ id, state: "delivered" }]);
  });

  test("is refused for what another environment has, as for what there is not", async () => {
    const id = await delivered();
    const elsewhere = (await openScene(house, receiver)).app;
    for (const [by, which] of [
      [elsewhere, id],
      [app, "0123456789abcdef0123456789abcdef"],
      [app, "%00"],
    ] as const) {
      const reply = await again(which, by);
      expect([reply.status, codeOf(reply)]).toEqual([404, "not_found"]);
    }
    expect(fieldsOf(await elsewhere.ask("GET", "/environment/webhooks/deliveries"))).toEqual({
      data: [],
      next: null,
    });
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);
  });
});
