import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { makeCertificate } from "../support/certificate.ts";
import { codeOf, connectClient, connectSession, environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startNameServer, type NameServer } from "../support/name-server.ts";
import { addIntegration, answerAsToggl, linkedTo, type Linked } from "../support/proxied.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks } from "../support/webhooks.ts";

/**
 * A51, a provider whose name leads where no connection can go (no route, an address family that the machine lacks): it
 * can't be reached, and nobody else notices. An error that nobody listens for would end the process, or here the tests.
 */

/** The kernel refuses to connect to a network's broadcast address, within the call that connects. */
const noWay = "127.255.255.255";

let names: NameServer;
let provider: Upstream;
let turned: string;
let house: TestHouse;
let key: string;
beforeAll(async () => {
  const certificate = makeCertificate("turned.test", "hook.test");
  [names, provider] = await Promise.all([startNameServer(), startUpstream(certificate)]);
  answerAsToggl(provider);
  turned = `https://turned.test:${provider.port}`;
  names.has("gone.test", { addresses: [noWay] });
  names.has("twice-gone.test", { addresses: [noWay, noWay] });
  house = await startHouse(
    { LATCHKEY_OUTBOUND_ALLOW: ["https://gone.test", "https://twice-gone.test", turned].join() },
    { outbound: { nameServers: [names.address], authorities: [certificate.cert] } },
  );
  key = await environmentKey(house);
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([names.stop(), provider.stop()]);
});

let linked: Linked;
beforeEach(async () => {
  names.has("turned.test", { addresses: ["127.0.0.1"] });
  house.clock.advance(minute);
  linked = await linkedTo(house, { origin: turned }, key);
});

/** The name is turned, and what it led to before is not believed any more. */
const turn = (): void => {
  names.has("turned.test", { addresses: [noWay] });
  house.clock.advance(minute);
};

const lives = async (): Promise<void> => {
  expect((await house.send("GET", "/healthz")).status).toBe(200);
};

describe("A51 a name that leads to no way", () => {
  test.each(["gone.test", "twice-gone.test"])(
    "ends a submitted link in 502, each time: %s",
    async (hostname) => {
      const integration = await addIntegration(house, key, { provider: "gitlab-token" });
      const token = await connectSession(connectClient(house, key));
      const path = `/api-auth/api-key/${integration}?connect_session_token=${token}&params[hostname]=${hostname}`;
      for (let count = 0; count < 3; count += 1) {
        const reply = await house.send("POST", path, { json: { apiKey: "glpat-0123456789abcdef0123" } });
        expect(codeOf(reply)).toEqual([502, "provider_unavailable"]);
      }
      await lives();
    },
  );

  test("ends a proxied call in 502, also one of many at a time, and one that is tried again", async () => {
    turn();
    const calls = Array.from({ length: 10 }, () => linked.call("GET", "/api/v9/me"));
    for (const reply of await Promise.all(calls)) {
      expect(codeOf(reply)).toEqual([502, "provider_unavailable"]);
    }
    const body = { json: { any: "thing" } };
    expect(codeOf(await linked.call("POST", "/x", body))).toEqual([502, "provider_unavailable"]);
    await lives();
  });

  test("says nothing about the credentials when they are checked", async () => {
    turn();
    const named = { connection_id: linked.connection, provider_config_key: linked.integration };
    expect(codeOf(await connectClient(house, key).post("/connections/verify", named))).toEqual([
      502,
      "provider_unavailable",
    ]);
    const path = `/connections/${linked.connection}?provider_config_key=${linked.integration}`;
    expect((await connectClient(house, key).get(path)).json()).toMatchObject({ state: "live" });
  });

  test("is a webhook that could not be delivered, and goes out when there is a way", async () => {
    const scene = await openScene(house, provider);
    await setUpWebhooks(scene.app, { primary_url: `${turned}/hook` });
    turn();
    await scene.tell(scene.creation());
    await scene.deliver();
    expect(await scene.deliveries()).toMatchObject([{ state: "pending", attempts: 1 }]);
    await lives();

    provider.answers("/hook", { status: 204 });
    names.has("turned.test", { addresses: ["127.0.0.1"] });
    house.clock.advance(10 * minute);
    await scene.deliver();
    expect(await scene.deliveries()).toMatchObject([{ state: "delivered", attempts: 2 }]);
  });

  test("is passed over when the name leads elsewhere too", async () => {
    names.has("turned.test", { addresses: [noWay, "127.0.0.1"] });
    house.clock.advance(minute);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
    expect(provider.asked.at(-1)?.servername).toBe("turned.test");
  });
});
