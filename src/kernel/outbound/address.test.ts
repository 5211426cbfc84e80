import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reachOf, type Reach } from "./address.ts";

const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => String((value >>> shift) & 255)).join(".");

const grouped = (value: number): string => `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;

/** First and last address of each block, by arithmetic of its own. */
const special: readonly (readonly [string, string])[] = [
  ["0.0.0.0", "0.255.255.255"],
  ["100.100.100.200", "100.100.100.200"],
  ["168.63.129.16", "168.63.129.16"],
  ["169.254.0.0", "169.254.255.255"],
  ["192.0.0.0", "192.0.0.255"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.88.99.0", "192.88.99.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "255.255.255.255"],
];
const ofNetworks: readonly (readonly [string, string])[] = [
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.168.0.0", "192.168.255.255"],
];
const numberOf = (address: string): number =>
  address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
const isWithin = (value: number, blocks: readonly (readonly [string, string])[]): boolean =>
  blocks.some(([first, last]) => value >= numberOf(first) && value <= numberOf(last));

const expected = (value: number): Reach => {
  if (isWithin(value, special)) return "special";
  return isWithin(value, ofNetworks) ? "private" : "public";
};

/** As in an IPv6 address that stands for it. */
const carried = (value: number): readonly string[] => [
  `::ffff:${dotted(value)}`,
  `::ffff:${grouped(value)}`,
  `0:0:0:0:0:FFFF:${grouped(value)}`,
  `64:ff9b::${dotted(value)}`,
  `64:ff9b::${grouped(value)}`,
  `0064:ff9b:0:0:0:0:${grouped(value)}`,
];

describe("reachOf", () => {
  const edges = [...special, ...ofNetworks].flatMap(([first, last]) => [
    numberOf(first) - 1,
    numberOf(first),
    numberOf(last),
    numberOf(last) + 1,
  ]);

  test("knows the edges of every block of IPv4, also within IPv6", () => {
    for (const edge of edges.filter((value) => value >= 0 && value <= 0xffffffff)) {
      for (const address of [dotted(edge), ...carried(edge)]) {
        expect(`${address} ${reachOf(address)}`).toBe(`${address} ${expected(edge)}`);
      }
    }
  });

  test("agrees with arithmetic on any IPv4 address, in every form", () => {
    const near = fc
      .tuple(fc.constantFrom(...edges), fc.integer({ min: -300, max: 300 }))
      .map(([edge, by]) => Math.min(0xffffffff, Math.max(0, edge + by)));
    fc.assert(
      fc.property(fc.oneof(near, fc.nat({ max: 0xffffffff })), (value) => {
        for (const address of [dotted(value), ...carried(value)]) {
          expect(`${address} ${reachOf(address)}`).toBe(`${address} ${expected(value)}`);
        }
      }),
    );
  });

  test.each([
    ["2606:4700:4700::1111", "public"],
    ["2001:4860:4860::8888", "public"],
    ["2a00:1450:4001:80e::200e", "public"],
    ["::1", "private"],
    ["fc00::1", "private"],
    ["fdff:ffff:ffff::1", "private"],
    ["::", "special"],
    ["::7f00:1", "special"],
    ["::2", "special"],
    ["::ffff:0:7f00:1", "special"],
    ["64:ff9b:1::a00:1", "special"],
    ["100::1", "special"],
    ["2001::1", "special"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "special"],
    ["2001:2::1", "special"],
    ["2001:10::1", "special"],
    ["2001:1ff:ffff::1", "special"],
    ["2001:200::1", "public"],
    ["2001:db8::1", "special"],
    ["2002:7f00:1::1", "special"],
    ["2002:808:808::1", "special"],
    ["3fff:0fff::1", "special"],
    ["3fff:1000::1", "public"],
    ["4000::1", "special"],
    ["5f00::1", "special"],
    ["fbff::1", "special"],
    ["fd00:ec2::254", "special"],
    ["fd20:ce::254", "special"],
    ["fe80::1", "special"],
    ["fe80::1%eth0", "special"],
    ["2606:4700::1%eth0", "special"],
    ["fec0::1", "special"],
    ["ff02::1", "special"],
    ["", "special"],
    ["localhost", "special"],
    ["127.1", "special"],
    ["[::1]", "special"],
    ["8.8.8.8:80", "special"],
  ])("%s is %s", (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });
});
