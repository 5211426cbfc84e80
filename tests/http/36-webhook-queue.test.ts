import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import {
  isOriginalSignature,
  isStandardSignature,
  openScene,
  setUpWebhooks,
  tell,
  type App,
  type Scene,
} from "../support/webhooks.ts";

/** What becomes of what waits: when settings change meanwhile, when a process dies, when somebody hangs. */

const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

let receiver: Upstream;
let other: Upstream;
let house: TestHouse;
beforeAll(async () => {
  receiver = await startUpstream();
  other = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: `${receiver.origin},${other.origin}` });
});
afterAll(async () => {
  await stopHouses();
  await receiver.stop();
  await other.stop();
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

const failWith = (status: number, headers: Record<string, string> = {}): void =>
  scene.answers({ status, headers });

describe("settings that change while something waits", () => {
  test("an address that was mended is used", async () => {
    await setUpWebhooks(app, { primary_url: `${receiver.origin}/wrong` });
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await theOnly()).toMatchObject({ state: "pending", last_status: 404 });

    const mended = await openScene(house, receiver);
    await app.ask("PATCH", "/environment/webhooks", { primary_url: mended.hook });
    house.clock.advance(5 * second);
    await scene.deliver();
    expect(mended.arrived()).toHaveLength(1);
    expect(await theOnly()).toMatchObject({ state: "delivered", url_origin: receiver.origin, attempts: 2 });
  });

  test("an address that was taken out gets nothing more", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(500);
    await scene.tell(scene.creation());
    await scene.deliver();
    await app.ask("PATCH", "/environment/webhooks", { primary_url: null });
    house.clock.advance(5 * second);
    await scene.deliver();

    expect(scene.arrived()).toHaveLength(1);
    expect(await theOnly()).toMatchObject({
      state: "failed",
      last_error: "The address was taken out of the settings.",
    });
  });
});

describe("a secret that was changed", () => {
  test("signs beside the former one for a day; the original's header has each in turn", async () => {
    const former = await setUpWebhooks(app, { primary_url: scene.hook });
    const { data } = await app.ask("POST", "/environment/webhooks/secret/rotate");
    const secret = String(fieldsOf(data)["signing_secret"]);
    failWith(500);
    await scene.tell(scene.creation());
    await scene.deliver();
    house.clock.advance(5 * second);
    await scene.deliver();
    house.clock.advance(day);
    await scene.deliver();

    const asked = scene.arrived().map((one) => one.asked);
    const checks = await Promise.all(
      asked.map(async (one) => ({
        standard: [await isStandardSignature(one, secret), await isStandardSignature(one, former)],
        original: [isOriginalSignature(one, secret), isOriginalSignature(one, former)],
      })),
    );
    const last = checks.slice(-1);
    expect(checks.slice(0, -1)).toEqual([
      { standard: [true, true], original: [true, false] },
      { standard: [true, true], original: [false, true] },
    ]);
    expect(last).toEqual([{ standard: [true, false], original: [true, false] }]);
  });
});

describe("an address of a connection's own", () => {
  test.each([
    ["this server", () => `${house.config.origin.origin}/hook`, /must not be this server/],
    ["this server by number", () => `http://127.0.0.1:${house.config.port}/hook`, /must not be this server/],
    ["a private address", () => "https://10.0.0.5/hook", /must be reachable for anybody/],
    ["the metadata of a cloud", () => "https://[fd00:ec2::254]/latest", /must be reachable for anybody/],
    ["a receiver that nobody listed", () => "http://127.0.0.1:1/hook", /must be an https URL/],
    ["a file", () => "file:///etc/passwd", /must be an https URL/],
  ])("that is %s gets nothing", async (_, url, error) => {
    const [asked, logged] = [receiver.asked.length, house.logs.length];
    await setUpWebhooks(app, { primary_url: scene.hook });
    await scene.tell(scene.creation({ webhookUrlOverride: url() }));
    await scene.deliver();

    expect(await theOnly()).toMatchObject({ state: "pending", attempts: 1, last_status: null });
    expect((await theOnly())["last_error"]).toMatch(error);
    expect(receiver.asked).toHaveLength(asked);
    // Nothing but the calls of this test has reached the server.
    const posts = house.logs.slice(logged).filter((line) => /request_.*"method":"POST"/.test(line));
    expect(posts).toEqual([]);
  });
});

describe("several processes", () => {
  test("deliver fifty webhooks exactly once between them", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const twin = await house.twin();
    const told = Array.from({ length: 25 }, (_, n) => scene.creation({ connectionId: `c${n}` }));
    await Promise.all([tell(house.inside, ...told), tell(twin.inside, ...told)]);
    const { courier } = twin.inside.connect.webhooks;
    await Promise.all([scene.deliver(), courier.deliverDue(), scene.deliver(), courier.deliverDue()]);
    await twin.stop();

    const ids = scene.arrived().map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
    expect(await scene.deliveries("?state=pending")).toEqual([]);
  });

  test("what a process that died had begun is taken up by another, when its time has run out", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(500);
    await scene.tell(scene.creation());
    await scene.deliver();
    // As a process leaves it that dies in the middle of the next attempt.
    const until = house.clock.now() + 2 * minute;
    await sql`update webhook_deliveries set due_at = 0, leased_until = ${until}
      where environment_id = ${scene.environmentId}`.execute(house.inside.store.query);
    scene.answers({ status: 200 });
    const twin = await house.twin();
    const { courier } = twin.inside.connect.webhooks;
    house.clock.advance(2 * minute - 1);
    await courier.deliverDue();
    expect(scene.arrived()).toHaveLength(1);

    house.clock.advance(1);
    await courier.deliverDue();
    expect(scene.arrived()).toHaveLength(2);
    expect(await theOnly()).toMatchObject({ state: "delivered" });
    await twin.stop();
  });

  test("an attempt counts before it is made", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    scene.answers({ status: 500, after: held });
    const asked = receiver.asked.length;
    await scene.tell(scene.creation());
    await expect.poll(() => receiver.asked.length).toBe(asked + 1);
    expect(await theOnly()).toMatchObject({ state: "pending", attempts: 1, last_status: null });
    release();
    await scene.deliver();
    expect(await theOnly()).toMatchObject({ state: "pending", attempts: 1, last_status: 500 });
  });

  test("processes that died in each of its attempts have used them up", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    failWith(500);
    await scene.tell(scene.creation());
    await scene.deliver();
    // As the process leaves it that dies in the eighth.
    const until = house.clock.now() + 2 * minute;
    await sql`update webhook_deliveries set due_at = 0, attempts = 8, leased_until = ${until}
      where environment_id = ${scene.environmentId}`.execute(house.inside.store.query);
    house.clock.advance(2 * minute);
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);
    expect(await theOnly()).toMatchObject({
      state: "failed",
      attempts: 8,
      last_error: "The server ended while it was sent, and that was its last attempt.",
    });
  });

  test("a receiver that hangs keeps nobody else from being told", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    scene.answers({ status: 200, after: held });
    const [before, asked] = [other.asked.length, receiver.asked.length];
    await scene.tell(...Array.from({ length: 60 }, () => scene.creation()));
    await scene.tell(scene.creation({ webhookUrlOverride: `${other.origin}/hook` }));

    await expect.poll(() => other.asked.length).toBe(before + 1);
    await expect.poll(() => receiver.asked.length).toBe(asked + 4);
    await scene.tell(scene.creation({ webhookUrlOverride: `${other.origin}/hook` }));
    await expect.poll(() => other.asked.length).toBe(before + 2);
    expect(receiver.asked).toHaveLength(asked + 4);
    release();
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(60);
  });
});
