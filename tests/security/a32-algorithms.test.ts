import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { base64url, forge, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { expectAllRefused, statusOf } from "../support/opens.ts";
import { operatorIn } from "../support/operator.ts";

let house: TestHouse;
let claims: string;
let kid: string;
let privateKey: KeyObject;
let publicJwk: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  const { session } = await house.person();
  claims = partsOf(session).claims;
  ({ kid, privateKey } = await (await operatorIn(house)).signingKeys.current());
  [publicJwk = {}] = jwksOf((await house.send("GET", "/.well-known/jwks.json")).json());
});
afterAll(stopHouses);

type Jwk = Readonly<Record<string, unknown>>;
const jwksOf = (body: unknown): readonly Jwk[] => {
  if (typeof body !== "object" || body === null || !("keys" in body) || !Array.isArray(body.keys)) return [];
  return body.keys.map((key: unknown) => (typeof key === "object" && key !== null ? { ...key } : {}));
};

const headerWith = (changes: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ alg: "EdDSA", kid, typ: "JWT", ...changes });

/** A name for each token, so that one that gets through is told by its name. */
const named = (tokens: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(tokens));

test("A32 a token that is made as the server makes it is let in, so that what follows is refused for its own sake", async () => {
  expect(await statusOf(house, forge(headerWith({}), claims, privateKey))).toBe(200);
});

test("A32 no algorithm is no algorithm, however it is spelled and whatever stands for the signature", async () => {
  const words = ["none", "None", "NONE", "nOnE", " none", "none ", "none\u0000", "", "null"];
  const tokens = new Map<string, string>();
  for (const alg of words) {
    const signed = `${base64url(headerWith({ alg }))}.${base64url(claims)}`;
    tokens.set(`${alg}, no signature`, `${signed}.`);
    tokens.set(`${alg}, two parts`, signed);
    tokens.set(`${alg}, zeros`, `${signed}.${base64url(Buffer.alloc(64))}`);
    tokens.set(`${alg}, truly signed`, forge(headerWith({ alg }), claims, privateKey));
  }
  const alone = base64url(JSON.stringify({ alg: "none" }));
  tokens.set("nothing but the algorithm", `${alone}.${base64url(claims)}.`);
  await expectAllRefused(house, tokens);
});

test("A32 the public key is not the secret of an HMAC, in no form in which it can be had", async () => {
  const { createPublicKey } = await import("node:crypto");
  const publicKey = createPublicKey(privateKey);
  const pem = String(publicKey.export({ format: "pem", type: "spki" }));
  const secrets: Readonly<Record<string, string | Buffer>> = {
    PEM: pem,
    "PEM without its last line end": pem.trimEnd(),
    "PEM behind a blank": ` ${pem}`,
    DER: publicKey.export({ format: "der", type: "spki" }),
    JWK: JSON.stringify(publicJwk),
    "the x of the JWK": String(publicJwk["x"]),
    "the bytes of x": Buffer.from(String(publicJwk["x"]), "base64url"),
    nothing: "",
  };
  const tokens = new Map<string, string>();
  for (const [algorithm, hash] of [
    ["HS256", "sha256"],
    ["HS384", "sha384"],
    ["HS512", "sha512"],
  ] as const) {
    for (const alg of [algorithm, "EdDSA"]) {
      const signed = `${base64url(headerWith({ alg }))}.${base64url(claims)}`;
      for (const [name, secret] of Object.entries(secrets)) {
        const tag = createHmac(hash, secret).update(signed).digest("base64url");
        tokens.set(`${algorithm} as ${alg} with ${name}`, `${signed}.${tag}`);
      }
    }
  }
  await expectAllRefused(house, tokens);
});

test("A32 other algorithms are refused, with their own good signatures and with ours", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const strange = generateKeyPairSync("ed25519").privateKey;
  const signedBy = (alg: string, key: KeyObject): string => {
    const signed = `${base64url(headerWith({ alg }))}.${base64url(claims)}`;
    const input = Buffer.from(signed);
    if (key === ec)
      return `${signed}.${base64url(sign("sha256", input, { key, dsaEncoding: "ieee-p1363" }))}`;
    return `${signed}.${base64url(sign(key === rsa ? "sha256" : null, input, key))}`;
  };
  const words = ["RS256", "PS256", "ES256", "ES256K", "Ed25519", "eddsa", "EDDSA", "EdDSA ", " EdDSA"];
  const tokens = new Map<string, string>([
    ["RS256 by its own key", signedBy("RS256", rsa)],
    ["ES256 by its own key", signedBy("ES256", ec)],
    ["EdDSA by an RSA key", signedBy("EdDSA", rsa)],
    ["EdDSA by an EC key", signedBy("EdDSA", ec)],
    ["EdDSA by a stranger's key", signedBy("EdDSA", strange)],
    ...words.map(
      (alg) => [`${alg} over our signature`, forge(headerWith({ alg }), claims, privateKey)] as const,
    ),
  ]);
  for (const alg of [null, 1, true, ["EdDSA"], { alg: "EdDSA" }]) {
    tokens.set(JSON.stringify({ alg }), forge(headerWith({ alg }), claims, privateKey));
  }
  await expectAllRefused(house, tokens);
});

test("A32 headers that change what is checked are refused although our key signed them", async () => {
  const unencoded = `${base64url(headerWith({ b64: false, crit: ["b64"] }))}.${claims}`;
  const twice = (first: string, second: string): string => `{"alg":"EdDSA",${first},${second},"typ":"JWT"}`;
  await expectAllRefused(
    house,
    named({
      crit: forge(headerWith({ crit: ["exp"] }), claims, privateKey),
      "empty crit": forge(headerWith({ crit: [] }), claims, privateKey),
      "b64 false": forge(headerWith({ b64: false, crit: ["b64"] }), claims, privateKey),
      "b64 true": forge(headerWith({ b64: true }), claims, privateKey),
      "b64 false, claims as they are": `${unencoded}.${base64url(sign(null, Buffer.from(unencoded), privateKey))}`,
      zip: forge(headerWith({ zip: "DEF" }), claims, privateKey),
      "cty JWT": forge(headerWith({ cty: "JWT" }), claims, privateKey),
      "another typ": forge(headerWith({ typ: "at+jwt" }), claims, privateKey),
      "typ in small letters": forge(headerWith({ typ: "jwt" }), claims, privateKey),
      "no typ": forge(JSON.stringify({ alg: "EdDSA", kid }), claims, privateKey),
      "no alg": forge(JSON.stringify({ kid, typ: "JWT" }), claims, privateKey),
      "alg twice": forge(twice('"alg":"none"', `"kid":"${kid}"`), claims, privateKey),
      "kid twice": forge(twice('"kid":"2000-01-01"', `"kid":"${kid}"`), claims, privateKey),
      "kid twice, the same": forge(twice(`"kid":"${kid}"`, `"kid":"${kid}"`), claims, privateKey),
      "another order": forge(`{"typ":"JWT","alg":"EdDSA","kid":"${kid}"}`, claims, privateKey),
      "blanks inside": forge(`{"alg": "EdDSA", "kid": "${kid}", "typ": "JWT"}`, claims, privateKey),
      "a blank in front": forge(` ${headerWith({})}`, claims, privateKey),
      "an escape": forge(headerWith({}).replace("EdDSA", "\\u0045dDSA"), claims, privateKey),
      "an array": forge(`[${headerWith({})}]`, claims, privateKey),
      "not JSON": forge("EdDSA", claims, privateKey),
      null: forge("null", claims, privateKey),
    }),
  );
});

test("A32 a kid names one of our keys or nothing: no path, no query, no other key", async () => {
  const kids: readonly unknown[] = [
    "2000-01-01",
    `${kid}-2`,
    `${kid} `,
    ` ${kid}`,
    `${kid}\u0000`,
    `./${kid}`,
    "../../../../dev/null",
    "/proc/self/environ",
    `${kid}' or '1'='1`,
    `x' union select 'x`,
    "__proto__",
    "constructor",
    "k".repeat(2000),
    "",
    null,
    0,
    true,
    [kid],
    { kid },
  ];
  const strange = generateKeyPairSync("ed25519").privateKey;
  const tokens = new Map<string, string>();
  for (const one of kids) {
    const name = JSON.stringify(one).slice(0, 40);
    tokens.set(`${name}, our signature`, forge(headerWith({ kid: one }), claims, privateKey));
    tokens.set(`${name}, a stranger's`, forge(headerWith({ kid: one }), claims, strange));
  }
  tokens.set("no kid", forge(JSON.stringify({ alg: "EdDSA", typ: "JWT" }), claims, privateKey));
  await expectAllRefused(house, tokens);
  expect(house.logs.filter((line) => line.includes("request_failed"))).toEqual([]);
});

test("A32 keys that a token brings along or points to are neither used nor fetched", async () => {
  let fetched = 0;
  const strange = generateKeyPairSync("ed25519");
  const jwk = { ...strange.publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "EdDSA" };
  const server = createServer((_, response) => {
    fetched += 1;
    response.end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/jwks.json`;

  const extras: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    jwk: { jwk },
    "jwk and another kid": { jwk, kid: "2000-01-01" },
    jku: { jku: url },
    "jku and another kid": { jku: url, kid: "2000-01-01" },
    x5u: { x5u: url },
    x5c: { x5c: [base64url(strange.publicKey.export({ format: "der", type: "spki" }))] },
    "iss of another server": {},
  };
  const tokens = new Map<string, string>();
  for (const [name, extra] of Object.entries(extras)) {
    tokens.set(`${name}, a stranger's signature`, forge(headerWith(extra), claims, strange.privateKey));
    if (Object.keys(extra).length > 0) {
      tokens.set(`${name}, our signature`, forge(headerWith(extra), claims, privateKey));
    }
  }
  const elsewhere = claims.replace(/"iss":"[^"]*"/, `"iss":"${new URL(url).origin}"`);
  tokens.set("an issuer whose keys could be fetched", forge(headerWith({}), elsewhere, strange.privateKey));
  await expectAllRefused(house, tokens);
  expect(fetched).toBe(0);
});
