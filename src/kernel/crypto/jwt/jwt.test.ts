import { createPublicKey, generateKeyPairSync } from "node:crypto";

import fc from "fast-check";
import { jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";

import { newHexId, newPublicId, systemRandom } from "../../ids.ts";
import {
  accept,
  claims,
  forged,
  header,
  iat,
  issuer,
  keys,
  kid,
  now,
  pair,
  payload,
  token,
} from "./jwt.fixture.ts";
import { type SessionClaims, signJwt, verifyJwt } from "./jwt.ts";

describe("a token of ours", () => {
  test("has exactly the header and payload of the contract", () => {
    const [head = "", body = ""] = token.split(".");
    expect(Buffer.from(head, "base64url").toString()).toBe('{"alg":"EdDSA","kid":"2026-11-21","typ":"JWT"}');
    expect(Buffer.from(body, "base64url").toString()).toBe(
      `{"aud":["track"],"exp":1797419200,"iat":1795000000,"iss":"${issuer}",` +
        '"jti":"0123456789abcdef0123456789abcdef","nbf":1794999700,"sub":"23456789ABCDEFGHJKLMNP"}',
    );
    expect(token).toBe(forged(header, payload));
  });

  test("is accepted, with the claims that were signed, and jose says the same", async () => {
    expect(accept(token)).toEqual(claims);
    const read = await jwtVerify(token, pair.publicKey, {
      issuer,
      audience: "track",
      algorithms: ["EdDSA"],
      currentDate: new Date(now),
    });
    expect(read.payload).toEqual(claims);
  });

  test("of jose's making is accepted when its bytes are ours", async () => {
    const made = await new SignJWT({ ...claims, aud: ["track"] })
      .setProtectedHeader({ alg: "EdDSA", kid, typ: "JWT" })
      .sign(pair.privateKey);
    expect(made).toBe(token);
    expect(accept(made)).toEqual(claims);
  });

  test("carries any account, session and time, and agrees with jose on all of them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          iat: fc.integer({ min: iat - 3_000_000, max: iat + 1000 }),
          life: fc.integer({ min: 1, max: 2_419_200 }),
          later: fc.integer({ min: -1000, max: 3_000_000 }),
          aud: fc.constantFrom("track", "connect"),
          key: fc.constantFrom(kid, "2026-11-21-2"),
        }),
        async ({ iat: at, life, later, aud, key }) => {
          const made: SessionClaims = {
            aud: [aud],
            exp: at + life,
            iat: at,
            iss: issuer,
            jti: newHexId(systemRandom),
            nbf: at - 300,
            sub: newPublicId(systemRandom),
          };
          const signed = signJwt(made, { kid: key, privateKey: pair.privateKey });
          const time = (at + later) * 1000;
          const oracle = await jwtVerify(
            signed,
            (head) => keys.get(String(head.kid)) ?? Promise.reject(new Error()),
            {
              issuer,
              audience: "track",
              currentDate: new Date(time),
            },
          ).then(
            (read) => read.payload,
            () => undefined,
          );
          expect(accept(signed, { now: time })).toEqual(oracle);
        },
      ),
      { seed: 9, numRuns: 200 },
    );
  });
});

test("A35 a key that is no longer trusted opens nothing, at once", () => {
  const trusted = new Map([[kid, pair.publicKey]]);
  const checks = { key: (id: string) => trusted.get(id), issuer, audience: "track", now };
  expect(verifyJwt(token, checks)).toEqual(claims);
  trusted.delete(kid);
  expect(verifyJwt(token, checks)).toBeUndefined();
  trusted.set(kid, createPublicKey(generateKeyPairSync("ed25519").privateKey));
  expect(verifyJwt(token, checks)).toBeUndefined();
});
