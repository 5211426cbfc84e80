/** IP addresses as text, and whose networks they are in. */
import { isIPv4 } from "node:net";

/** The eight groups of a valid IPv6 address without dots. */
const groupsOf = (ipv6: string): readonly number[] => {
  const [head = "", tail = ""] = ipv6.split("::");
  const read = (part: string): readonly number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
};

/** The URL parser writes a valid IPv6 address as RFC 5952 §4 does, but for the dots of a mapped one. */
export const compressIpv6 = (ipv6: string): string =>
  URL.parse(`http://[${ipv6}]`)?.hostname.slice(1, -1) ?? ipv6;

const ipv4Of = (high = 0, low = 0): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;

/**
 * The IPv4 address that stands in an IPv6 one, and is the one that somebody has: mapped (RFC 4291 §2.5.5.2), NAT64
 * (RFC 6052 §2.1), 6to4 (RFC 3056 §2), Teredo (RFC 4380 §4).
 *
 * @param ipv6 in hex groups
 */
const ipv4Within = (ipv6: string): string | undefined => {
  const groups = groupsOf(ipv6);
  const [first, second, third, , , sixth, high = 0, low = 0] = groups;
  const start = groups.slice(0, 5).every((group) => group === 0);
  if (start && sixth === 0xff_ff) return ipv4Of(high, low);
  if (first === 0x64 && second === 0xff_9b && groups.slice(2, 6).every((group) => group === 0)) {
    return ipv4Of(high, low);
  }
  if (first === 0x20_02) return ipv4Of(second, third);
  if (first === 0x20_01 && second === 0) return ipv4Of(high ^ 0xff_ff, low ^ 0xff_ff);
  return undefined;
};

/** A mapped address as the IPv4 address that it is; others as they are. @param ipv6 compressed, in hex groups */
export const withoutMapping = (ipv6: string): string =>
  ipv6.startsWith("::ffff:") ? (ipv4Within(ipv6) ?? ipv6) : ipv6;

const prefixOf = (groups: readonly number[], bits: number): string => {
  const kept = groups.map((group, index) => {
    const own = Math.min(16, Math.max(0, bits - index * 16));
    return group & (0xff_ff << (16 - own)) & 0xff_ff;
  });
  return `${compressIpv6(kept.map((group) => group.toString(16)).join(":"))}/${bits}`;
};

/**
 * What limits count an address under: the IPv4 address, or the IPv6 /64 it is in, such as `2001:db8::/64`.
 *
 * @param address IPv4 in dots, or IPv6 in hex groups
 */
export const networkOf = (address: string): string =>
  isIPv4(address) ? address : (ipv4Within(address) ?? prefixOf(groupsOf(address), 64));

/** The networks around an IPv6 /64 that one customer may have: a /56 at home, a /48 for a site (RFC 6177). */
export const networksAround = (
  network: string,
): readonly { readonly network: string; readonly bits: 56 | 48 }[] => {
  const [, address] = /^([0-9a-f:]+)\/64$/.exec(network) ?? [];
  if (address === undefined) return [];
  const groups = groupsOf(address);
  return ([56, 48] as const).map((bits) => ({ network: prefixOf(groups, bits), bits }));
};
