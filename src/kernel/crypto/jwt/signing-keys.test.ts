import { generateKeyPairSync, sign, verify } from "node:crypto";
import { inspect } from "node:util";

import { calculateJwkThumbprint, importJWK } from "jose";
import { describe, expect, test } from "vitest";

import { Secret } from "../../secret.ts";
import {
  exportPrivateKey,
  exportPublicKey,
  importPrivateKey,
  importPublicKey,
  kidFor,
  newSigningKey,
  toJwk,
} from "./signing-keys.ts";

const today = Date.UTC(2026, 10, 21, 12);

describe("a signing key", () => {
  test("survives its export: the pair that comes back signs and verifies for the first", () => {
    const made = newSigningKey();
    const back = importPrivateKey(exportPrivateKey(made.privateKey));
    const text = Buffer.from("text");
    expect(verify(null, text, made.publicKey, sign(null, text, back.privateKey))).toBe(true);
    expect(verify(null, text, back.publicKey, sign(null, text, made.privateKey))).toBe(true);
    expect(importPublicKey(exportPublicKey(made.publicKey)).equals(made.publicKey)).toBe(true);
    expect(exportPublicKey(made.publicKey)).toMatch(/^[\w-]{43}$/);
  });

  test("is new each time, and does not print", () => {
    const made = newSigningKey();
    const exported = exportPrivateKey(made.privateKey);
    expect(exportPublicKey(newSigningKey().publicKey)).not.toBe(exportPublicKey(made.publicKey));
    expect(`${inspect(made)} ${inspect(exported)} ${JSON.stringify({ exported })}`).not.toContain(
      exported.reveal().slice(-40),
    );
  });

  test("of another kind is refused", () => {
    const other = generateKeyPairSync("ed448");
    const pkcs8 = other.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
    expect(() => exportPrivateKey(other.privateKey)).toThrow("must be Ed25519, not ed448");
    expect(() => importPrivateKey(new Secret(pkcs8))).toThrow("must be Ed25519, not ed448");
    expect(() => exportPublicKey(other.publicKey)).toThrow("must be Ed25519, not ed448");
    expect(() => toJwk("2026-11-21", other.publicKey)).toThrow("must be Ed25519, not ed448");
    expect(() => importPrivateKey(new Secret("AAAA"))).toThrow(Error);
    expect(() => importPublicKey("AAAA")).toThrow(Error);
  });
});

describe("a published key", () => {
  test("A35 has the public members and no other, even when made from the private half", async () => {
    const made = newSigningKey();
    for (const half of [made.publicKey, made.privateKey]) {
      const jwk = toJwk("2026-11-21", half);
      expect(jwk).toStrictEqual({
        kty: "OKP",
        crv: "Ed25519",
        x: exportPublicKey(made.publicKey),
        kid: "2026-11-21",
        use: "sig",
        alg: "EdDSA",
      });
    }
  });

  test("is one that jose reads", async () => {
    const jwk = toJwk("2026-11-21", newSigningKey().publicKey);
    expect(await importJWK({ ...jwk }, "EdDSA")).toMatchObject({ type: "public" });
    expect(await calculateJwkThumbprint({ ...jwk })).toMatch(/^[\w-]{43}$/);
  });
});

test("the id of a key is its day, then -2, -3, … and never one that is taken", () => {
  expect(kidFor(today, new Set())).toBe("2026-11-21");
  expect(kidFor(today, new Set(["2026-11-20"]))).toBe("2026-11-21");
  expect(kidFor(today, new Set(["2026-11-21"]))).toBe("2026-11-21-2");
  expect(kidFor(today, new Set(["2026-11-21", "2026-11-21-2", "2026-11-21-4"]))).toBe("2026-11-21-3");
});
