import { sql } from "kysely";
import { beforeEach, expect, test } from "vitest";
import { codeOf, done } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import {
  byToken,
  linkingSuite,
  newHolder,
  shownAccount,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";

/** A check of credentials takes its time, and what it finds out may be of yesterday when it is written down. */

let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ house, scene, holder } = linking);
});

let connection: string;
beforeEach(async () => {
  connection = await scene.link(holder);
  await scene.told();
});

const verify = () =>
  scene.app.post("/connections/verify", {
    connection_id: connection,
    provider_config_key: scene.integration,
  });

test("a check of old credentials says nothing of new ones that were linked meanwhile", async () => {
  const renewed = { ...newHolder(), id: holder.id };
  const session = await scene.sessionFor(connection);
  const answer = toggl(renewed);
  const relinked = Promise.withResolvers<void>();
  scene.answers((asked) => ({ ...answer(asked), after: relinked.promise }));
  const checked = verify();
  await expect.poll(() => scene.asked().length, { timeout: 10_000 }).toBe(2);
  scene.answers(answer);
  expect((await scene.submit(session, byToken(renewed))).status).toBe(200);
  relinked.resolve();

  expect(await done(checked)).toMatchObject({ state: "live" });
  expect(await scene.read(connection)).toMatchObject({ state: "live", state_reason: null });
  expect((await scene.told()).map(({ event }) => event)).toEqual(["connection.reconnected"]);
});

test("a check of old credentials does not say whose the new ones are", async () => {
  const before = { ...holder, name: "As it was called" };
  const renewed = { ...newHolder(), id: holder.id };
  const session = await scene.sessionFor(connection);
  const relinked = Promise.withResolvers<void>();
  scene.answers((asked) => ({ ...toggl(before)(asked), after: relinked.promise }));
  const checked = verify();
  await expect.poll(() => scene.asked().length, { timeout: 10_000 }).toBe(2);
  scene.answers(toggl(renewed));
  house.clock.advance(1000);
  expect((await scene.submit(session, byToken(renewed))).status).toBe(200);
  const linkedAt = house.clock.now();
  house.clock.advance(1000);
  relinked.resolve();

  expect(await done(checked)).toMatchObject({ state: "live" });
  const { account, last_verified_at: verifiedAt } = await scene.read(connection);
  expect([account, Date.parse(String(verifiedAt))]).toEqual([shownAccount(renewed), linkedAt]);
});

test("a check brings back nothing that is revoked while the provider is asked", async () => {
  const answer = toggl(holder);
  const revoke = sql`update connections set state = 'revoked' where connection_id = ${connection}`;
  scene.answers((asked) => ({ ...answer(asked), after: revoke.execute(house.inside.store.query) }));

  await verify();

  expect(codeOf(await verify())).toEqual([424, "connection_failing"]);
  expect((await scene.told()).filter(({ operation }) => operation === "refresh")).toEqual([]);
});
