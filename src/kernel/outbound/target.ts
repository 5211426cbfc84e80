/** Whom this server calls: the armour against being sent to addresses that only it can reach (SSRF). */

import { isIP } from "node:net";
import { systemClock, type Clock } from "../clock.ts";
import { leadsToThisMachine, nameOfHost } from "../text/host.ts";
import { ownInterfaces, reachOf } from "./address.ts";
import { hostOf, OutboundFault } from "./fault.ts";
import { LookUpFault, type LookUpOptions } from "./look-ups.ts";
import { createNames, type NameRules } from "./names.ts";

export type TargetRules = Pick<NameRules, "resolve" | "nameServers"> & {
  /** Origins that may be private, or plain http, or our own. */
  readonly allow: readonly string[];
  readonly ownOrigin: URL;
  /** Addresses of this machine; those of its network interfaces unless said. */
  readonly ownAddresses?: (() => readonly string[]) | undefined;
  readonly clock?: Clock | undefined;
};

export type Targets = {
  /**
   * The addresses to which, and to no others, a connection for this URL may go. The name is asked for once, and all
   * that it gives is looked at: one bad address refuses the whole.
   * @throws OutboundFault `address_refused`; `unreachable` for a name without addresses, and when too many are asked
   * for; `timeout`. And with the reason of the signal.
   */
  readonly addressesOf: (url: URL, options?: LookUpOptions) => Promise<readonly string[]>;
  /** Credentials in a URL would bypass those who drop them at redirects. @throws OutboundFault `address_refused` */
  readonly refuseUserinfo: (url: URL) => void;
};

/** More are not tried one after the other. */
const mostAddresses = 8;

const refused = (url: URL, why: string): OutboundFault =>
  new OutboundFault("address_refused", `${hostOf(url)} is not called: ${why}.`);

const listing = "the operator can list the origin in LATCHKEY_OUTBOUND_ALLOW";

const tooMany = "Too many names are being looked up at the moment.";

const unknownYet = (url: URL): string => `No name server said in time where ${hostOf(url)} leads.`;

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

const literalOf = (url: URL): string | undefined => {
  const bare = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? undefined : bare;
};

export const createTargets = (rules: TargetRules): Targets => {
  const { ownOrigin, ownAddresses = ownInterfaces, clock = systemClock } = rules;
  const names = createNames({ ...rules, clock });
  const allowed = new Set(rules.allow.map((origin) => new URL(origin).origin));
  const ownName = nameOfHost(ownOrigin);

  const refuseUserinfo = (url: URL): void => {
    if (url.username !== "" || url.password !== "") throw refused(url, "its URL has a user name or password");
  };

  const refuseByName = (url: URL): void => {
    if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(url, "only https is spoken");
    if (url.protocol === "http:") throw refused(url, `only https is spoken; ${listing}`);
    const name = nameOfHost(url);
    if (name === ownName) throw refused(url, "it is this server");
    // An address is looked at by itself.
    if (literalOf(url) === undefined && leadsToThisMachine(name)) {
      throw refused(url, `it is this machine; ${listing}`);
    }
  };

  const lookUp = async (url: URL, isListed: boolean, options: LookUpOptions): Promise<readonly string[]> => {
    const nowhere = `The name ${hostOf(url)} leads nowhere.`;
    let found: readonly string[];
    try {
      found = await names(nameOfHost(url), { ...options, isListed });
    } catch (error) {
      if (error instanceof OutboundFault) throw error;
      const { code } = error instanceof LookUpFault ? error : { code: codeOf(error) };
      if (code === "EBUSY") throw new OutboundFault("unreachable", tooMany, { code });
      if (code === "ETIMEOUT") throw new OutboundFault("timeout", unknownYet(url), { code });
      throw new OutboundFault("unreachable", nowhere, { code });
    }
    if (found.length === 0) throw new OutboundFault("unreachable", nowhere);
    return found;
  };

  return {
    refuseUserinfo,
    addressesOf: async (url, options = {}) => {
      refuseUserinfo(url);
      const literal = literalOf(url);
      const isAllowed = allowed.has(url.origin);
      // Who lists an address means that address. A name can be made to lead elsewhere, also a listed one.
      if (isAllowed && literal !== undefined) return [literal];
      if (!isAllowed) refuseByName(url);
      const found = literal === undefined ? await lookUp(url, isAllowed, options) : [literal];
      const reaches = found.map(reachOf);
      if (reaches.includes("special")) throw refused(url, "it leads to an address that no host has");
      if (isAllowed) return found.slice(0, mostAddresses);
      if (reaches.includes("private")) throw refused(url, `it leads to a private address; ${listing}`);
      // What a firewall keeps from others, it does not keep from this machine itself.
      const own = ownAddresses();
      if (found.some((address) => own.includes(address)))
        throw refused(url, `it is this machine; ${listing}`);
      return found.slice(0, mostAddresses);
    },
  };
};
