/** Where a name leads: by the hosts file, by the name servers, and, for names of the operator's, as the system says. */

import { lookup } from "node:dns/promises";
import type { Clock } from "../clock.ts";
import { createHostsFile } from "./hosts-file.ts";
import { createLookUps, LookUpFault, type LookUp, type LookUpOptions, type Resolve } from "./look-ups.ts";
import { askNameServers } from "./name-servers.ts";

/** Each takes a socket or two, and no thread. */
const mostOfServers = 32;
/** Each takes a thread for as long as the system likes. */
const mostOfSystem = 2;

export type NameRules = {
  /** In place of all the rest. */
  readonly resolve?: Resolve | undefined;
  /** In place of the machine's, as `address:port`. */
  readonly nameServers?: readonly string[] | undefined;
  readonly clock: Clock;
};

export type Names = (
  host: string,
  options: LookUpOptions & {
    /** The operator wrote it down: it may be one that only the system knows (search domains, mDNS). */
    readonly isListed: boolean;
  },
) => Promise<readonly string[]>;

const askSystem: Resolve = async (host) => {
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
};

export const createNames = ({ resolve, nameServers, clock }: NameRules): Names => {
  if (resolve) {
    const given = createLookUps({ ask: resolve, atOnce: mostOfServers, clock });
    return (host, options) => given(host, options);
  }
  const hosts = createHostsFile();
  const ofServers = createLookUps({ ask: askNameServers(nameServers), atOnce: mostOfServers, clock });
  const ofSystem: LookUp = createLookUps({ ask: askSystem, atOnce: mostOfSystem, clock });
  return async (host, { isListed, ...options }) => {
    const written = hosts(host);
    if (written) return written;
    if (!isListed) return ofServers(host, options);
    try {
      return await ofServers(host, options);
    } catch (error) {
      // The system would wait for the same servers again.
      if (error instanceof LookUpFault || options.signal?.aborted === true) throw error;
      return ofSystem(host, options);
    }
  };
};
