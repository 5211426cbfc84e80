import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import {
  connection,
  openScene,
  setUpWebhooks,
  type App,
  type Scene,
  type Told,
} from "../support/webhooks.ts";

/** What an app is told: the original's words, and the rest of what is known. */

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
beforeEach(async () => {
  scene = await openScene(house, receiver);
  ({ app } = scene);
});

const webhookEvents = [
  "connection.created",
  "connection.reconnected",
  "connection.attempt_failed",
  "connection.failing",
  "connection.recovered",
  "connection.deleted",
  "integration.deleted",
];
const error = { type: "connection_test_failed", description: "The provider refused these credentials." };

describe("what an app is told", () => {
  test("is what the original tells, keys in order, and more", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    await scene.tell(scene.creation());
    await scene.deliver();

    const [one] = scene.arrived();
    expect(one?.fields["id"]).toMatch(/^[0-9a-f]{32}$/);
    const ours = {
      account:
        '"account":{"email":"ada@example.com","id":"42","name":"Ada King","workspace":null},"at":"2026-03-04T05:06:07.000Z",',
      event: '"event":"connection.created",',
      id: `"id":"${String(one?.fields["id"])}",`,
      state: '"state":"live","stateReason":null,',
    };
    expect(one?.body).toBe(
      `{${ours.account}"authMode":"BASIC","connectionId":"connection-1","endUser":{"endUserEmail":"user@example.com","endUserId":"user-1","organizationId":"org-1","tags":{"plan":"free"}},"environment":"${scene.environment}",${ours.event}"from":"nango",${ours.id}"operation":"creation","provider":"toggl","providerConfigKey":"toggl",${ours.state}"success":true,"tags":{"end_user_display_name":"User One","end_user_email":"user@example.com","end_user_id":"user-1","organization_display_name":"Org One","organization_id":"org-1","plan":"free","project":"alpha"},"type":"auth"}`,
    );
    expect(one?.asked).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Latchkey" },
    });
  });

  test("says no more of people than is known", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const endUser = { id: "user-1", email: null, displayName: null, tags: null, organization: null };
    await scene.tell(scene.creation({ endUser, account: null, provider: "gone" }));
    await scene.tell(scene.creation({ endUser: null, tags: {} }));
    await scene.deliver();

    const told = scene.arrived().map(({ fields }) => fields);
    expect(told.map(({ endUser: who }) => who)).toEqual(
      expect.arrayContaining([{ endUserEmail: null, endUserId: "user-1", tags: {} }, undefined]),
    );
    const first = told.find(({ endUser: who }) => who !== undefined);
    expect(first).toMatchObject({ account: null, provider: "gone", authMode: "unknown" });
  });

  const happenings: ReadonlyArray<readonly [string, Told]> = [
    ["connection.created", { connection: connection(), operation: "creation", success: true }],
    ["connection.reconnected", { connection: connection(), operation: "override", success: true }],
    [
      "connection.attempt_failed",
      {
        connection: connection({ state: null, account: null }),
        operation: "creation",
        success: false,
        error,
      },
    ],
    ["connection.attempt_failed", { connection: connection(), operation: "override", success: false, error }],
    [
      "connection.failing",
      {
        connection: connection({ state: "failing", stateReason: "credentials_refused" }),
        operation: "refresh",
        success: false,
        error,
      },
    ],
    ["connection.recovered", { connection: connection(), operation: "refresh", success: true }],
    ["connection.deleted", { connection: connection(), operation: "deletion", success: true }],
  ];

  test.each(happenings)("%s is told with the original's words, when it is wanted", async (event, told) => {
    await setUpWebhooks(app, { primary_url: scene.hook, events: [event] });
    await scene.tell({ ...told, connection: { ...told.connection, environmentId: scene.environmentId } });
    await scene.deliver();

    expect(scene.arrived().map(({ fields }) => fields)).toEqual([
      expect.objectContaining({
        type: "auth",
        event,
        operation: told.operation,
        success: told.success,
        state: told.connection.state,
        stateReason: told.connection.stateReason,
        ...(told.success ? {} : { error }),
      }),
    ]);
    expect("error" in (scene.arrived()[0]?.fields ?? {})).toBe(!told.success);
  });

  test.each(happenings)("%s is not told to who does not want it", async (event, told) => {
    await setUpWebhooks(app, {
      primary_url: scene.hook,
      events: webhookEvents.filter((one) => one !== event),
    });
    await scene.tell({ ...told, connection: { ...told.connection, environmentId: scene.environmentId } });
    await scene.deliver();
    expect([scene.arrived(), await scene.deliveries()]).toEqual([[], []]);
  });

  test("goes to both addresses, as one event with an id for each delivery", async () => {
    const other = await openScene(house, receiver);
    await setUpWebhooks(app, { primary_url: scene.hook, secondary_url: other.hook });
    await scene.tell(scene.creation());
    await scene.deliver();

    const both = [...scene.arrived(), ...other.arrived()];
    expect([scene.arrived().length, other.arrived().length]).toEqual([1, 1]);
    expect(new Set(both.map(({ body }) => body)).size).toBe(1);
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
  });

  test("goes once to an address that is both", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook, secondary_url: scene.hook });
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(scene.arrived()).toHaveLength(1);
  });

  test("goes to the connection's own address instead, when it has one", async () => {
    await setUpWebhooks(app, {
      primary_url: "https://one.example/hook",
      secondary_url: "https://two.example",
    });
    await scene.tell(scene.creation({ webhookUrlOverride: scene.hook }));
    await scene.deliver();

    expect(scene.arrived()).toHaveLength(1);
    expect((await scene.deliveries()).map(({ url_origin: origin }) => origin)).toEqual([receiver.origin]);
  });

  test("is told only when what it tells of was committed", async () => {
    await setUpWebhooks(app, { primary_url: scene.hook });
    const { store, connect } = house.inside;
    await expect(
      store.transaction(async (tx) => {
        await connect.webhooks.tell(tx, scene.creation());
        throw new Error("Something else failed.");
      }),
    ).rejects.toThrow("Something else failed.");
    await scene.deliver();
    expect([scene.arrived(), await scene.deliveries()]).toEqual([[], []]);
  });
});
