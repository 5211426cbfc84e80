import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clearedCookie, readCookie, sessionCookie } from "./cookie.ts";

const name = "__Secure-accounts-session";
const none = { kind: "none" };
const ambiguous = { kind: "ambiguous" };
const one = (value: string) => ({ kind: "one", value });

/**
 * Written anew from the grammar of RFC 6265 §4.1.1 and §4.2.1, with expressions: cut into pairs, drop the blanks
 * around each, then ask each pair the questions one after another.
 */
const oracle = (header: string): unknown => {
  if (header.length > 16_384) return ambiguous;
  const pairs = header.split(";").map((pair) => pair.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  if (pairs.some((pair) => /^\$version[ \t]*(=|$)/i.test(pair) || /^\$version[ \t]/i.test(pair)))
    return ambiguous;
  const ours = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  const [value, another] = ours;
  if (value === undefined) return none;
  const octets = Array.from(value, (each) => each > " " && each < "\x7f" && !'",;\\'.includes(each));
  return another === undefined && octets.length <= 4096 && octets.every(Boolean) ? one(value) : ambiguous;
};

/** What Node makes of header lines that are sent over a real connection. */
const throughNode = async (lines: readonly string[]): Promise<IncomingHttpHeaders> => {
  let headers: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    headers = request.headers;
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening on a port");
  const socket = connect(address.port, "127.0.0.1");
  socket.end(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.join("\r\n")}\r\n\r\n`);
  socket.resume();
  await once(socket, "close");
  server.close();
  return headers;
};

describe("readCookie", () => {
  test("finds the cookie among others, wherever it stands", () => {
    for (const header of [`${name}=v.1`, `a=b; ${name}=v.1`, `${name}=v.1; c=d`, `a=b;\t${name}=v.1 ;c=d`]) {
      expect(readCookie(header, name), header).toEqual(one("v.1"));
    }
    expect(readCookie(`${name}=a=b==`, name)).toEqual(one("a=b=="));
    expect(readCookie(`${name}=`, name)).toEqual(one(""));
  });

  test("has none without a header, and none in a header of others", () => {
    for (const header of [
      undefined,
      "",
      ";",
      " ; ;",
      "a=b",
      name,
      `=${name}=v`,
      `x${name}=v`,
      `${name}2=v`,
    ]) {
      expect(readCookie(header, name), String(header)).toEqual(none);
    }
  });

  test("is not disturbed by other people's odd cookies", () => {
    const odd = 'a="b; c"; =; flag; x=\\"; é=\xe9; j={"k":1,"l":[2]}; $Path=/; $Versions=1; ==; 1=\u00a0';
    expect(readCookie(`${odd}; ${name}=v`, name)).toEqual(one("v"));
    expect(readCookie(`${name}=v; ${odd}`, name)).toEqual(one("v"));
  });

  test("A36 two cookies of the name are ambiguous, equal or not", () => {
    expect(readCookie(`${name}=a; ${name}=b`, name)).toEqual(ambiguous);
    expect(readCookie(`${name}=a; x=y; ${name}=a`, name)).toEqual(ambiguous);
    expect(readCookie(`${name}=; ${name}=a`, name)).toEqual(ambiguous);
  });

  test("A36 two Cookie lines are ambiguous too, as Node joins them", async () => {
    const headers = await throughNode([`Cookie: ${name}=mine`, `cookie: ${name}=theirs`]);
    expect(readCookie(headers.cookie, name)).toEqual(ambiguous);
    const other = await throughNode([`Cookie: ${name}=mine`, "cookie: a=b"]);
    expect(readCookie(other.cookie, name)).toEqual(one("mine"));
  });

  test("A36 a name with a foreign blank is another name, also in the bytes that Node makes of it", async () => {
    for (const blank of ["\u2000", "\u00a0", "\u0085", "\ufeff", "\u3000", "\v", "\f"]) {
      expect(readCookie(`${blank}${name}=evil`, name)).toEqual(none);
      expect(readCookie(`${name}${blank}=evil`, name)).toEqual(none);
      expect(readCookie(`${name}=good; ${blank}${name}=evil`, name)).toEqual(one("good"));
    }
    expect(readCookie(`${name} =evil`, name)).toEqual(none);
    const headers = await throughNode([`Cookie: \u2000${name}=evil`]);
    expect(readCookie(headers.cookie, name)).toEqual(none);
  });

  test("A36 a prefix in another case never matches", () => {
    expect(readCookie("__secure-accounts-session=evil", name)).toEqual(none);
    expect(readCookie("__SECURE-accounts-session=evil; __Secure-Accounts-Session=evil", name)).toEqual(none);
  });

  test("A36 the legacy syntax is ambiguous wherever it stands", () => {
    for (const mark of ["$Version=1", "$version=0", '$Version="1"', "$Version", "$VERSION =1"]) {
      expect(readCookie(`${mark}; ${name}=v`, name), mark).toEqual(ambiguous);
      expect(readCookie(`${name}=v; ${mark}`, name), mark).toEqual(ambiguous);
    }
    expect(readCookie(`$Version=1; a="b; ${name}=evil"`, name)).toEqual(ambiguous);
  });

  test("A36 a value that is not made of cookie octets is ambiguous", () => {
    for (const value of [
      '"v"',
      '"v',
      'v"',
      "a b",
      "a,b",
      "a\\b",
      "\u00a0v",
      " v",
      "\tv",
      "é",
      "a\x7fb",
      "a\0b",
    ]) {
      expect(readCookie(`${name}=${value}`, name), JSON.stringify(value)).toEqual(ambiguous);
    }
  });

  test("A36 what is too long is ambiguous", () => {
    expect(readCookie(`${name}=${"v".repeat(4096)}`, name)).toEqual(one("v".repeat(4096)));
    expect(readCookie(`${name}=${"v".repeat(4097)}`, name)).toEqual(ambiguous);
    expect(readCookie(`${name}=${"v".repeat(8192)}`, name)).toEqual(ambiguous);
    const filled = `${name}=v; x=`;
    expect(readCookie(filled.padEnd(16_384, "y"), name)).toEqual(one("v"));
    expect(readCookie(filled.padEnd(16_385, "y"), name)).toEqual(ambiguous);
  });

  test("A36 agrees with an independent reading on anything, and never throws", () => {
    const odd = fc.constantFrom(
      '"',
      "\u2000",
      "\u00a0",
      ",",
      "\\",
      " ",
      "\t",
      "=",
      "$",
      "\0",
      "é",
      ";",
      "\x7f",
    );
    const octets = fc.string({
      unit: fc.constantFrom("a", "Z", "0", ".", "-", "_", "=", "!", "~"),
      maxLength: 6,
    });
    const noise = fc.string({ maxLength: 4 });
    const value = fc.oneof(
      { weight: 6, arbitrary: octets },
      { weight: 1, arbitrary: fc.tuple(octets, odd, octets).map((parts) => parts.join("")) },
    );
    const nearName = fc.oneof(
      fc.constantFrom(
        name.toLowerCase(),
        name.toUpperCase(),
        `${name}2`,
        name.slice(1),
        "$Version",
        "$version",
      ),
      fc.tuple(odd, fc.constant(name)).map((parts) => parts.join("")),
      fc.tuple(fc.constant(name), odd).map((parts) => parts.join("")),
    );
    const pair = (names: fc.Arbitrary<string>) =>
      fc.tuple(names, fc.constant("="), value).map((parts) => parts.join(""));
    const other = fc.oneof(
      { weight: 6, arbitrary: pair(fc.constantFrom("a", "theme", "__Host-x")) },
      { weight: 2, arbitrary: pair(nearName) },
      { weight: 1, arbitrary: fc.oneof(noise, odd, fc.constantFrom(name, "$Version", "", " ")) },
    );
    const pairs = fc.array(fc.oneof({ weight: 2, arbitrary: other }, pair(fc.constant(name))), {
      maxLength: 4,
    });
    const header = fc
      .tuple(pairs, fc.constantFrom("; ", ";", " ;\t"))
      .map(([parts, separator]) => parts.join(separator));
    const met = new Map<string, number>();
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: header }, noise), (anything) => {
        const reading = readCookie(anything, name);
        expect(reading).toEqual(oracle(anything));
        met.set(reading.kind, (met.get(reading.kind) ?? 0) + 1);
      }),
      { numRuns: 5000 },
    );
    // Agreement means something only where all endings are met often.
    for (const kind of ["none", "one", "ambiguous"]) expect(met.get(kind), kind).toBeGreaterThan(500);
  });
});

describe("the serialisers", () => {
  test("write the session cookie as the contract has it", () => {
    expect(sessionCookie(name, "a.b.c")).toBe(`${name}=a.b.c; Path=/; HttpOnly; Secure; SameSite=Lax`);
    expect(sessionCookie(name, "a.b.c", { maxAge: 2_419_200 })).toBe(
      `${name}=a.b.c; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=2419200`,
    );
    expect(clearedCookie(name)).toBe(`${name}=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0`);
  });
});
