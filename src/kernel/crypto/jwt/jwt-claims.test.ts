import fc from "fast-check";
import { CompactSign } from "jose";
import { describe, expect, test } from "vitest";

import { accept, claims, forged, header, iat, issuer, kid, pair, payload, token } from "./jwt.fixture.ts";

const withClaims = (change: Record<string, unknown>) =>
  forged(header, JSON.stringify({ ...claims, ...change }));

describe("A33 claims games", () => {
  const notTimes = [
    undefined,
    null,
    -1,
    0,
    1.5,
    iat + 0.5,
    1e300,
    2 ** 53,
    253_402_300_800,
    `${iat}`,
    true,
    [iat],
    {},
  ];

  test.each(["exp", "iat", "nbf"])("%s must be a whole number of seconds in bounds", (name) => {
    for (const value of notTimes) expect(accept(withClaims({ [name]: value }))).toBeUndefined();
  });

  test.each([
    ["iss", [undefined, null, "", `${issuer}/`, issuer.toUpperCase(), "https://evil.example", [issuer], 1]],
    [
      "aud",
      [undefined, null, "track", [], ["connect"], ["track", "connect"], ["track", "track"], [["track"]], [1]],
    ],
    [
      "jti",
      [
        undefined,
        null,
        "",
        "0123",
        "0123456789ABCDEF0123456789ABCDEF",
        `${claims.jti}0`,
        `${claims.jti}\n`,
        1,
      ],
    ],
    [
      "sub",
      [undefined, null, "", "2345", "03456789ABCDEFGHJKLMNP", `${claims.sub}2`, `${claims.sub}\n`, ["x"], 1],
    ],
  ])("%s must be exactly of its form", (name, values) => {
    for (const value of values) expect(accept(withClaims({ [name]: value }))).toBeUndefined();
  });

  test("times are held against the clock, to the millisecond at both ends", () => {
    expect(accept(token, { now: claims.exp * 1000 - 1 })).toEqual(claims);
    expect(accept(token, { now: claims.exp * 1000 })).toBeUndefined();
    expect(accept(token, { now: claims.nbf * 1000 })).toEqual(claims);
    expect(accept(token, { now: claims.nbf * 1000 - 1 })).toBeUndefined();
  });

  test.each([
    ["that expired", { exp: iat + 1 }],
    ["not valid yet", { nbf: iat + 2, iat: iat + 2 }],
    ["issued after it expires", { iat: iat + 200, exp: iat + 100 }],
    ["expiring as it is issued", { iat: iat + 200, exp: iat + 200 }],
    ["valid after it was issued", { nbf: iat + 1, iat }],
    ["issued in a future that no clock skew explains", { iat: iat + 302, exp: iat + 1000 }],
    ["living longer than 28 days", { exp: iat + 2_419_201 }],
    ["with a claim more", { admin: true }],
    ["with a claim named __proto__", Object.fromEntries([["__proto__", { x: 1 }]])],
  ])("a token %s is refused", (_, change) => {
    expect(accept(withClaims(change), { now: iat * 1000 + 1500 })).toBeUndefined();
  });

  test.each([
    ["a repeated exp", payload.replace('"exp":', '"exp":1,"exp":')],
    ["a repeated sub", payload.replace('"sub":', '"sub":"222222222222222222222","sub":')],
    ["an exponent", payload.replace(/"exp":\d+/, '"exp":1.7974192e9')],
    ["a decimal point", payload.replace(/("exp":\d+)/, "$1.0")],
    ["another order", JSON.stringify(Object.fromEntries(Object.entries(claims).toReversed()))],
    ["white space", `${payload}\n`],
    ["an escape", payload.replace("track", "\\u0074rack")],
    ["a prototype for claims", '{"__proto__":{}}'],
    ["a list", `[${payload}]`],
    ["null", "null"],
    ["no JSON", payload.slice(0, -1)],
    ["nesting", "[".repeat(2000)],
  ])("a payload with %s is refused", (_, text) => {
    expect(accept(forged(header, text))).toBeUndefined();
  });

  test("another issuer or audience than ours is refused", () => {
    expect(accept(token, { issuer: "https://other.example" })).toBeUndefined();
    expect(accept(token, { audience: "connect" })).toBeUndefined();
  });

  test("payloads that jose signs with anything inside never pass", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const made = await new CompactSign(Buffer.from(text))
          .setProtectedHeader({ alg: "EdDSA", kid, typ: "JWT" })
          .sign(pair.privateKey);
        expect(accept(made)).toBeUndefined();
      }),
      { seed: 10, numRuns: 100 },
    );
  });
});
