import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SetupFault } from "../errors.ts";
import { createClientAddress, isLoopback } from "./client-address.ts";

const direct = createClientAddress([]);
const behind = createClientAddress(["10.0.0.0/8", "127.0.0.1", "2001:db8:aaaa::/48"]);
const at = (address: string, network = address) => ({ address, network });

/** Every way to write the eight groups that this page knows of. */
const spellings = (groups: readonly number[]): string[] => {
  const hex = groups.map((group) => group.toString(16));
  const padded = hex.map((group) => group.padStart(4, "0"));
  const dotted = [groups[6] ?? 0, groups[7] ?? 0].flatMap((group) => [group >> 8, group & 255]).join(".");
  const found = [hex.join(":"), padded.join(":"), padded.join(":").toUpperCase(), `${hex.join(":")}%eth0`];
  found.push(`${hex.slice(0, 6).join(":")}:${dotted}`);
  for (let start = 0; start < 8; start += 1) {
    for (let end = start + 1; end <= 8 && groups[end - 1] === 0; end += 1) {
      found.push(`${hex.slice(0, start).join(":")}::${hex.slice(end).join(":")}`);
    }
  }
  return found.filter((text) => isIP(text.split("%")[0] ?? "") === 6);
};

describe("createClientAddress", () => {
  test("takes the socket's peer when no proxy is trusted", () => {
    expect(direct("203.0.113.7", undefined)).toEqual(at("203.0.113.7"));
    expect(direct("2001:db8:1:2:3::4", undefined)).toEqual(at("2001:db8:1:2:3::4", "2001:db8:1:2::/64"));
    expect(direct("::1", undefined)).toEqual(at("::1", "::/64"));
  });

  test("A09 ignores X-Forwarded-For when no proxy is trusted, or another peer sends it", () => {
    expect(direct("203.0.113.7", "198.51.100.1")).toEqual(at("203.0.113.7"));
    expect(direct("127.0.0.1", "198.51.100.1")).toEqual(at("127.0.0.1"));
    expect(behind("203.0.113.7", "198.51.100.1")).toEqual(at("203.0.113.7"));
  });

  test("A09 takes the right-most hop that is not a trusted proxy", () => {
    expect(behind("10.0.0.1", "198.51.100.1")).toEqual(at("198.51.100.1"));
    expect(behind("10.0.0.1", "6.6.6.6, 198.51.100.1")).toEqual(at("198.51.100.1"));
    expect(behind("10.0.0.1", "6.6.6.6, 198.51.100.1 , 10.9.9.9,127.0.0.1")).toEqual(at("198.51.100.1"));
    expect(behind("10.0.0.1", ["6.6.6.6", "198.51.100.1"])).toEqual(at("198.51.100.1"));
    expect(behind("::ffff:10.0.0.1", "2001:DB8:aaaa::1, ::ffff:198.51.100.1, 2001:db8:aaaa:ffff::2")).toEqual(
      at("198.51.100.1"),
    );
  });

  test("A09 takes the left-most hop when all are trusted, and the peer when there is none", () => {
    expect(behind("10.0.0.1", "10.0.0.3, 10.0.0.2")).toEqual(at("10.0.0.3"));
    expect(behind("10.0.0.1", undefined)).toEqual(at("10.0.0.1"));
  });

  test("A09 garbage to the left of the hop that counts changes nothing", () => {
    expect(behind("10.0.0.1", "garbage, , 198.51.100.1")).toEqual(at("198.51.100.1"));
  });

  test.each([
    ["nothing", ""],
    ["garbage", "garbage"],
    ["an empty hop", "198.51.100.1, "],
    ["unknown", "198.51.100.1, unknown"],
    ["an obfuscated hop", "_hidden"],
    ["the Forwarded syntax", "for=198.51.100.1"],
    ["octal", "0198.051.100.01"],
    ["a number", "3325256705"],
    ["hexadecimal", "0xc6336401"],
    ["a host name", "localhost"],
    ["a bad port", "198.51.100.1:http"],
    ["an open bracket", "[::1"],
    ["text after the bracket", "[::1]x"],
    ["a zone on IPv4", "198.51.100.1%eth0"],
    ["10 kB", "198.51.100.1, ".repeat(800)],
    ["33 hops", Array.from({ length: 33 }, () => "198.51.100.1").join(",")],
    ["more than 2 KiB", `${"x".repeat(2048)},198.51.100.1`],
    ["a huge zone", `fe80::1%${"x".repeat(64)}`],
    ["one huge hop", "1".repeat(2000)],
  ])("A09 counts %s as the peer", (_, header) => {
    expect(behind("10.0.0.1", header)).toEqual(at("10.0.0.1"));
  });

  test("tolerates ports and brackets in hops", () => {
    expect(behind("10.0.0.1", "198.51.100.1:5678")).toEqual(at("198.51.100.1"));
    expect(behind("10.0.0.1", "[2001:DB8::0001]:80")).toEqual(at("2001:db8::1", "2001:db8::/64"));
    expect(behind("10.0.0.1", "[2001:db8::1]")).toEqual(at("2001:db8::1", "2001:db8::/64"));
    const most = Array.from({ length: 32 }, (_each, index) => `198.51.100.${index}`).join(",");
    expect(behind("10.0.0.1", most)).toEqual(at("198.51.100.31"));
  });

  test("A09 an unknown peer is limited like any other", () => {
    for (const peer of [undefined, "", "/run/latchkey.sock", "x".repeat(9000)]) {
      expect(behind(peer, "198.51.100.1")).toEqual(at("0.0.0.0"));
    }
  });

  test("A10 one /64 is one network, and its neighbour is another", () => {
    const interfaceId = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 0xffff })));
    fc.assert(
      fc.property(interfaceId, (groups) => {
        const tail = groups.map((group) => group.toString(16)).join(":");
        expect(direct(`2001:db8:0:1:${tail}`, undefined).network).toBe("2001:db8:0:1::/64");
        expect(direct(`2001:db8:0:2:${tail}`, undefined).network).toBe("2001:db8:0:2::/64");
      }),
    );
  });

  test("A10 every spelling of an address is the same key", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const zeros = fc.constant(0);
    const mapped = fc.tuple(zeros, zeros, zeros, zeros, zeros, fc.constant(0xffff), group, group);
    const any = fc.tuple(group, group, group, group, group, group, group, group);
    fc.assert(
      fc.property(fc.oneof(any, mapped), (groups) => {
        const seen = new Set(spellings(groups).map((text) => JSON.stringify(direct(text, undefined))));
        expect(seen.size).toBe(1);
      }),
    );
    for (const text of ["::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:0102:0304", "1.2.3.4"]) {
      expect(direct(text, undefined)).toEqual(at("1.2.3.4"));
    }
  });

  test("A09 never throws, and never names anybody but the peer or a hop", () => {
    const hop = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 8 }), fc.constant("10.1.1.1"));
    fc.assert(
      fc.property(fc.array(hop, { maxLength: 40 }), (hops) => {
        const { address } = behind("10.0.0.1", hops.join(","));
        expect(isIP(address)).not.toBe(0);
        const possible = hops
          .flatMap((each) => each.split(","))
          .map((each) => direct(each.trim(), undefined).address);
        expect(["10.0.0.1", ...possible]).toContain(address);
      }),
    );
  });

  test.each([
    "",
    "nonsense",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::/129",
    "10.0.0",
    "a.example",
    "fe80::1%eth0",
  ])("refuses %j as a trusted proxy and names it", (entry) => {
    expect(() => createClientAddress(["127.0.0.1", entry])).toThrow(SetupFault);
    expect(() => createClientAddress([entry])).toThrow(`"${entry}"`);
  });

  test("refuses to trust everybody", () => {
    expect(() => createClientAddress(["0.0.0.0/0"])).toThrow(/everybody/);
    expect(() => createClientAddress(["::/0"])).toThrow(/everybody/);
  });

  test("reads a mapped block as the IPv4 block it is", () => {
    const mapped = createClientAddress(["::ffff:10.0.0.0/104"]);
    expect(mapped("10.200.0.1", "198.51.100.1")).toEqual(at("198.51.100.1"));
    expect(mapped("11.0.0.1", "198.51.100.1")).toEqual(at("11.0.0.1"));
  });
});

describe("isLoopback", () => {
  test("knows this machine in every spelling", () => {
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"]) {
      expect(isLoopback(address), address).toBe(true);
    }
    for (const address of [
      "",
      "localhost",
      "128.0.0.1",
      "127.0.0.1.example",
      "0.0.0.0",
      "::",
      "::2",
      "::127.0.0.1",
    ]) {
      expect(isLoopback(address), address).toBe(false);
    }
  });
});
