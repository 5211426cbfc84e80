/** Whom a request counts against. Taken from the socket, or from what a trusted proxy saw; from nothing else. */

import { BlockList, isIPv4, isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { SetupFault } from "../errors.ts";
import { compressIpv6, networkOf, withoutMapping } from "../text/ip-address.ts";
import { atMost } from "../at-most.ts";

export type ClientAddress = {
  /** IPv4 in dots, or IPv6 in lower case, compressed, without a zone. */
  readonly address: string;
  /**
   * What limits count: the IPv4 address itself, also of an IPv6 address that stands for one (6to4, NAT64, Teredo), or the
   * IPv6 /64 it is in, such as `2001:db8::/64`.
   */
  readonly network: string;
};

type Seen = { readonly client: ClientAddress; readonly trusted: boolean };

const maxForwarded = 2 * 1024;
const maxHops = 32;
/** The longest textual IPv6 address has 45 characters; the rest is room for a zone, brackets and a port. */
const maxHop = 64;
const remembered = 4096;

/** Stands for a peer that is not known (the socket is gone, or is not IP), so that it too is limited. */
const nobody: Seen = { client: { address: "0.0.0.0", network: "0.0.0.0" }, trusted: false };

/**
 * @param trusted The proxies in front of this server: IP addresses, or blocks such as `10.0.0.0/8`.
 * @param onUntrusted called with each peer that says for whom it forwards, and is not one of those proxies
 * @returns A function from Node's `socket.remoteAddress` and `headers["x-forwarded-for"]` to the client. With a
 * trusted peer that is the right-most hop which is not itself a trusted proxy (the left-most when all are); a
 * header that is longer than 2 KiB, has more than 32 hops, or has an unreadable one where we have to look counts
 * as the peer. It never throws, and gives `0.0.0.0` for an unknown peer.
 * @throws SetupFault naming the entry that is not an address or a block, or that would trust everybody.
 */
export const createClientAddress = (
  trusted: readonly string[],
  onUntrusted: (peer: string) => void = () => {},
): ((
  socketAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
) => ClientAddress) => {
  const proxies = proxiesOf(trusted);
  const cache = new LRUCache<string, Seen | "unreadable">(atMost(remembered));

  const see = (text: string): Seen | "unreadable" => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const address = text.length > maxHop ? undefined : normalize(withoutPort(text));
    const seen =
      address === undefined
        ? "unreadable"
        : {
            client: { address, network: networkOf(address) },
            trusted: proxies.check(address, familyOf(address)),
          };
    if (text.length <= maxHop) cache.set(text, seen);
    return seen;
  };

  return (socketAddress, forwardedFor) => {
    const seenPeer = socketAddress === undefined ? nobody : see(socketAddress);
    const peer = seenPeer === "unreadable" ? nobody : seenPeer;
    if (forwardedFor === undefined) return peer.client;
    if (!peer.trusted) {
      onUntrusted(peer.client.address);
      return peer.client;
    }
    const header = typeof forwardedFor === "string" ? forwardedFor : forwardedFor.join(",");
    if (header.length > maxForwarded) return peer.client;
    const hops = header.split(",", maxHops + 1);
    if (hops.length > maxHops) return peer.client;
    let nearest = peer;
    for (let index = hops.length - 1; index >= 0 && nearest.trusted; index -= 1) {
      const hop = see((hops[index] ?? "").trim());
      if (hop === "unreadable") return peer.client;
      nearest = hop;
    }
    return nearest.client;
  };
};

const proxiesOf = (trusted: readonly string[]): BlockList => {
  const proxies = new BlockList();
  for (const entry of trusted) addTrusted(proxies, entry);
  return proxies;
};

/** Whether a peer is one of the proxies. @throws SetupFault as `createClientAddress` does */
export const createTrustedProxies = (
  trusted: readonly string[],
): ((socketAddress: string | undefined) => boolean) => {
  const proxies = proxiesOf(trusted);
  return (socketAddress) => {
    const address = trusted.length === 0 ? undefined : normalize(socketAddress ?? "");
    return address !== undefined && proxies.check(address, familyOf(address));
  };
};

/** Whether an address, in any spelling, is of this machine: 127.0.0.0/8 (RFC 1122) or ::1. */
export const isLoopback = (address: string): boolean => {
  const normal = normalize(address);
  return normal === "::1" || (normal !== undefined && isIPv4(normal) && normal.startsWith("127."));
};

const familyOf = (address: string): "ipv4" | "ipv6" => (isIPv4(address) ? "ipv4" : "ipv6");

/** `1.2.3.4:5678`, `[::1]:80` and `[::1]` without what surrounds the address; "" when that is wrong. */
const withoutPort = (hop: string): string => {
  if (hop.startsWith("[")) return /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? "";
  const colon = hop.indexOf(":");
  if (colon === -1 || hop.includes(":", colon + 1)) return hop;
  return /^\d{1,5}$/.test(hop.slice(colon + 1)) ? hop.slice(0, colon) : "";
};

const normalize = (text: string): string | undefined => {
  if (isIPv4(text)) return text;
  const zone = text.indexOf("%");
  const bare = zone === -1 ? text : text.slice(0, zone);
  if (!isIPv6(bare)) return undefined;
  return withoutMapping(compressIpv6(bare));
};

const addTrusted = (proxies: BlockList, entry: string): void => {
  const slash = entry.indexOf("/");
  const host = slash === -1 ? entry : entry.slice(0, slash);
  const address = host.includes("%") ? undefined : normalize(host);
  if (address === undefined) throw notABlock(entry);
  const family = familyOf(address);
  if (slash === -1) {
    proxies.addAddress(address, family);
    return;
  }
  const digits = entry.slice(slash + 1);
  // The block of an IPv4-mapped address is written with the 96 bits that mapping puts before it.
  const mappedBits = family === "ipv4" && isIPv6(host) ? 96 : 0;
  const bits = /^\d{1,3}$/.test(digits) ? Number(digits) - mappedBits : Number.NaN;
  if (bits === 0) {
    throw new SetupFault(`Trusted proxy "${entry}" is everybody; name the addresses of your proxies instead`);
  }
  if (!(bits > 0 && bits <= (family === "ipv4" ? 32 : 128))) throw notABlock(entry);
  proxies.addSubnet(address, bits, family);
};

const notABlock = (entry: string): SetupFault =>
  new SetupFault(`Trusted proxy "${entry}" is neither an IP address nor a block such as 10.0.0.0/8`);
