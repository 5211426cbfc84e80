import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import {
  isOriginalSignature,
  isStandardSignature,
  openScene,
  setUpWebhooks,
  type App,
  type Scene,
} from "../support/webhooks.ts";

/** How a webhook gets to where it should: at once, or tried again while the receiver is down. */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A port that nobody listens on. */
let nowhere: string;
let receiver: Upstream;
let house: TestHouse;
beforeAll(async () => {
  receiver = await startUpstream();
  const closed = await startUpstream();
  nowhere = closed.origin;
  await closed.stop();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: `${receiver.origin},${nowhere}` });
});
afterAll(async () => {
  await stopHouses();
  await receiver.stop();
});

let scene: Scene;
let app: App;
beforeEach(async () => {
  scene = await openScene(house, receiver);
  ({ app } = scene);
});

const theOnly = async () => {
  const [one, ...rest] = await scene.deliveries();
  if (!one || rest.length > 0) throw new Error(`There are ${rest.length + (one ? 1 : 0)} deliveries.`);
  return one;
};

const at = (time: unknown): number => Date.parse(String(time));

const failWith = (status: number, headers: Record<string, string> = {}): void =>
  scene.answers({ status, headers });

/** As the hours go by: everything that comes due until it is over. @returns the waits in between */
const untilOver = async (): Promise<readonly number[]> => {
  const waits: number[] = [];
  for (;;) {
    await scene.deliver();
    const one = await theOnly();
    if (one["state"] !== "pending") return waits;
    const wait = at(one["next_attempt_at"]) - house.clock.now();
    waits.push(wait);
    house.clock.advance(wait);
  }
};

describe("a receiver that is there", () => {
  test("is told at once, signed both ways, and the delivery is listed", async () => {
    const secret = await setUpWebhooks(app, { primary_url: scene.hook });
    await scene.tell(scene.creation());
    // Nobody has to ask for it.
    await expect.poll(() => scene.arrived()).toHaveLength(1);
    await scene.deliver();

    const [arrived] = scene.arrived();
    if (!arrived) throw new Error("Nothing arrived.");
    const { asked, id } = arrived;
    expect(await isStandardSignature(asked, secret)).toBe(true);
    expect(isOriginalSignature(asked, secret)).toBe(true);
    expect(asked.headers["webhook-timestamp"]).toBe(String(Math.floor(house.clock.now() / second)));
    const now = new Date(house.clock.now()).toISOString();
    expect(await scene.deliveries()).toEqual([
      {
        id,
        event: "connection.created",
        url_origin: receiver.origin,
        state: "delivered",
        attempts: 1,
        last_status: 204,
        last_error: null,
        next_attempt_at: null,
        created_at: now,
        ended_at: now,
        can_redeliver: true,
      },
    ]);
  });

  test("is not told twice, however often the queue is looked at", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    await scene.tell(scene.creation());
    await Promise.all([scene.deliver(), scene.deliver(), scene.deliver()]);
    house.clock.advance(day);
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);
  });

  test("may answer anything of 2xx, and much of it", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    scene.answers({ status: 299, body: "x".repeat(100_000) });
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await theOnly()).toMatchObject({ state: "delivered", last_status: 299 });
  });
});

describe("a receiver that is not there", () => {
  test("is tried eight times in sixteen hours, under one id; then it is over", async () => {
    const secret = await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(500);
    await scene.tell(scene.creation());

    const waits = await untilOver();
    expect(waits).toEqual([5 * second, minute, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 8 * hour]);
    const arrived = scene.arrived();
    expect(arrived).toHaveLength(8);
    expect(new Set(arrived.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    // Each with the time at which it was sent, and signed for that time.
    expect(new Set(arrived.map(({ asked }) => asked.headers["webhook-timestamp"])).size).toBe(8);
    for (const { asked } of arrived) expect(await isStandardSignature(asked, secret)).toBe(true);
    expect(await theOnly()).toMatchObject({
      state: "failed",
      attempts: 8,
      last_status: 500,
      last_error: "It answered 500.",
      next_attempt_at: null,
    });

    house.clock.advance(day);
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(8);
  });

  test("gets everything once it is back", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(503);
    await scene.tell(...["a", "b", "c"].map((connectionId) => scene.creation({ connectionId })));
    await scene.deliver();
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(3);

    scene.answers({ status: 200 });
    house.clock.advance(5 * second);
    await scene.deliver();
    const taken = scene.arrived().slice(3);
    expect(new Set(taken.map(({ fields }) => fields["connectionId"]))).toEqual(new Set(["a", "b", "c"]));
    expect((await scene.deliveries()).map(({ state, attempts }) => [state, attempts])).toEqual(
      Array.from({ length: 3 }, () => ["delivered", 2]),
    );
  });

  test("has a port that nobody listens on", async () => {
    await setUpWebhooks(app, { primary_url: `${nowhere}/hook?key=of-mine` });
    await scene.tell(scene.creation());
    await scene.deliver();

    const one = await theOnly();
    expect(one).toMatchObject({ state: "pending", attempts: 1, last_status: null, url_origin: nowhere });
    expect(one["last_error"]).toMatch(/can't be reached/);
    expect(JSON.stringify([one, house.logs])).not.toContain("of-mine");
  });

  test("hangs up in the middle", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    scene.answers({ instead: "reset" });
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await theOnly()).toMatchObject({
      state: "pending",
      last_error: expect.stringContaining("broke off"),
    });
  });
});

describe("what a receiver answers", () => {
  test.each([
    ["seconds", () => "90", 90 * second],
    ["fewer than we would wait anyway", () => "1", 5 * second],
    ["a date", () => new Date(house.clock.now() + hour).toUTCString(), hour],
    ["a date that is over", () => new Date(house.clock.now() - hour).toUTCString(), 5 * second],
    ["more than a day", () => "999999999", day],
    ["what is no time", () => "soon", 5 * second],
  ])("Retry-After with %s is honoured", async (_, after, wait) => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(429, { "retry-after": after() });
    await scene.tell(scene.creation());
    await scene.deliver();

    // An HTTP date has whole seconds.
    const due = at((await theOnly())["next_attempt_at"]) - house.clock.now();
    expect(Math.abs(due - wait)).toBeLessThan(second);
  });

  test.each([301, 302, 303, 307, 308])("%i is a failure: nobody is sent on", async (status) => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const elsewhere = await openScene(house, receiver);
    failWith(status, { location: elsewhere.hook });
    await scene.tell(scene.creation());
    await scene.deliver();

    expect(await theOnly()).toMatchObject({ state: "pending", last_status: status });
    expect(elsewhere.arrived()).toEqual([]);
    expect(receiver.asked.filter(({ path }) => elsewhere.hook.endsWith(path))).toEqual([]);
  });

  test("410 ends a delivery at once, and nothing else", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(410);
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await theOnly()).toMatchObject({ state: "failed", attempts: 1, last_status: 410 });

    scene.answers({ status: 200 });
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await scene.deliveries("?state=failed")).toHaveLength(1);
    expect(await scene.deliveries("?state=delivered")).toHaveLength(1);
  });
});
