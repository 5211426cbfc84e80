import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { codeOf, connectClient, connectSession, environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader, type Reply } from "../support/http.ts";
import { addIntegration, linkTo, type Linked } from "../support/proxied.ts";

/** The provider `latchkey` is called in this process, where nobody stands between: who calls is who called the server. */

const tries = 3;
const from = (network: string) => ({ "x-forwarded-for": network });

let house: TestHouse;
let key: string;
let integration: string;
let linked: Linked;
beforeAll(async () => {
  // As behind a proxy on the same machine: every peer is this machine.
  house = await startHouse({
    LATCHKEY_TRUSTED_PROXIES: "127.0.0.1",
    LATCHKEY_NETWORK_TRIES: String(tries),
  });
  key = await environmentKey(house);
  integration = await addIntegration(house, key, { provider: "latchkey" });
  const person = await house.person();
  linked = await linkTo(house, key, { integration, username: await house.tokenOf(person) });
});
afterAll(stopHouses);

const refusedFrom = async (): Promise<readonly (string | null)[]> => {
  const { rows } = await sql<{ address: string | null }>`
    select address from audit_events where event = 'password_refused' order by id`.execute(
    house.inside.store.query,
  );
  return rows.map(({ address }) => address);
};

let people = 0;
const stranger = (): string => `stranger${++people}@example.com`;

/** A wrong password, by a header of the caller's, for an address that nobody tried before. */
const guess = (network: string, forged: Readonly<Record<string, string>>): Promise<Reply> =>
  linked.call("GET", "/api/v9/me", {
    headers: {
      ...from(network),
      "nango-proxy-authorization": basicHeader(stranger(), "not the password"),
      ...forged,
    },
  });

const submit = async (network: string, username: string): Promise<Reply> => {
  const session = await connectSession(connectClient(house, key));
  return house.send("POST", `/api-auth/basic/${integration}?connect_session_token=${session}`, {
    json: { username, password: "not the password" },
    headers: from(network),
  });
};

describe("A09: wrong passwords count for the network that they come from", () => {
  test.each([
    ["X-Forwarded-For", "x-forwarded-for", "203.0.113.1"],
    ["Forwarded", "forwarded", "203.0.113.2"],
    ["X-Real-IP", "x-real-ip", "203.0.113.3"],
  ])("through the proxy, whatever %s the caller makes up", async (_, name, network) => {
    const forged = (index: number) => ({ [`nango-proxy-${name}`]: `198.51.100.${index}` });
    for (let index = 1; index <= tries; index++) {
      expect((await guess(network, forged(index))).status).toBe(403);
    }
    expect((await guess(network, forged(99))).status).toBe(429);
    expect((await guess("192.0.2.200", {})).status).toBe(403);
  });

  test("through a form, and nobody else's form is shut by them", async () => {
    const network = "203.0.113.77";
    for (let index = 1; index <= tries; index++) {
      expect(codeOf(await submit(network, stranger()))).toEqual([400, "connection_test_failed"]);
    }
    expect(codeOf(await submit(network, stranger()))).toEqual([429, "provider_rate_limited"]);
    expect(codeOf(await submit("192.0.2.201", stranger()))).toEqual([400, "connection_test_failed"]);
  });

  test("and the owner's audit names that network", async () => {
    const { email } = await house.person();
    const before = (await refusedFrom()).length;
    expect(codeOf(await submit("192.0.2.10", email))).toEqual([400, "connection_test_failed"]);
    const headers = {
      ...from("192.0.2.11"),
      "nango-proxy-authorization": basicHeader(email, "not the password"),
      "nango-proxy-x-forwarded-for": "198.51.100.7",
    };
    expect((await linked.call("GET", "/api/v9/me", { headers })).status).toBe(403);
    const brought = await house.send("POST", "/connections", {
      json: {
        provider_config_key: integration,
        credentials: { type: "BASIC", username: email, password: "not the password" },
      },
      headers: { authorization: `Bearer ${key}`, ...from("192.0.2.12") },
    });
    expect(codeOf(brought)).toEqual([400, "connection_test_failed"]);
    expect((await refusedFrom()).slice(before)).toEqual(["192.0.2.10", "192.0.2.11", "192.0.2.12"]);
  });
});
