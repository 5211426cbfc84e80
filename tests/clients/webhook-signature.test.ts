import { Nango } from "@nangohq/node";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { minute } from "#kernel/clock.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";
import { startUpstream, type Asked, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks, type Scene } from "../support/webhooks.ts";

/** Receivers that we did not write: the published SDK of the original, and the reference library of Standard Webhooks. */

let receiver: Upstream;
let house: TestHouse;
let scene: Scene;
let secret: string;
beforeAll(async () => {
  receiver = await startUpstream();
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: receiver.origin });
  scene = await openScene(house, receiver);
  secret = await setUpWebhooks(scene.app, { primary_url: scene.hook });
});
afterAll(async () => {
  await stopHouses();
  await receiver.stop();
});

/** Whatever arrives for an event that nobody else tells of. */
const received = async (): Promise<readonly Asked[]> => {
  const connectionId = crypto.randomUUID();
  await scene.tell(scene.creation({ connectionId }));
  await scene.deliver();
  const asked = receiver.asked.filter(({ body }) => body.includes(connectionId));
  expect(asked).not.toEqual([]);
  return asked;
};

const headersOf = ({ headers }: Asked): Record<string, unknown> => ({ ...headers });

const nango = (webhookSigningKey: string): Nango =>
  new Nango({ host: house.config.origin.origin, apiKey: scene.app.key, webhookSigningKey });

const isFor = (asked: Asked, key: string): boolean =>
  nango(key).verifyIncomingWebhookRequest(asked.body.toString("utf8"), headersOf(asked));

describe("@nangohq/node", () => {
  test("verifies what was sent, and nothing else", async () => {
    for (const asked of await received()) {
      expect(isFor(asked, secret)).toBe(true);
      expect(isFor({ ...asked, body: Buffer.concat([asked.body, Buffer.from(" ")]) }, secret)).toBe(false);
      expect(isFor(asked, secret.replace("whsec_", ""))).toBe(false);
      expect(isFor(asked, scene.app.key)).toBe(false);
    }
  });

  test("reads the body as its own types have it", async () => {
    const [asked] = await received();
    const body = fieldsOf(JSON.parse(asked?.body.toString("utf8") ?? ""));
    expect(body).toMatchObject({
      from: "nango",
      type: "auth",
      operation: "creation",
      success: true,
      authMode: "BASIC",
      environment: scene.environment,
      provider: "toggl",
      providerConfigKey: "toggl",
    });
  });
});

/** @throws WebhookVerificationError */
const verifyAt = (now: number, { body, headers }: Asked): unknown => {
  // The package reads the time by itself; the house's is a clock that tests wind.
  vi.setSystemTime(now);
  try {
    return new Webhook(secret).verify(body, {
      "webhook-id": String(headers["webhook-id"]),
      "webhook-timestamp": String(headers["webhook-timestamp"]),
      "webhook-signature": String(headers["webhook-signature"]),
    });
  } finally {
    vi.useRealTimers();
  }
};

describe("a receiver of Standard Webhooks", () => {
  test("verifies what was sent, with its id and its time", async () => {
    const now = house.clock.now();
    for (const asked of await received()) {
      expect(verifyAt(now, asked)).toEqual(JSON.parse(asked.body.toString("utf8")));
      for (const [header, value] of [
        ["webhook-id", "1"],
        ["webhook-timestamp", String(Math.floor(now / 1000) + 1)],
      ] as const) {
        const changed = { ...asked, headers: { ...asked.headers, [header]: value } };
        expect(() => verifyAt(now, changed)).toThrow("No matching signature found");
      }
      expect(() => verifyAt(now, { ...asked, body: Buffer.from("{}") })).toThrow("No matching signature");
    }
  });

  test("refuses one that is played again six minutes later", async () => {
    const now = house.clock.now();
    for (const asked of await received()) {
      expect(() => verifyAt(now + 6 * minute, asked)).toThrow("Message timestamp too old");
    }
  });

  test("finds a secret of the length that the specification asks for", () => {
    expect(secret).toMatch(/^whsec_/);
    expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
  });
});

test("each webhook carries one value of each header", async () => {
  for (const { rawHeaders } of await received()) {
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(names).toEqual(
      expect.arrayContaining([
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-nango-hmac-sha256",
        "content-type",
      ]),
    );
    expect(names).not.toContain("authorization");
    expect(names).not.toContain("cookie");
  }
});
