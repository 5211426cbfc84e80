import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeOf, done } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { newHolder, openLinkScene, toggl } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * An environment has an integration that points somewhere else, by its operator's own will. Who can write to the
 * database can't have the connections of another one go there, by giving each the row of the other.
 */

let provider: Upstream;
let trial: Upstream;
let house: TestHouse;
beforeAll(async () => {
  [provider, trial] = [await startUpstream(), await startUpstream()];
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: `${provider.origin},${trial.origin}` });
});
afterAll(async () => {
  await stopHouses();
  for (const one of [provider, trial]) await one.stop();
});

test("A48 connections don't follow the settings of another integration that were exchanged with theirs", async () => {
  const scene = await openLinkScene(house, provider);
  const holder = newHolder();
  scene.answers(toggl(holder));
  trial.answers("/api/v9/me", () => ({ body: "{}" }));
  const connection = await scene.link(holder);
  await done(
    scene.app.post("/integrations", {
      provider: "toggl",
      unique_key: "trial",
      integration_config: { base_url: trial.origin },
    }),
  );
  const call = (key: string) =>
    scene.app.send("GET", "/proxy/api/v9/me", {
      headers: { "connection-id": connection, "provider-config-key": key },
    });
  expect((await call(scene.integration)).status).toBe(200);

  await house.inside.store.transaction(async (tx) => {
    const columns = ["unique_key", "config", "sealed_config", "config_version"].map((name) => sql.ref(name));
    const ids = sql`(select id from integrations where provider = 'toggl' and environment_id =
      (select id from environments where name = ${scene.environment}))`;
    const rows = await sql<Record<"id" | "config_version", number> & Record<string, string | number | null>>`
      select id, ${sql.join(columns)} from integrations where id in ${ids} order by id`.execute(tx.query);
    const [one, other] = rows.rows;
    if (!one || !other) return expect.unreachable();
    await sql`update integrations set unique_key = 'moving' where id = ${other.id}`.execute(tx.query);
    for (const [to, from] of [
      [one, other],
      [other, one],
    ] as const) {
      await sql`update integrations set unique_key = ${from["unique_key"]}, config = ${from["config"]},
        sealed_config = ${from["sealed_config"]}, config_version = ${from.config_version} where id = ${to.id}`.execute(
        tx.query,
      );
    }
    tx.changed("all");
  });

  expect(codeOf(await call("trial"))).toEqual([424, "connection_failing"]);
  expect(trial.asked).toEqual([]);
});
