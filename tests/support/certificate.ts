// A certificate that nobody but the test believes, made anew each time: none can expire, and no key lies around.

import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export type Certificate = { readonly key: string; readonly cert: string };

/** One DER element: tag, length, content (X.690 §8.1). */
const element = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
};

const sequence = (...contents: readonly Buffer[]): Buffer => element(0x30, ...contents);
const octets = (...contents: readonly Buffer[]): Buffer => element(0x04, ...contents);
const bits = (content: Buffer): Buffer => element(0x03, Buffer.from([0]), content);
const identifier = (hex: string): Buffer => element(0x06, Buffer.from(hex, "hex"));
const time = (date: Date): Buffer =>
  element(0x17, Buffer.from(date.toISOString().replaceAll(/^20|[-:T]|\.\d+/g, "")));

const commonName = identifier("550403");
const alternativeNames = identifier("551d11");
const ecdsaWithSha256 = sequence(identifier("2a8648ce3d040302"));
const day = 24 * 60 * 60 * 1000;

/** @param names host names and IPv4 addresses that it is good for */
export const makeCertificate = (...names: readonly string[]): Certificate => {
  const pair = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const name = sequence(element(0x31, sequence(commonName, element(0x0c, Buffer.from("Latchkey's tests")))));
  const alternatives = names.map((one) =>
    isIPv4(one) ? element(0x87, Buffer.from(one.split(".").map(Number))) : element(0x82, Buffer.from(one)),
  );
  const body = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day))),
    name,
    pair.publicKey,
    element(0xa3, sequence(sequence(alternativeNames, octets(sequence(...alternatives))))),
  );
  const signature = sign("sha256", body, createPrivateKey(pair.privateKey));
  const encoded = sequence(body, ecdsaWithSha256, bits(signature)).toString("base64");
  const lines = encoded.match(/.{1,64}/g) ?? [];
  return {
    key: pair.privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
};
