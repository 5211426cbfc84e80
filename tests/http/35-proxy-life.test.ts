import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { codeOf, connectClient, done, type ConnectClient } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import { answerAsToggl, askedAt, errorOf, proxySuite, type Linked } from "../support/proxied.ts";
import type { Asked, Upstream } from "../support/upstream.ts";

/** What calls have to do with the life of a connection: when it was used, and whether it still works. */

let upstream: Upstream;
let house: TestHouse;
let linked: Linked;
let app: ConnectClient;
proxySuite((proxied) => {
  ({ upstream, house, linked } = proxied);
  app = connectClient(house, proxied.key);
});

const pathOf = ({ connection, integration }: Linked): string =>
  `/connections/${connection}?provider_config_key=${integration}`;

const stateOf = async (of = linked): Promise<readonly unknown[]> => {
  const { state, state_reason: reason } = await done(app.get(pathOf(of)));
  return [state, reason];
};

const lastUsed = async (): Promise<unknown> => {
  const { rows } = await sql<{ last_used_at: number | null }>`
    select last_used_at from connections where connection_id = ${linked.connection}`.execute(
    house.inside.store.query,
  );
  return rows[0]?.last_used_at;
};

/** How often something changed that is cached. */
const changes = async (): Promise<number> => {
  const { rows } = await sql<{ seq: number }>`select seq from change_counter`.execute(
    house.inside.store.query,
  );
  return Number(rows[0]?.seq);
};

/** How often the provider was asked whose the credentials are. */
const checks = (): number => askedAt(upstream, "/api/v9/me").length;

const refuseAt = (path: string, status: number): void => upstream.answers(path, { status });

describe("The use of a connection", () => {
  test("is written down together, and not with each call", async () => {
    await linked.call("GET", "/api/v9/me");
    house.clock.advance(1000);
    await linked.call("GET", "/api/v9/me");
    expect(await lastUsed()).toBeNull();
    await house.inside.connect.flush();
    expect(await lastUsed()).toBe(house.clock.now());
  });

  /** A flush while the store does not take what belongs into this table. */
  const flushWithout = async (table: string): Promise<void> => {
    const { query } = house.inside.store;
    const [here, away] = [sql.table(table), sql.table(`${table}_away`)];
    await sql`alter table ${here} rename to ${away}`.execute(query);
    await expect(house.inside.connect.flush()).rejects.toThrow(table);
    await sql`alter table ${away} rename to ${here}`.execute(query);
  };

  test("is not lost while the store does not take it", async () => {
    // With credentials: that they were read is written in the same transaction.
    expect((await app.get(pathOf(linked))).status).toBe(200);
    const usedAt = house.clock.now();
    await flushWithout("audit_events");
    expect(await lastUsed()).toBeNull();

    house.clock.advance(1000);
    await house.inside.connect.flush();
    expect(await lastUsed()).toBe(usedAt);
  });

  test("does not wait for that of the key, and that of the key is not lost either", async () => {
    house.clock.advance(minute);
    await linked.call("GET", "/api/v9/me");
    const usedAt = house.clock.now();
    await flushWithout("environment_keys");
    expect(await lastUsed()).toBe(usedAt);

    house.clock.advance(1000);
    await house.inside.connect.flush();
    const { rows } = await sql<{ at: number }>`select max(last_used_at) as at from environment_keys`.execute(
      house.inside.store.query,
    );
    expect(rows[0]?.at).toBe(usedAt);
  });
});

describe("What changes a connection holds for the next call", () => {
  test("its end, here and in another process", async () => {
    const twin = await house.twin();
    const elsewhere = () => twin.send("GET", "/proxy/api/v9/me", { headers: linked.headers });
    expect((await elsewhere()).status).toBe(200);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
    await done(app.delete(pathOf(linked)));
    expect(codeOf(await linked.call("GET", "/api/v9/me"))).toEqual([400, "unknown_connection"]);
    await expect.poll(async () => (await elsewhere()).status).toBe(400);
  });

  test("the end of the key", async () => {
    const name = `key-${linked.integration}`;
    const made = await house.inside.connect.use.createEnvironmentKey({ environment: "dev", name });
    const headers = { authorization: `Bearer ${made.key.reveal()}` };
    expect((await linked.call("GET", "/api/v9/me", { headers })).status).toBe(200);
    await house.inside.connect.use.revokeEnvironmentKey({ environment: "dev", name });
    expect(codeOf(await linked.call("GET", "/api/v9/me", { headers }))).toEqual([401, "unknown_account"]);
  });

  test("new credentials", async () => {
    const other = "ffffffffffffffffffffffffffffffff";
    await linked.call("GET", "/api/v9/me");
    upstream.answers("/api/v9/me", { body: '{"id":4242}' });
    await done(
      app.patch(pathOf(linked), { credentials: { type: "BASIC", username: other, password: "api_token" } }),
    );
    await linked.call("GET", "/other");
    expect(upstream.asked.at(-1)?.headers.authorization).toBe(`Basic ${btoa(`${other}:api_token`)}`);
  });

  test("another path of the same origin in the integration's address", async () => {
    await linked.call("GET", "/api/v9/me");
    await done(
      app.patch(`/integrations/${linked.integration}`, {
        integration_config: { base_url: `${upstream.origin}/behind/a%20slash/` },
      }),
    );
    await linked.call("GET", "/x%2Fy/?z");
    expect(upstream.asked.at(-1)?.path).toBe("/behind/a%20slash/x%2Fy/?z");
  });
});

describe("A call that the provider refuses", () => {
  test.for([401, 403])("by %i has the credentials checked once, and is told as it is", async (status) => {
    refuseAt("/me/private", status);
    const before = checks();
    for (let count = 0; count < 3; count++) {
      expect((await linked.call("GET", "/me/private")).status).toBe(status);
    }
    await expect.poll(() => checks() - before).toBe(1);
    expect(await stateOf()).toEqual(["live", null]);
    house.clock.advance(minute);
    await linked.call("GET", "/me/private");
    await expect.poll(() => checks() - before).toBe(2);
  });

  test("turns the connection failing when the credentials are refused too, and no more calls are made", async () => {
    refuseAt("/api/v9/me", 403);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(403);
    await expect.poll(() => stateOf()).toEqual(["failing", "credentials_refused"]);
    const before = upstream.asked.length;
    const reply = await linked.call("GET", "/anything");
    expect(codeOf(reply)).toEqual([424, "connection_failing"]);
    expect(errorOf(reply)).toMatchObject({
      payload: { state: "failing", state_reason: "credentials_refused" },
    });
    expect(upstream.asked).toHaveLength(before);
  });

  test("is not the end: while calls come, the provider is asked again, and seldom", async () => {
    refuseAt("/api/v9/me", 403);
    await linked.call("GET", "/api/v9/me");
    await expect.poll(() => stateOf()).toEqual(["failing", "credentials_refused"]);
    const before = checks();
    answerAsToggl(upstream);
    house.clock.advance(10 * minute - 1);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(424);
    expect(checks()).toBe(before);
    house.clock.advance(1);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(424);
    await expect.poll(() => stateOf()).toEqual(["live", null]);
    expect(checks()).toBe(before + 1);
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
  });

  /** One check, which a refusal caused that came a minute after whatever came before. */
  const expectOnlyNextChecked = async (before: number): Promise<void> => {
    refuseAt("/me/private", 403);
    house.clock.advance(minute);
    await linked.call("GET", "/me/private");
    await expect.poll(() => checks() - before).toBe(1);
    await linked.call("GET", "/after");
    expect(checks() - before).toBe(1);
    expect(await stateOf()).toEqual(["live", null]);
  };

  test.for([402, 404, 429, 500, 503])("by %i says nothing about credentials", async (status) => {
    refuseAt("/busy", status);
    const before = checks();
    await linked.call("GET", "/busy");
    await expectOnlyNextChecked(before);
  });

  test("while the provider is out of quota leaves the connection as it is", async () => {
    refuseAt("/me/private", 403);
    refuseAt("/api/v9/me", 402);
    const before = checks();
    await linked.call("GET", "/me/private");
    await expect.poll(() => checks() - before).toBe(1);
    await expect.poll(() => house.logs.join()).toContain("connection_not_checked");
    expect(await stateOf()).toEqual(["live", null]);
  });

  test("for credentials of the caller's own is no matter of the connection", async () => {
    refuseAt("/theirs", 401);
    const before = checks();
    await linked.call("GET", "/theirs", { headers: { "nango-proxy-authorization": "Bearer mine" } });
    await expectOnlyNextChecked(before);
  });

  test("does not undo what was linked while it was checked", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let first: Asked | undefined;
    refuseAt("/me/private", 403);
    upstream.answers("/api/v9/me", (asked) => {
      first ??= asked;
      return asked === first ? { after: promise, status: 403 } : { body: '{"id":4242}' };
    });
    await linked.call("GET", "/me/private");
    await expect.poll(() => first).toBeDefined();
    const credentials = {
      type: "BASIC",
      username: "ffffffffffffffffffffffffffffffff",
      password: "api_token",
    };
    await done(app.patch(pathOf(linked), { credentials }));
    const before = await changes();
    resolve(undefined);
    await expect.poll(() => changes()).toBeGreaterThan(before);
    expect(await stateOf()).toEqual(["live", null]);
  });
});
