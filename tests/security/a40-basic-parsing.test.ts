import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { basicHeader } from "../support/http.ts";
import { exchange, lines } from "../support/raw-http.ts";

let house: TestHouse;
let person: Person;
let token: string;
beforeAll(async () => {
  house = await startHouse({
    LATCHKEY_RATE: "1000000",
    LATCHKEY_BURST: "1000000",
    LATCHKEY_NETWORK_TRIES: "1000000",
    LATCHKEY_PASSWORD_TRIES: "100",
  });
  person = await house.person("basic@example.com", "a:quiet: river ☕?>~ at noon");
  token = await house.tokenOf(person);
});
beforeEach(() => {
  // That a password came with a call is written down once an hour: for each test, whichever is first.
  house.clock.advance(hour);
});
afterAll(stopHouses);

/** The status that `/me` answers header lines with, which go out byte by byte. */
const statusOf = async (...headers: readonly string[]): Promise<number> => {
  const head = lines("GET /api/v9/me HTTP/1.1", `Host: ${house.config.origin.host}`, ...headers);
  return (await exchange(house.config.port, Buffer.from(head, "latin1"))).status;
};

const encoded = (text: string | Buffer): string => Buffer.from(text).toString("base64");

/** With padding, and with letters that base64url spells otherwise. */
const pair = (): string => encoded(`${person.email}:${person.password}`);

describe("what clients send", () => {
  test("A40 passwords keep their colons, blanks and letters of every script", async () => {
    expect(await statusOf(`Authorization: Basic ${pair()}`)).toBe(200);
    expect(await statusOf(`Authorization: Basic ${encoded(`${person.email}:a`)}`)).toBe(403);
    expect(await statusOf(`Authorization: Basic ${encoded(`${person.email}:a:quiet`)}`)).toBe(403);
  });

  test("A40 what can't be seen around a token is no part of it", async () => {
    for (const user of [`${token} `, `\ufeff${token}`, `\u00a0${token}\u200b`]) {
      expect(await statusOf(`Authorization: Basic ${encoded(`${user}:api_token`)}`)).toBe(200);
    }
  });

  test("A40 the scheme in any case, blanks around it, and missing padding are forgiven", async () => {
    expect(pair()).toMatch(/[+/].*[^=]==?$/);
    for (const value of [
      `Basic ${pair()}`,
      `basic ${pair()}`,
      `BASIC ${pair()}`,
      `bAsIc ${pair()}`,
      `Basic    ${pair()}`,
      `  Basic ${pair()}`,
      `\tBasic ${pair()}  `,
      `Basic ${pair().replace(/=+$/, "")}`,
    ]) {
      expect(await statusOf(`Authorization: ${value}`), value).toBe(200);
    }
    expect(await statusOf(`authorization: Basic ${pair()}`)).toBe(200);
    expect(await statusOf(`AUTHORIZATION:Basic ${pair()}`)).toBe(200);
  });
});

describe("what only attackers send", () => {
  const refused = (): Readonly<Record<string, string>> => ({
    nothing: "",
    "the scheme alone": "Basic",
    "the scheme and blanks": "Basic    ",
    "an empty user": `Basic ${encoded(`:${person.password}`)}`,
    "an empty user and the token's word": `Basic ${encoded(":api_token")}`,
    "no colon": `Basic ${encoded(token)}`,
    "only a colon": `Basic ${encoded(":")}`,
    "the pair not encoded": `Basic ${token}:api_token`,
    base64url: `Basic ${Buffer.from(`${person.email}:${person.password}`).toString("base64url")}`,
    "a blank inside": `Basic ${encoded(`${token}:api_token`).replace(/^.{8}/, "$& ")}`,
    "a tab for the blank": `Basic\t${encoded(`${token}:api_token`)}`,
    "no blank": `Basic${encoded(`${token}:api_token`)}`,
    "a colon for the blank": `Basic:${encoded(`${token}:api_token`)}`,
    "too much padding": `Basic ${pair()}=`,
    "something behind the padding": `Basic ${pair()}AAAA`,
    "padding that nothing asks for": `Basic ${encoded(`${token}:api_token`)}=`,
    "bits that no encoder writes": `Basic ${pair().replace(/.(=+)$/, "x$1")}`,
    "a NUL": `Basic ${encoded(`${token}:api_token\0`)}`,
    "a line end in the user": `Basic ${encoded(`${token}\n:api_token`)}`,
    "a DEL": `Basic ${encoded(`${token}:api_token\x7f`)}`,
    "bytes that are not UTF-8": `Basic ${encoded(Buffer.concat([Buffer.from(`${token}:api_token`), Buffer.from([0xff])]))}`,
    "UTF-16": `Basic ${encoded(Buffer.from(`${token}:api_token`, "utf16le"))}`,
    "two pairs": `Basic ${encoded(`${token}:api_token`)}, Basic ${encoded("a:b")}`,
    "a comma behind": `Basic ${encoded(`${token}:api_token`)},`,
    "two schemes": `Basic Basic ${encoded(`${token}:api_token`)}`,
    "a parameter": `Basic credentials=${encoded(`${token}:api_token`)}`,
    Bearer: `Bearer ${token}`,
    "Bearer with a pair": `Bearer ${encoded(`${token}:api_token`)}`,
    Digest: `Digest username="${person.email}"`,
    "a no-break space in front": `\u00a0Basic ${encoded(`${token}:api_token`)}`,
    "9 kB": `Basic ${encoded(`${token}:api_token${"x".repeat(9000)}`)}`,
    "the token's word in capitals": `Basic ${encoded(`${token}:API_TOKEN`)}`,
    "the token's word and a blank": `Basic ${encoded(`${token}:api_token `)}`,
    "the token in capitals": `Basic ${encoded(`${token.toUpperCase()}:api_token`)}`,
    "a blank in the token": `Basic ${encoded(`${token.slice(0, 8)} ${token.slice(8)}:api_token`)}`,
    "the halves exchanged": `Basic ${encoded(`api_token:${token}`)}`,
    "the address for the token": `Basic ${encoded(`${person.email}:api_token`)}`,
    "the password for the word": `Basic ${encoded(`${token}:${person.password}`)}`,
  });

  test("A40 is refused on every call that takes Basic, and nothing breaks or is let in by a cookie beside it", async () => {
    const { host } = house.config.origin;
    for (const [what, value] of Object.entries(refused())) {
      const cookie = `Cookie: __Secure-accounts-session=${person.session}`;
      expect(await statusOf(`Authorization: ${value}`), `${what}: ${value}`).toBe(403);
      expect(await statusOf(`Authorization: ${value}`, cookie), `${what}, with a cookie`).toBe(403);
      for (const method of ["POST", "GET", "DELETE"]) {
        const head = lines(
          `${method} /api/sessions HTTP/1.1`,
          `Host: ${host}`,
          "Content-Length: 0",
          `Authorization: ${value}`,
        );
        const reply = await exchange(house.config.port, Buffer.from(head, "latin1"));
        expect(reply.status, `${what}: ${method} /api/sessions`).toBe(403);
        expect(reply.head, `${what}: ${method} /api/sessions`).not.toMatch(/set-cookie/i);
      }
    }
    expect((await house.send("GET", "/api/sessions", { session: person.session })).status).toBe(200);
    expect(house.logs.filter((line) => line.includes("request_failed"))).toEqual([]);
  });

  test("A40 two Authorization lines are refused, equal or not, in any order and case", async () => {
    const good = `Authorization: ${basicHeader(token, "api_token")}`;
    for (const other of [
      good,
      `AUTHORIZATION: ${basicHeader(token, "api_token")}`,
      `authorization: ${basicHeader("a", "b")}`,
      "Authorization: Bearer x",
      "Authorization:",
    ]) {
      expect(await statusOf(good, other), other).toBe(403);
      expect(await statusOf(other, good), other).toBe(403);
      expect(await statusOf(good, "Accept: */*", other), other).toBe(403);
    }
  });

  test("A40 headers that only sound like it are not read", async () => {
    const value = basicHeader(token, "api_token");
    for (const name of [
      "Proxy-Authorization",
      "X-Authorization",
      "Authorization_",
      "X-Forwarded-Authorization",
      "HTTP_AUTHORIZATION",
    ]) {
      expect(await statusOf(`${name}: ${value}`), name).toBe(401);
    }
    expect(await statusOf(`Authorization : ${value}`)).toBe(400);
    expect(await statusOf(`Authorization:\r\n ${value}`)).not.toBe(200);
    const query = await house.send("GET", `/api/v9/me?authorization=${encodeURIComponent(value)}`);
    expect(query.status).toBe(401);
  });
});

/**
 * RFC 7617 §2 and RFC 4648 §4 once more, by means of their own: a regular expression for the header, bits for the
 * base64, the grammar for the pair.
 */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const oracle = (header: string): readonly [string, string] | undefined => {
  const [, letters = "", padding = ""] = /^[ \t]*basic +([A-Za-z0-9+/]+)(={0,2})[ \t]*$/i.exec(header) ?? [];
  if (header.length > 8192 || letters.length < 2 || letters.length % 4 === 1) return undefined;
  if (padding !== "" && (letters.length + padding.length) % 4 !== 0) return undefined;
  const bits = Array.from(letters, (letter) => alphabet.indexOf(letter).toString(2).padStart(6, "0")).join(
    "",
  );
  const whole = bits.length - (bits.length % 8);
  if (bits.slice(whole).includes("1")) return undefined;
  const octets = (bits.slice(0, whole).match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2));
  const text = textOf(octets);
  const [, user, password] = /^([^:]+):(.*)$/su.exec(text) ?? [];
  // oxlint-disable-next-line no-control-regex
  if (user === undefined || password === undefined || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  return [user, password];
};

/** UTF-8, or else each octet a character. */
const textOf = (octets: readonly number[]): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(octets));
  } catch {
    return String.fromCharCode(...octets);
  }
};

const letterOf = (letters: string): fc.Arbitrary<string> => fc.constantFrom(...letters.split(""));

/** A text that is nearly the one that is given: some of its characters lost, doubled, or replaced. */
const nearly = (text: string): fc.Arbitrary<string> => {
  const edit = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(2),
    insert: fc.oneof(
      { weight: 3, arbitrary: fc.constant("") },
      fc.string({ unit: letterOf(`${alphabet}=-_ \t,:"`), maxLength: 3 }),
    ),
  });
  return fc
    .array(edit, { maxLength: 2 })
    .map((edits) =>
      edits.reduce((now, { at, remove, insert }) => now.slice(0, at) + insert + now.slice(at + remove), text),
    );
};

test("A40 server and oracle agree on headers that are nearly right", async () => {
  causesAnyNumber();
  const asks = async (header: string): Promise<void> => {
    const [user, password] = oracle(header) ?? [];
    const opens =
      (user === token && password === "api_token") ||
      (user?.toLowerCase() === person.email && password === person.password);
    const { status, text } = await house.send("GET", "/api/v9/me", { headers: { authorization: header } });
    if (status === 429) return;
    expect(status, header).toBe(opens ? 200 : 403);
    expect(text.includes(token), header).toBe(opens);
  };
  const pairs = [`${token}:api_token`, `${person.email}:${person.password}`, `${person.email}:api_token`];
  const header = fc.oneof(
    fc.constantFrom(...pairs).chain((one) => nearly(`Basic ${encoded(one)}`)),
    // Edits below the encoding.
    fc
      .constantFrom(...pairs)
      .chain(nearly)
      .map((one) => `Basic ${encoded(one)}`),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => `Basic ${encoded(Buffer.from(bytes))}`),
    fc.string({ unit: letterOf("Basic YTpi=,:\t"), maxLength: 20 }),
  );
  await fc.assert(fc.asyncProperty(header, asks), { numRuns: 400 });
  expect(house.logs.filter((line) => line.includes("request_failed"))).toEqual([]);
});
