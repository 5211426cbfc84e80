/** Which addresses strangers have, and which are of machines that only we can reach. */

import { BlockList, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * - `public`: anybody on the internet can call it.
 * - `private`: of a network of ours, or this machine: called when the operator lists the origin.
 * - `special`: no name has a reason to lead there: link-local, multicast, examples, tunnels, metadata of clouds.
 */
export type Reach = "public" | "private" | "special";

/** RFC 1918, RFC 6598, RFC 1122 §3.2.1.3, RFC 4193. */
const privateBlocks = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
];

/** The rest of the IANA special-purpose registries (RFC 6890 and its updates), and what clouds have in between. */
const specialBlocks = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  // Alibaba Cloud, Azure, AWS and Google: they stand in blocks that are otherwise private or public.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];

/** Only these are given out to hosts (RFC 4291 §2.4), or stand for the IPv4 address in their last 32 bits. */
const hostBlocks = ["2000::/3", "fc00::/7", "::1/128", "::ffff:0:0/96", "64:ff9b::/96"];

/** RFC 4291 §2.5.5.2, and RFC 6052 §2.1, by which a network without IPv4 reaches IPv4 hosts. */
const carriersOfIPv4 = ["::ffff:", "64:ff9b::"];

const listOf = (blocks: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = "", prefix] = block.split("/");
    const bits = Number(prefix);
    list.addSubnet(network, bits, isIPv4(network) ? "ipv4" : "ipv6");
    if (!isIPv4(network)) continue;
    for (const carrier of carriersOfIPv4) list.addSubnet(carrier + network, 96 + bits, "ipv6");
  }
  return list;
};

const privates = listOf(privateBlocks);
const specials = listOf(specialBlocks);
const hosts = listOf(hostBlocks);

/** @param address without brackets. What is no address, or names a zone of this machine, is `special`. */
export const reachOf = (address: string): Reach => {
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  if (family === "ipv6" && (!isIPv6(address) || address.includes("%") || !hosts.check(address, family))) {
    return "special";
  }
  if (specials.check(address, family)) return "special";
  return privates.check(address, family) ? "private" : "public";
};

/** Of this machine's network interfaces. */
export const ownInterfaces = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

/** Whether this machine has an address by which IPv6 hosts of the internet can answer it. */
export const hasPublicIPv6 = (): boolean =>
  ownInterfaces().some((address) => isIPv6(address) && reachOf(address) === "public");
