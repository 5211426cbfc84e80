import { copyFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { createDatabase, run, startThrowAway, type TestPostgres } from "../support/postgres.ts";

const store = inject("store");

// A file has no standby. The server is one of its own, because the whole of it is turned.
describe.for(store.kind === "postgres" ? [store] : [])("the database changes hands", () => {
  let server: TestPostgres;
  let url: string;
  let house: TestHouse;

  beforeAll(async () => {
    server = await startThrowAway();
  });
  afterEach(async () => {
    await serverWrites("on");
    await stopHouses();
  });
  afterAll(() => server.stop());

  /** What sessions that are there already are allowed from now on, as after a demotion in place. */
  const serverWrites = async (allowed: "on" | "off"): Promise<void> => {
    await run(
      server.adminUrl,
      `alter system set default_transaction_read_only = ${allowed === "on" ? "off" : "on"}`,
    );
    await run(server.adminUrl, "select pg_reload_conf()");
  };
  const newSessionsWrite = (allowed: "on" | "off"): Promise<void> =>
    run(
      server.adminUrl,
      `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = ${allowed === "on" ? "off" : "on"}`,
    );

  const open = async (): Promise<void> => {
    ({ url } = await createDatabase(server.adminUrl));
    house = await startHouse({ LATCHKEY_DATABASE_URL: url, LATCHKEY_SIGN_UPS: "1000" });
  };

  const readiness = async (): Promise<number> => (await house.send("GET", "/readyz")).status;

  test("connections that can only read are thrown away, and no sign-in pays for them", async () => {
    await open();
    const { email, password } = await house.person();
    const signIns = async (): Promise<readonly number[]> =>
      Promise.all(
        Array.from({ length: 12 }, async () => {
          const reply = await house.send("POST", "/api/sessions", { json: { email, password } });
          return reply.status;
        }),
      );
    // The pool is warm: as many connections as it may have.
    expect(new Set(await signIns())).toEqual(new Set([200]));

    await newSessionsWrite("on");
    await serverWrites("off");

    for (let round = 0; round < 5; round += 1) expect(new Set(await signIns())).toEqual(new Set([200]));
    expect(await readiness()).toBe(200);
  });

  test("a process that only reaches a server that reads says so, and serves nothing from memory", async () => {
    await open();
    const person = await house.person();
    const token = await house.tokenOf(person);
    const me = async (): Promise<number> =>
      (await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status;
    expect([await me(), await readiness()]).toEqual([200, 200]);

    await newSessionsWrite("off");
    await serverWrites("off");

    await expect.poll(readiness, { timeout: 10_000 }).toBe(503);
    // What was revoked since is not known here: the account may be locked.
    await expect.poll(me, { timeout: 10_000 }).toBe(503);
    expect(house.inside.store.changes.isCurrent()).toBe(false);
    expect((await house.send("GET", "/healthz")).status).toBe(200);

    await serverWrites("on");
    await newSessionsWrite("on");

    await expect.poll(readiness, { timeout: 10_000 }).toBe(200);
    await expect.poll(me, { timeout: 10_000 }).toBe(200);
    expect((await house.person()).session).toBeTruthy();
  });
});

describe.for(store.kind === "sqlite" ? [store] : [])("the database file", () => {
  afterEach(stopHouses);

  test.for(["deleted", "replaced"])("is %s under a running server, which says so", async (how) => {
    const house = await startHouse();
    const readiness = async (): Promise<number> => (await house.send("GET", "/readyz")).status;
    expect(await readiness()).toBe(200);

    const path = join(house.config.dataFolder, "latchkey.db");
    if (how === "replaced") await copyFile(path, `${path}.copy`);
    await unlink(path);
    if (how === "replaced") await rename(`${path}.copy`, path);

    await expect.poll(readiness, { timeout: 10_000 }).toBe(503);
    expect(house.logs.join("")).toMatch(how === "replaced" ? /it was replaced/ : /ENOENT/);
  });
});
