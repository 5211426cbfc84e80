import { createHmac, generateKeyPairSync, sign } from "node:crypto";

import { describe, expect, test } from "vitest";

import {
  accept,
  base64url,
  claims,
  forged,
  header,
  issuer,
  kid,
  now,
  pair,
  payload,
  token,
} from "./jwt.fixture.ts";
import { signJwt, verifyJwt } from "./jwt.ts";

describe("A32 alg and header games", () => {
  const publicForms = [
    pair.publicKey.export({ format: "pem", type: "spki" }).toString(),
    pair.publicKey.export({ format: "der", type: "spki" }),
    JSON.stringify(pair.publicKey.export({ format: "jwk" })),
    ` ${pair.publicKey.export({ format: "pem", type: "spki" }).toString()}`,
    Buffer.from(pair.publicKey.export({ format: "jwk" }).x ?? "", "base64url"),
  ];

  test("HMAC with the public key as secret is refused, in every form of that key", () => {
    for (const secret of publicForms) {
      for (const alg of ["HS256", "EdDSA"]) {
        const signed = `${base64url(JSON.stringify({ alg, kid, typ: "JWT" }))}.${base64url(payload)}`;
        for (const hash of ["sha256", "sha512"]) {
          const mac = createHmac(hash, secret).update(signed).digest("base64url");
          expect(accept(`${signed}.${mac}`)).toBeUndefined();
        }
      }
    }
  });

  test.each([
    "none",
    "None",
    "NONE",
    "nOnE",
    " none",
    "none ",
    "",
    "HS256",
    "RS256",
    "ES256",
    "Ed25519",
    "Ed448",
    "eddsa",
    "EdDSA ",
    "EdDSA\\u0000",
  ])("alg %j is refused, signed or not", (alg) => {
    const head = `{"alg":"${alg}","kid":"${kid}","typ":"JWT"}`;
    expect(accept(forged(head, payload))).toBeUndefined();
    expect(accept(`${base64url(head)}.${base64url(payload)}.`)).toBeUndefined();
    expect(accept(`${base64url(head)}.${base64url(payload)}`)).toBeUndefined();
    expect(accept(`${base64url(head)}.${base64url(payload)}.${token.split(".")[2]}`)).toBeUndefined();
  });

  test.each([
    ["crit", { crit: ["exp"] }],
    ["b64", { b64: false, crit: ["b64"] }],
    ["b64 true", { b64: true }],
    ["an embedded jwk", { jwk: pair.publicKey.export({ format: "jwk" }) }],
    ["jku", { jku: "https://evil.example/keys" }],
    ["x5u", { x5u: "https://evil.example/cert" }],
    ["x5c", { x5c: ["AAAA"] }],
    ["cty", { cty: "JWT" }],
    ["zip", { zip: "DEF" }],
    ["another typ", { typ: "at+jwt" }],
    ["typ in lower case", { typ: "jwt" }],
    ["a missing typ", { typ: undefined }],
    ["a missing alg", { alg: undefined }],
    ["alg as a list", { alg: ["EdDSA"] }],
    ["a missing kid", { kid: undefined }],
    ["an empty kid", { kid: "" }],
    ["an unknown kid", { kid: "2026-11-22" }],
    ["kid as a number", { kid: 2026 }],
    ["kid as a list", { kid: [kid] }],
    ["a kid that is a path", { kid: "../../../dev/null" }],
    ["a kid of the prototype", { kid: "__proto__" }],
    ["a kid with SQL", { kid: `${kid}' OR '1'='1` }],
    ["a kid with a line end", { kid: `${kid}\n` }],
    ["a huge kid", { kid: `${kid}-${"1".repeat(2000)}` }],
  ])("%s is refused though truly signed", (_, change) => {
    expect(
      accept(forged(JSON.stringify({ alg: "EdDSA", kid, typ: "JWT", ...change }), payload)),
    ).toBeUndefined();
  });

  test("a strange kid never reaches the look-up of keys", () => {
    const asked: string[] = [];
    for (const strange of ["../x", "__proto__", "constructor", "", "k1", kid, `${kid}-2`, `${kid}-02`]) {
      const made = signJwt(claims, { kid: strange, privateKey: pair.privateKey });
      const key = (id: string) => void asked.push(id);
      expect(verifyJwt(made, { key, issuer, audience: "track", now })).toBeUndefined();
    }
    expect(asked).toEqual([kid, `${kid}-2`]);
  });

  test.each([
    ["a repeated alg", `{"alg":"none","alg":"EdDSA","kid":"${kid}","typ":"JWT"}`],
    ["a repeated kid", `{"alg":"EdDSA","kid":"x","kid":"${kid}","typ":"JWT"}`],
    ["another order", `{"typ":"JWT","alg":"EdDSA","kid":"${kid}"}`],
    ["white space", `{"alg":"EdDSA", "kid":"${kid}","typ":"JWT"}`],
    ["an escaped letter", `{"alg":"\\u0045dDSA","kid":"${kid}","typ":"JWT"}`],
    ["a byte order mark", `\ufeff${header}`],
    ["no object", '"EdDSA"'],
    ["null", "null"],
    ["a list", `[${header}]`],
    ["no JSON", "{"],
  ])("a header with %s is refused", (_, text) => {
    expect(accept(forged(text, payload))).toBeUndefined();
  });

  test("a key of another kind is refused, even when its own signature fits", () => {
    for (const other of [generateKeyPairSync("ed448"), generateKeyPairSync("ec", { namedCurve: "P-256" })]) {
      const signed = `${base64url(header)}.${base64url(payload)}`;
      const signature = base64url(sign(null, Buffer.from(signed), other.privateKey));
      for (const text of [signature, signature.slice(0, 86)]) {
        const key = () => other.publicKey;
        expect(verifyJwt(`${signed}.${text}`, { key, issuer, audience: "track", now })).toBeUndefined();
      }
    }
    const key = () => pair.privateKey;
    expect(verifyJwt(token, { key, issuer, audience: "track", now })).toBeUndefined();
  });

  test("a token signed by a stranger under our kid is refused", () => {
    const stranger = generateKeyPairSync("ed25519");
    expect(accept(signJwt(claims, { kid, privateKey: stranger.privateKey }))).toBeUndefined();
  });
});
