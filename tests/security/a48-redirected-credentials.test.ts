import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { day } from "#kernel/clock.ts";
import { seal } from "#kernel/crypto/envelope.ts";
import { loadRootKeys } from "#kernel/crypto/root-keys/root-key-registry.ts";
import { systemRandom } from "#kernel/ids.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { codeOf } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { newHolder, openLinkScene, toggl, type Holder, type LinkScene } from "../support/link-scene.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * Who can write to the database, and has no root key, can't have credentials sent elsewhere: what decides where they go
 * is sealed with them.
 */

let provider: Upstream;
/** Where the attacker listens. */
let thief: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
let connection: string;
beforeAll(async () => {
  [provider, thief] = [await startUpstream(), await startUpstream()];
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: `${provider.origin},${thief.origin}` });
});
afterAll(async () => {
  await stopHouses();
  for (const one of [provider, thief]) await one.stop();
});
beforeEach(async () => {
  scene = await openLinkScene(house, provider);
  holder = newHolder();
  scene.answers(toggl(holder));
  thief.answers("/api/v9/me", () => ({ body: "{}" }));
  connection = await scene.link(holder);
});

const query = () => house.inside.store.query;

const lookAnew = (): Promise<void> => house.inside.store.transaction(async (tx) => tx.changed("all"));

const runJobs = (): Promise<void> => {
  house.clock.advance(day);
  return house.inside.timetable.runDue();
};

const setIntegration = (column: string, value: string) =>
  sql`update integrations set ${sql.ref(column)} = ${value}
    where environment_id = (select id from environments where name = ${scene.environment})`.execute(query());

const setConnection = (column: string, value: string) =>
  sql`update connections set ${sql.ref(column)} = ${value} where connection_id = ${connection}`.execute(
    query(),
  );

/** Every call that sends credentials, with a key that may do everything. */
const uses = async (): Promise<readonly Reply[]> => [
  await scene.app.send("GET", "/proxy/api/v9/me", {
    headers: { "connection-id": connection, "provider-config-key": scene.integration },
  }),
  await scene.app.post("/connections/verify", {
    connection_id: connection,
    provider_config_key: scene.integration,
  }),
];

const expectNothingSent = async (): Promise<void> => {
  await lookAnew();
  const asked = scene.asked().length;
  expect((await uses()).map(codeOf)).toEqual([
    [424, "connection_failing"],
    [424, "connection_failing"],
  ]);
  expect(thief.asked).toEqual([]);
  expect(scene.asked()).toHaveLength(asked);
};

describe("A48 credentials are not sent", () => {
  test("to another base URL of the integration", async () => {
    await setIntegration("config", JSON.stringify({ base_url: thief.origin }));
    await expectNothingSent();
  });

  test("to another base URL of the integration and another origin of the connection", async () => {
    await setIntegration("config", JSON.stringify({ base_url: thief.origin }));
    await setConnection("origin", thief.origin);
    await expectNothingSent();
  });

  test("to another provider", async () => {
    await setIntegration("provider", "gitlab-token");
    await expectNothingSent();
  });

  test.for(["origin", "config", "shape"])("with another %s of the connection", async (column) => {
    await setConnection(column, column === "config" ? '{"host":"evil.example"}' : thief.origin);
    await lookAnew();
    const [proxied] = await uses();
    expect(proxied && codeOf(proxied)).toEqual([424, "connection_failing"]);
    expect(thief.asked).toEqual([]);
  });

  test("when the seal of the integration is taken away, nor are those of whoever links next", async () => {
    await setIntegration("config", JSON.stringify({ base_url: thief.origin }));
    await sql`update integrations set sealed_config = null
      where environment_id = (select id from environments where name = ${scene.environment})`.execute(
      query(),
    );
    await expectNothingSent();

    const reply = await scene.submit(await scene.session(), {
      way: "api-auth/basic",
      json: { username: newHolder().token, password: "api_token" },
    });
    expect(codeOf(reply)).toEqual([424, "connection_failing"]);
    expect(thief.asked).toEqual([]);
  });

  test("with the seal of the same integration as it was before", async () => {
    const { rows } = await sql<{ sealed: string; config: string }>`
      select sealed_config as sealed, config from integrations
      where environment_id = (select id from environments where name = ${scene.environment})`.execute(
      query(),
    );
    await scene.app.patch(`/integrations/${scene.integration}`, {
      integration_config: { keep_password: true },
    });
    await setIntegration("sealed_config", rows[0]?.sealed ?? expect.unreachable());
    await expectNothingSent();
  });
});

describe("What was linked before destinations were sealed", () => {
  const rootKeys = () => {
    const { store, config, clock } = { ...house.inside, clock: house.clock };
    const log = createLog({ level: "silent", clock });
    return loadRootKeys({ store, config, clock, random: systemRandom, log });
  };

  /** As it was sealed then: bound to its place alone. */
  const sealAsBefore = async (): Promise<string> => {
    const { rows } = await sql<{ row: string; version: number }>`
      select environment_id || '/' || integration_id || '/' || connection_id as "row", sealed_version as version
      from connections where connection_id = ${connection}`.execute(query());
    const { row, version } = rows[0] ?? expect.unreachable();
    const kept = { credentials: { username: holder.token, password: "api_token" }, config: {} };
    const place = { room: "connect", row, field: "credentials", version };
    const sealed = seal(await rootKeys(), systemRandom, place, JSON.stringify(kept));
    await setConnection("sealed", sealed);
    await lookAnew();
    return sealed;
  };

  const sealedNow = async (): Promise<string | undefined> =>
    (
      await sql<{
        sealed: string;
      }>`select sealed from connections where connection_id = ${connection}`.execute(query())
    ).rows[0]?.sealed;

  test("works on, is sealed anew while the server runs, and from then on can't be sent elsewhere", async () => {
    const before = await sealAsBefore();
    expect((await uses()).map(({ status }) => status)).toEqual([200, 200]);

    await runJobs();

    const bound = await sealedNow();
    expect(bound).not.toBe(before);
    expect((await uses()).map(({ status }) => status)).toEqual([200, 200]);
    await runJobs();
    expect(await sealedNow()).toBe(bound);
    await setConnection("origin", thief.origin);
    await expectNothingSent();
  });

  test("integrations are sealed by the first start that can, and with one of a later version nothing else changes", async () => {
    await sql`update integrations set sealed_config = null`.execute(query());
    await sql`delete from server_secrets where name = 'destinations'`.execute(query());
    await sealAsBefore();

    house = await house.restart();

    expect((await uses()).map(({ status }) => status)).toEqual([200, 200]);
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from integrations where sealed_config is null and deleted_at is null`.execute(
      query(),
    );
    expect(Number(rows[0]?.count)).toBe(0);
  });
});
