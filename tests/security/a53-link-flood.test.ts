import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute, second } from "#kernel/clock.ts";
import { codeOf, done } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { byToken, newHolder, openLinkScene, toggl, type LinkScene } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** A53: what a link can make this server do, call and write has an end, whatever the provider answers. */

let provider: Upstream;
beforeAll(async () => {
  provider = await startUpstream();
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
});

const holder = newHolder();
let house: TestHouse;
let scene: LinkScene;
beforeEach(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  scene = await openLinkScene(house, provider);
});

const statusesOf = async (session: string, times: number): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let n = 0; n < times; n++) statuses.push((await scene.submit(session, byToken(holder))).status);
  return statuses;
};

describe("one link", () => {
  test("submits sixty times in ten minutes, whatever comes of it", async () => {
    scene.answers({ status: 500 });
    const session = await scene.session();
    expect(new Set(await statusesOf(session, 60))).toEqual(new Set([502]));

    const refused = await scene.submit(session, byToken(holder));
    expect(codeOf(refused)).toEqual([429, "too_many_request"]);
    expect(refused.headers["retry-after"]).toBe("600");
    expect(scene.asked()).toHaveLength(60);

    house.clock.advance(10 * minute);
    scene.answers(toggl(holder));
    expect(await statusesOf(session, 1)).toEqual([200]);
  });

  test("is told of once a minute, with how often", async () => {
    scene.answers({ status: 500 });
    const session = await scene.session();
    await statusesOf(session, 40);
    expect(await scene.told()).toMatchObject([{ event: "connection.attempt_failed" }]);
    expect(await scene.audit()).toEqual([["link_refused", { code: "provider_unavailable" }]]);

    scene.answers({ status: 204 });
    await statusesOf(session, 1);
    expect(await scene.told()).toMatchObject([{ error: { type: "unexpected_answer" } }]);

    house.clock.advance(minute);
    scene.answers({ status: 500 });
    await statusesOf(session, 5);
    expect(await scene.told()).toMatchObject([{ error: { type: "provider_unavailable" }, times: 40 }]);
    expect((await scene.audit()).slice(2)).toEqual([
      ["link_refused", { code: "provider_unavailable", times: 40 }],
    ]);
  });
});

test("one network submits three hundred times in ten minutes, with any number of links", async () => {
  scene.answers({ status: 500 });
  const sessions = await Promise.all(Array.from({ length: 6 }, () => scene.session()));
  for (const session of sessions.slice(0, 5)) await statusesOf(session, 60);
  expect(await statusesOf(sessions[5] ?? "", 2)).toEqual([429, 429]);
  expect(scene.asked()).toHaveLength(300);
});

describe("a provider that wants to be left alone", () => {
  const credentials = { type: "BASIC", username: holder.token, password: "api_token" };

  test.each([429, 503])("with %i and a time is not asked before it is over, by anybody", async (status) => {
    scene.answers(toggl(holder));
    const connection = await scene.link(holder);
    scene.answers({ status, headers: { "retry-after": "90" } });
    expect(await statusesOf(await scene.session(), 1)).toEqual([status === 429 ? 429 : 502]);
    scene.answers(toggl(holder));
    const before = scene.asked().length;
    house.clock.advance(30 * second);

    const body = { provider_config_key: scene.integration, credentials };
    const check = { connection_id: connection, provider_config_key: scene.integration };
    for (const reply of [
      await scene.submit(await scene.session(), byToken(holder)),
      await scene.app.post("/connections", body),
      await scene.app.post("/connections/verify", check),
    ]) {
      expect(codeOf(reply)).toEqual([429, "provider_rate_limited"]);
      expect(reply.headers["retry-after"]).toBe("60");
    }
    expect(scene.asked()).toHaveLength(before);

    house.clock.advance(60 * second);
    expect(await statusesOf(await scene.session(), 1)).toEqual([200]);
    await done(scene.app.post("/connections/verify", check));
  });

  test("is asked after an hour, whatever time it names, and by other integrations at once", async () => {
    const other = await openLinkScene(house, provider);
    other.answers(toggl(holder));
    scene.answers({ status: 429, headers: { "retry-after": "86400" } });
    await statusesOf(await scene.session(), 1);
    expect((await other.submit(await other.session(), byToken(holder))).status).toBe(200);

    scene.answers(toggl(holder));
    house.clock.advance(60 * minute);
    expect(await statusesOf(await scene.session(), 1)).toEqual([200]);
  });

  test("because of one account's quota is asked for others", async () => {
    scene.answers({ status: 402, headers: { "x-toggl-quota-resets-in": "1234" } });
    expect(await statusesOf(await scene.session(), 1)).toEqual([402]);
    scene.answers(toggl(holder));
    expect(await statusesOf(await scene.session(), 1)).toEqual([200]);
  });
});
