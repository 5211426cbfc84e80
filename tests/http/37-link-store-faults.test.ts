import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { refusalOf } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import {
  byToken,
  newHolder,
  openLinkScene,
  shownAccount,
  toggl,
  type LinkScene,
} from "../support/link-scene.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** The store fails once the outcome of a link is certain, when its try is given back. */

let provider: Upstream;
let house: TestHouse;
beforeAll(async () => {
  provider = await startUpstream();
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  await refuseRefunds();
});
afterAll(async () => {
  await stopHouses();
  await provider.stop();
});

/** Tries can be counted, and not given back, as if the disk were full by then. */
const refuseRefunds = (): Promise<void> =>
  house.inside.store.transaction(async ({ query }) => {
    if (house.inside.store.kind === "sqlite") {
      await sql`create trigger full_disk before update on tries when new.count < old.count
        begin select raise(abort, 'disk full'); end`.execute(query);
      return;
    }
    await sql`create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'disk full' using errcode = '53100'; end $$`.execute(query);
    await sql`create trigger full_disk before update on tries for each row
      when (new.count < old.count) execute function full_disk()`.execute(query);
  });

let scene: LinkScene;
beforeEach(async () => {
  scene = await openLinkScene(house, provider);
});

const holder = newHolder();

const notGivenBack = (): number =>
  house.logs.filter((line) => fieldsOf(JSON.parse(line))["event"] === "link_try_not_given_back").length;

test("an account that is linked is told to be linked", async () => {
  scene.answers(toggl(holder));
  const before = notGivenBack();
  const reply = await scene.submit(await scene.session(), byToken(holder));

  expect([reply.status, reply.json()]).toMatchObject([200, { account: shownAccount(holder) }]);
  expect(await scene.connections()).toMatchObject([
    { connection_id: fieldsOf(reply.json())["connectionId"], state: "live" },
  ]);
  expect(notGivenBack()).toBe(before + 1);
});

test("a provider that is down is told to be down", async () => {
  scene.answers({ status: 503 });
  const before = notGivenBack();
  const reply = await scene.submit(await scene.session(), byToken(holder));

  expect(refusalOf(reply).slice(0, 2)).toEqual([502, "provider_unavailable"]);
  expect(await scene.connections()).toEqual([]);
  expect(notGivenBack()).toBe(before + 1);
});
