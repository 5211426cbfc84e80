import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { scopes } from "#connect";
import { codeOf, connectClient, done, environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { answerAsToggl, errorOf, injected, linkedTo, type Linked } from "../support/proxied.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/**
 * A50, the proxy: it sends nobody's credentials to an address that did not accept them, reaches nothing that only this
 * machine can reach, and serves no other environment.
 */

let provider: Upstream;
/** Listed like the provider, and somebody else's. */
let other: Upstream;
/** On this machine, and not listed. */
let hidden: Upstream;
let house: TestHouse;
/** May do everything but read credentials. */
let key: string;
/** May read them, too. */
let reader: string;
beforeAll(async () => {
  [provider, other, hidden] = await Promise.all([startUpstream(), startUpstream(), startUpstream()]);
  answerAsToggl(provider);
  for (const one of [other, hidden]) one.answers("/take", { body: "taken" });
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: `${provider.origin},${other.origin}` });
  const readCredentials = "environment:connections:read_credentials";
  key = await environmentKey(
    house,
    "dev",
    scopes.filter((scope) => scope !== readCredentials),
  );
  reader = await environmentKey(house, "dev");
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([provider, other, hidden].map((one) => one.stop()));
});

let linked: Linked;
beforeEach(async () => {
  linked = await linkedTo(house, provider, key);
});

const asReader = { authorization: "" };
beforeAll(() => {
  asReader.authorization = `Bearer ${reader}`;
});

const leaked = (upstream: Upstream): boolean =>
  upstream.asked.some(({ rawHeaders, path }) => `${rawHeaders.join()}${path}`.includes(injected));

const audited = async (): Promise<readonly string[]> => {
  const { rows } = await sql<{ details: string }>`
    select details from audit_events where event = 'credentials_read' order by id`.execute(
    house.inside.store.query,
  );
  return rows.map(({ details }) => details).filter((details) => details.includes(linked.connection));
};

describe("A50 another address by Base-Url-Override", () => {
  test("is refused to a key that may not read credentials, before anything is sent", async () => {
    const before = other.asked.length;
    const reply = await linked.call("GET", "/take", { headers: { "base-url-override": other.origin } });
    expect(codeOf(reply)).toEqual([400, "base_url_override_not_allowed"]);
    expect(errorOf(reply)["message"]).toContain("environment:connections:read_credentials");
    expect(other.asked).toHaveLength(before);
  });

  test("of the same origin is anybody's", async () => {
    provider.answers("/v2/take", { body: "same" });
    const headers = { "base-url-override": `${provider.origin}/v2` };
    expect((await linked.call("GET", "/take", { headers })).text).toBe("same");
  });

  test("goes there for a key that may read them, which is written down as a read", async () => {
    const headers = { ...asReader, "base-url-override": `${other.origin}/` };
    for (let count = 0; count < 3; count++) {
      expect((await linked.call("GET", "/take", { headers })).text).toBe("taken");
    }
    expect(other.asked.at(-1)?.headers.authorization).toBe(injected);
    const events = await audited();
    expect(events).toHaveLength(1);
    expect(events[0]).toContain(other.origin);
    house.clock.advance(minute);
    await linked.call("GET", "/take", { headers });
    expect(await audited()).toHaveLength(2);
  });

  test("that refuses the credentials there says nothing about the connection", async () => {
    other.answers("/refuse", { status: 401 });
    const before = provider.asked.length;
    await linked.call("GET", "/refuse", { headers: { ...asReader, "base-url-override": other.origin } });
    await linked.call("GET", "/api/v9/me");
    expect(provider.asked).toHaveLength(before + 1);
  });

  test("does not reach what only this machine can reach, whoever asks", async () => {
    const { port } = hidden;
    const addresses = [
      hidden.origin,
      `http://localhost:${port}`,
      `https://localhost:${port}`,
      `http://0x7f000001:${port}`,
      `http://2130706433:${port}`,
      `http://0177.0.0.1:${port}`,
      `http://127.1:${port}`,
      `http://[::1]:${port}`,
      `http://[::ffff:127.0.0.1]:${port}`,
      `http://[::ffff:7f00:1]:${port}`,
      `https://[::ffff:127.0.0.1]:${port}`,
      `https://127.0.0.1:${port}`,
      `https://[64:ff9b::7f00:1]:${port}`,
      `https://0.0.0.0:${port}`,
      `https://10.0.0.1`,
      `https://192.168.1.1`,
      `https://169.254.169.254`,
      `http://169.254.169.254`,
      `https://[fd00:ec2::254]`,
      `https://100.100.100.200`,
      // A listed origin with another port or scheme is another origin.
      `https://127.0.0.1:${provider.port}`,
      `http://localhost:${provider.port}`,
      house.config.origin.origin,
      `http://127.0.0.1:${house.config.port}`,
      `https://localhost:${house.config.port}`,
    ];
    const before = provider.asked.length;
    for (const address of addresses) {
      const headers = { ...asReader, "base-url-override": address };
      const reply = await linked.call("GET", "/take", { headers });
      expect(codeOf(reply), address).toEqual([400, "base_url_override_not_allowed"]);
    }
    expect(hidden.connections).toBe(0);
    expect(provider.asked).toHaveLength(before);
  });
});

describe("A50 our own origin", () => {
  test("is no provider, even where the operator listed it", async () => {
    const { port } = house.config;
    const twin = await house.twin({
      LATCHKEY_ORIGIN: `http://localhost:${port}`,
      LATCHKEY_OUTBOUND_ALLOW: `http://localhost:${port},${provider.origin}`,
    });
    const headers = { ...linked.headers, ...asReader, "base-url-override": `http://localhost:${port}` };
    const reply = await twin.send("GET", "/proxy/healthz", { headers });
    expect(codeOf(reply)).toEqual([400, "base_url_override_not_allowed"]);
    expect(errorOf(reply)["message"]).toContain("is this server");
  });
});

describe("A50 a redirect", () => {
  const sendTo = (location: string, status = 302): void =>
    provider.answers("/go", { status, headers: { location } });

  test("within the origin keeps the credentials", async () => {
    sendTo("/api/v9/me");
    const reply = await linked.call("GET", "/go");
    expect(reply.status).toBe(200);
    expect(provider.asked.at(-1)).toMatchObject({ path: "/api/v9/me" });
    expect(provider.asked.at(-1)?.headers.authorization).toBe(injected);
  });

  test("to another origin takes neither the credentials nor the caller's headers along", async () => {
    sendTo(`${other.origin}/take?from=go`);
    const headers = { "nango-proxy-x-api-key": "mine", "nango-proxy-cookie": "a=1" };
    const reply = await linked.call("GET", "/go", { headers });
    expect(reply.text).toBe("taken");
    const asked = other.asked.at(-1);
    expect(asked?.path).toBe("/take?from=go");
    for (const name of ["authorization", "x-api-key", "cookie"]) expect(asked?.headers[name]).toBeUndefined();
  });

  test("takes the caller's headers along when they say so, and never the credentials", async () => {
    sendTo(`${other.origin}/take`);
    const headers = {
      "forward-headers-on-redirect": "true",
      "nango-proxy-x-api-key": "mine",
      "nango-proxy-cookie": "a=1",
    };
    await linked.call("GET", "/go", { headers });
    const asked = other.asked.at(-1);
    expect(asked?.headers["x-api-key"]).toBe("mine");
    expect(asked?.headers.authorization).toBeUndefined();
    expect(asked?.headers.cookie).toBeUndefined();
  });

  test("of a write is the caller's to follow", async () => {
    sendTo(`${other.origin}/take`, 307);
    const before = other.asked.length;
    const reply = await linked.call("POST", "/go", { body: "secret" });
    expect(reply.status).toBe(307);
    expect(reply.headers.location).toBe(`${other.origin}/take`);
    expect(other.asked).toHaveLength(before);
  });

  test("does not lead to what only this machine can reach", async () => {
    for (const location of [
      `${hidden.origin}/take`,
      `http://localhost:${hidden.port}/take`,
      `https://127.0.0.1:${hidden.port}/take`,
      "http://169.254.169.254/latest/meta-data/",
      `http://127.0.0.1:${house.config.port}/healthz`,
      `${house.config.origin.origin}/healthz`,
      `http://user:pw@127.0.0.1:${provider.port}/take`,
      "file:///etc/passwd",
    ]) {
      sendTo(location);
      const reply = await linked.call("GET", "/go");
      expect(codeOf(reply), location).toEqual([400, "address_refused"]);
    }
    expect(hidden.connections).toBe(0);
  });
});

describe("A50 a changed base_url", () => {
  const move = async (): Promise<void> => {
    await done(
      connectClient(house, key).patch(`/integrations/${linked.integration}`, {
        integration_config: { base_url: other.origin },
      }),
    );
  };

  test("ends what was linked at the address before, and nothing is sent to the new one", async () => {
    await linked.call("GET", "/api/v9/me");
    await move();
    const before = other.asked.length;
    const reply = await linked.call("GET", "/take");
    expect(codeOf(reply)).toEqual([424, "connection_failing"]);
    expect(errorOf(reply)["payload"]).toEqual({ state: "failing", state_reason: "origin_changed" });
    expect(other.asked).toHaveLength(before);
  });

  test("and asking whether the credentials work does not send them there either", async () => {
    await move();
    const before = other.asked.length;
    const named = { connection_id: linked.connection, provider_config_key: linked.integration };
    for (const one of [key, reader]) {
      const found = await done(connectClient(house, one).post("/connections/verify", named));
      expect(found).toMatchObject({ state: "failing", state_reason: "origin_changed" });
    }
    house.clock.advance(20 * minute);
    await linked.call("GET", "/take");
    await linked.call("GET", "/take", { headers: asReader });
    await house.inside.connect.flush();
    expect(other.asked.slice(before).filter(({ path: asked }) => asked !== "/take")).toEqual([]);
  });

  test("is followed for a key that may read credentials", async () => {
    await move();
    expect((await linked.call("GET", "/take", { headers: asReader })).text).toBe("taken");
    expect(other.asked.at(-1)?.headers.authorization).toBe(injected);
    expect(await audited()).toHaveLength(1);
  });
});

describe("A50 fences", () => {
  test("a connection of another environment is as none", async () => {
    const prod = await environmentKey(house, "prod");
    const reply = await linked.call("GET", "/api/v9/me", { headers: { authorization: `Bearer ${prod}` } });
    expect(codeOf(reply)).toEqual([404, "unknown_provider_config"]);
    const theirs = await linkedTo(house, provider, prod);
    const headers = { authorization: `Bearer ${prod}`, "provider-config-key": theirs.integration };
    expect(codeOf(await linked.call("GET", "/api/v9/me", { headers }))).toEqual([400, "unknown_connection"]);
  });

  test("only the scope of the proxy opens it", async () => {
    for (const scope of scopes) {
      const one = await environmentKey(house, "dev", [scope]);
      const reply = await linked.call("GET", "/api/v9/me", { headers: { authorization: `Bearer ${one}` } });
      expect(reply.status, scope).toBe(scope === "environment:proxy" ? 200 : 403);
    }
  });

  test("nothing but a key opens it", async () => {
    const person = await house.person();
    const session = await done(connectClient(house, key).post("/connect/sessions", { tags: {} }));
    const token = String(Reflect.get(Object(session["data"]), "token"));
    const before = provider.asked.length;
    for (const authorization of [
      `Bearer ${token}`,
      `Basic ${btoa(`${person.email}:${person.password}`)}`,
      `Basic ${btoa(`${await house.tokenOf(person)}:api_token`)}`,
      "Bearer lk_dev_0000",
      "",
    ]) {
      const reply = await linked.call("GET", "/api/v9/me", {
        headers: { authorization },
        session: person.session,
      });
      expect(reply.status, authorization).toBe(401);
    }
    expect(provider.asked).toHaveLength(before);
  });
});

test("A50 the provider that was not asked to know the credentials never saw them", () => {
  expect(leaked(hidden)).toBe(false);
  expect(house.logs.some((line) => line.includes(injected) || line.includes(injected.slice(6)))).toBe(false);
});
