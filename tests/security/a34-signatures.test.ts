import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { base64url, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionCookieName } from "../support/http.ts";
import { byThemselves, expectAllRefused, statusOf } from "../support/opens.ts";
import { operatorIn } from "../support/operator.ts";

let house: TestHouse;
let session: string;
let privateKey: KeyObject;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  ({ session } = await house.person());
  ({ privateKey } = await (await operatorIn(house)).signingKeys.current());
});
afterAll(stopHouses);

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const signedPart = (): string => session.slice(0, session.lastIndexOf("."));

const withSignature = (bytes: Buffer): string => `${signedPart()}.${base64url(bytes)}`;

const signature = (): Buffer => Buffer.from(partsOf(session).signature, "base64url");

test("A34 each bit of the signature counts", async () => {
  const flipped = Array.from({ length: 512 }, (_, bit) => {
    const bytes = signature();
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return withSignature(bytes);
  });
  expect(new Set(flipped).size).toBe(512);
  await expectAllRefused(house, byThemselves(flipped));
  expect(await statusOf(house, session)).toBe(200);
});

test("A34 each character of the token counts", async () => {
  const changed = Array.from(session, (character, index) => {
    // The neighbour differs in the lowest bit, which is the one that a lax reader drops at the end of a part.
    const place = alphabet.indexOf(character);
    const other = place < 0 ? "-" : alphabet.charAt(place ^ 1);
    return session.slice(0, index) + other + session.slice(index + 1);
  });
  await expectAllRefused(house, byThemselves(changed));
  const shortened = Array.from(session, (_, index) => session.slice(0, index) + session.slice(index + 1));
  await expectAllRefused(house, byThemselves(shortened));
});

test("A34 the signature has one spelling: its last character has four bits that must be zero", async () => {
  const last = alphabet.indexOf(session.slice(-1));
  expect(last % 16).toBe(0);
  const spellings = Array.from(
    { length: 15 },
    (_, more) => session.slice(0, -1) + alphabet.charAt(last + more + 1),
  );
  for (const spelling of spellings) {
    expect(Buffer.from(partsOf(spelling).signature, "base64url")).toEqual(signature());
  }
  await expectAllRefused(house, byThemselves(spellings));
});

/** The order of the curve's group, RFC 8032 §5.1. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

const turned = (bytes: Buffer): Buffer => Buffer.from(bytes.toReversed());

test("A34 the second half of a signature must be below the order of the group", async () => {
  const bytes = signature();
  const s = BigInt(`0x${turned(bytes.subarray(32)).toString("hex")}`);
  const grown = [1n, 2n, 7n].map((times) => {
    const hex = (s + times * order).toString(16).padStart(64, "0");
    return withSignature(Buffer.concat([bytes.subarray(0, 32), turned(Buffer.from(hex, "hex"))]));
  });
  await expectAllRefused(house, byThemselves(grown));
});

test("A34 signatures that hold for weak keys and lax verifiers are refused", async () => {
  const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
  await expectAllRefused(
    house,
    new Map([
      ["zeros", withSignature(Buffer.alloc(64))],
      ["ones", withSignature(Buffer.alloc(64, 0xff))],
      ["the neutral element and zero", withSignature(Buffer.concat([identity, Buffer.alloc(32)]))],
      [
        "halves exchanged",
        withSignature(Buffer.concat([signature().subarray(32), signature().subarray(0, 32)])),
      ],
      ["twice", withSignature(Buffer.concat([signature(), signature()]))],
      ["a byte more", withSignature(Buffer.concat([signature(), Buffer.alloc(1)]))],
      ["a byte less", withSignature(signature().subarray(0, 63))],
      ["none", `${signedPart()}.`],
    ]),
  );
});

test("A34 a key of another curve does not sign for us, nor does its longer signature fit", async () => {
  const input = Buffer.from(signedPart());
  const ed448 = sign(null, input, generateKeyPairSync("ed448").privateKey);
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  await expectAllRefused(
    house,
    new Map([
      ["Ed448", withSignature(ed448)],
      ["Ed448, cut to length", withSignature(ed448.subarray(0, 64))],
      ["P-256", withSignature(sign("sha256", input, { key: p256, dsaEncoding: "ieee-p1363" }))],
      ["P-256 in DER", withSignature(sign("sha256", input, p256))],
      ["a hash of the text", withSignature(sign(null, Buffer.from(base64url(input)), privateKey))],
      ["another token's", `${signedPart()}.${partsOf((await house.person()).session).signature}`],
    ]),
  );
});

test("A34 white space, padding and other alphabets make it another text", async () => {
  const [header = "", claims = "", last = ""] = session.split(".");
  const standard = `${header}.${claims}.${Buffer.from(last, "base64url").toString("base64")}`;
  await expectAllRefused(
    house,
    new Map([
      ["padding behind the signature", `${session}==`],
      ["padding behind the header", `${header}=.${claims}.${last}`],
      ["padding behind the claims", `${header}.${claims}=.${last}`],
      ["the other base64", standard],
      ["a percent sign", session.replace(".", "%2E")],
      ["a dot in front", `.${session}`],
      ["a dot behind", `${session}.`],
      ["an empty part", `${header}..${claims}.${last}`],
      ["four parts", `${session}.${last}`],
      ["five parts, as an encrypted token has", `${header}.${claims}.${last}.${claims}.${last}`],
      ["a blank inside", `${header}. ${claims}.${last}`],
      ["a tab inside", `${header}\t.${claims}.${last}`],
      ["a blank in front", ` ${session}`],
      ["quotes", `"${session}"`],
      ["capitals for small letters", session.toUpperCase()],
      ["the JSON form", `{"payload":"${claims}","protected":"${header}","signature":"${last}"}`],
      ["very long", `${header}.${"A".repeat(4000)}.${last}`],
      ["another scheme", `Bearer%20${session}`],
    ]),
  );
});

test("A34 blanks behind the value are the header's, not the token's (RFC 9110 §5.5)", async () => {
  const reply = await house.send("GET", "/api/v9/me/logged", {
    headers: { cookie: `${sessionCookieName}=${session} ` },
  });
  expect(reply.status).toBe(200);
});
