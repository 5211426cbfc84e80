import { afterAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startHouse, stopHouses } from "../support/house.ts";
import { createDatabase } from "../support/postgres.ts";
import { startRelay } from "../support/relay.ts";

afterAll(stopHouses);

const ok = { status: "ok" };

describe("GET /healthz and /readyz", () => {
  test.for(["/healthz", "/readyz"])("%s says ok, to anybody and under any host name", async (path) => {
    const house = await startHouse();

    for (const sent of [{}, { headers: { host: "10.1.2.3:8080" } }, { session: "x" }]) {
      const reply = await house.send("GET", path, sent);
      expect([reply.status, reply.json()]).toEqual([200, ok]);
      expect(reply.headers["cache-control"]).toBe("no-store");
      expect(reply.cookies).toEqual([]);
    }
  });

  test.for(["/healthz", "/readyz"])("%s tells nothing more than that", async (path) => {
    const house = await startHouse();

    const reply = await house.send("GET", path);

    expect(reply.text).toBe('{"status":"ok"}');
  });
});

const store = inject("store");
// A file on this machine is not out of reach; a server can be.
describe.for(store.kind === "postgres" ? [store] : [])("without the database", ({ adminUrl }) => {
  test("the process is alive and not ready, no answer hangs or is a 500, and it mends itself", async () => {
    const database = await createDatabase(adminUrl);
    const url = new URL(database.url);
    const relay = await startRelay({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${relay.port}`;
    const house = await startHouse({ LATCHKEY_DATABASE_URL: url.href });
    onTestFinished(async () => {
      await house.stop();
      await relay.cut();
      await database.drop();
    });
    const person = await house.person();
    const token = await house.tokenOf(person);
    const me = () => house.send("GET", "/api/v9/me", { basic: [token, "api_token"] });
    expect((await house.send("GET", "/readyz")).status).toBe(200);

    await relay.cut();

    // An answer is shared for a second.
    await expect.poll(async () => (await house.send("GET", "/readyz")).status, { timeout: 10_000 }).toBe(503);
    const unready = await house.send("GET", "/readyz");
    expect([unready.status, unready.json()]).toEqual([
      503,
      "The store can't be reached. Try again in a moment.",
    ]);
    expect(unready.headers["retry-after"]).toBe("1");
    expect((await house.send("GET", "/healthz")).json()).toEqual(ok);
    const { email, password } = person;
    const signIn = await house.send("POST", "/api/sessions", { json: { email, password } });
    expect([signIn.status, signIn.cookies]).toEqual([503, []]);
    // Without word from the store nobody knows whether the token was revoked meanwhile.
    await expect.poll(async () => (await me()).status, { timeout: 10_000 }).toBe(503);

    await relay.mend();

    await expect.poll(async () => (await house.send("GET", "/readyz")).status, { timeout: 10_000 }).toBe(200);
    expect((await me()).status).toBe(200);
  });
});
