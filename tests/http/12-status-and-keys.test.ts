import { createLocalJWKSet, createRemoteJWKSet, jwtVerify, type JSONWebKeySet } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const KeySet = z.object({
  keys: z.array(
    z.strictObject({
      kty: z.string(),
      crv: z.string(),
      x: z.string(),
      kid: z.string(),
      alg: z.string(),
      use: z.string(),
    }),
  ),
});

const paths = ["/api/v9/keys", "/.well-known/jwks.json"];

describe("GET /api/v9/status", () => {
  test("says OK to anybody", async () => {
    const reply = await house.send("GET", "/api/v9/status");

    expect([reply.status, reply.json()]).toEqual([200, { status: "OK" }]);
  });

  test.for([
    ["wrong Basic", { basic: ["nobody@example.com", "wrong"] as const }],
    ["a dead cookie", { session: "x" }],
  ] as const)("does not look at %s", async ([, sent]) => {
    expect((await house.send("GET", "/api/v9/status", sent)).status).toBe(200);
  });
});

describe("the public keys", () => {
  test.for(paths)("%s has nothing private, and may be kept for a minute", async (path) => {
    const reply = await house.send("GET", path);

    expect(reply.status).toBe(200);
    expect(reply.headers["cache-control"]).toBe("public, max-age=60");
    const { keys } = KeySet.parse(reply.json());
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({
      kty: "OKP",
      crv: "Ed25519",
      alg: "EdDSA",
      use: "sig",
      kid: expect.stringMatching(/^\d{4}-\d{2}-\d{2}(-\d+)?$/),
      x: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  test("are the same at both places", async () => {
    const [one, two] = await Promise.all(paths.map(async (path) => (await house.send("GET", path)).text));

    expect(one).toBe(two);
  });

  test.for(paths)("verify a session with a library that is not ours, over %s", async (path) => {
    const { session } = await house.person();
    const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${house.config.port}${path}`));

    const { payload } = await jwtVerify(session, keys, {
      issuer: house.config.origin.origin,
      audience: "track",
      algorithms: ["EdDSA"],
      typ: "JWT",
      currentDate: new Date(house.clock.now()),
    });

    expect(payload.sub).toHaveLength(22);
  });

  test("of another house do not", async () => {
    const other = await startHouse();
    const { session } = await other.person();
    const mine: JSONWebKeySet = KeySet.parse((await house.send("GET", "/api/v9/keys")).json());

    await expect(
      jwtVerify(session, createLocalJWKSet(mine), { currentDate: new Date(house.clock.now()) }),
    ).rejects.toThrow(/signature/i);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(403);
  });

  test("are the same after a restart", async () => {
    const before = await startHouse();
    const { text } = await before.send("GET", "/api/v9/keys");

    const after = await before.restart();

    expect((await after.send("GET", "/api/v9/keys")).text).toBe(text);
  });
});
