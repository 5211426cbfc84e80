import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dumpStore } from "../support/dump.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { findSecrets } from "../support/secrets.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type Scene } from "../support/webhooks.ts";

/** What webhooks say and what signs them lies sealed, each in its place. */

let receiver: Upstream;
let house: TestHouse;
let scene: Scene;
let secret: string;
beforeEach(async () => {
  receiver = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
  scene = await openScene(house, receiver);
  secret = await setUpWebhooks(scene.app, { primary_url: scene.hook });
});
afterEach(async () => {
  await stopHouses();
  await receiver.stop();
});

/** Two that wait, of different environments. */
const twoThatWait = async (): Promise<Scene> => {
  const other = await openScene(house, receiver);
  await setUpWebhooks(other.app, { primary_url: other.hook });
  for (const one of [scene, other]) {
    one.answers({ status: 500 });
    await one.tell(one.creation());
  }
  await scene.deliver();
  for (const one of [scene, other]) one.answers({ status: 200 });
  house.clock.advance(5000);
  return other;
};

test("A47 the database and the log reveal no secret, no word of a webhook, and no path of an address of its own", async () => {
  const rotated = fieldsOf((await scene.app.ask("POST", "/environment/webhooks/secret/rotate"))["data"]);
  const person = {
    name: "Ada King of Lovelace",
    email: "ada.king@lovelace.example",
    path: "hook/c2VjcmV0LXBhdGg",
  };
  await scene.tell(
    scene.creation({
      account: { id: "account-4711", name: person.name, email: person.email, workspace: null },
      webhookUrlOverride: `${receiver.origin}/${person.path}`,
    }),
  );
  await scene.deliver();
  const bytes = (text: string): Buffer => Buffer.from(text.replace("whsec_", ""), "base64");
  const secrets = new Map<string, string | Buffer>([
    ["the former secret", secret],
    ["its bytes", bytes(secret)],
    ["the secret", String(rotated["signing_secret"])],
    ["the bytes of it", bytes(String(rotated["signing_secret"]))],
    ["whose account it is", person.name],
    ["their address", person.email],
    ["where it goes", person.path],
  ]);

  const asked = receiver.asked.at(-1);
  expect(asked?.path).toBe(`/${person.path}`);
  expect(findSecrets(secrets, await dumpStore(house.config))).toEqual([]);
  expect(findSecrets(secrets, house.logs.join(""))).toEqual([]);
  const { rows } = await sql`select * from audit_events`.execute(house.inside.store.query);
  expect(findSecrets(secrets, JSON.stringify(rows))).toEqual([]);
});

test("A48 contents that were moved to another delivery go nowhere", async () => {
  const other = await twoThatWait();
  const before = receiver.asked.length;
  const { query } = house.inside.store;
  const { rows } = await sql<{
    id: string;
    sealed: string;
  }>`select id, sealed from webhook_deliveries`.execute(query);
  const [first, second] = rows;
  if (!first || !second) throw new Error("There are not two.");
  await sql`update webhook_deliveries set sealed = ${second.sealed} where id = ${first.id}`.execute(query);
  await sql`update webhook_deliveries set sealed = ${first.sealed} where id = ${second.id}`.execute(query);
  await scene.deliver();

  expect(receiver.asked).toHaveLength(before);
  for (const one of [scene, other]) {
    expect(await one.deliveries()).toMatchObject([
      { state: "pending", attempts: 2, last_error: expect.stringContaining("can't open") },
    ]);
  }
  expect(house.logs.join("")).toContain("not_authentic");
});

test("A48 a secret that was moved to another environment, or is of an older version, signs nothing", async () => {
  const other = await twoThatWait();
  const before = receiver.asked.length;
  const { query } = house.inside.store;
  await sql`update webhook_settings set sealed_secret =
    (select sealed_secret from webhook_settings where environment_id = ${other.environmentId})
    where environment_id = ${scene.environmentId}`.execute(query);
  await sql`update webhook_settings set secret_version = 7 where environment_id = ${other.environmentId}`.execute(
    query,
  );
  await scene.deliver();

  expect(receiver.asked).toHaveLength(before);
  const { rows } = await sql<{ state: string; attempts: number }>`
    select state, attempts from webhook_deliveries`.execute(query);
  expect(rows).toEqual([
    { state: "pending", attempts: 2 },
    { state: "pending", attempts: 2 },
  ]);
});
