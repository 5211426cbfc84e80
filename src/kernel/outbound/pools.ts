/** Connections to strangers: kept and shared by origin, each to an address that was checked. */

import { LRUCache } from "lru-cache";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { buildConnector, Pool } from "undici";
import { minute, second, type Clock } from "../clock.ts";
import { OutboundFault } from "./fault.ts";
import type { LookUpOptions } from "./look-ups.ts";
import type { Targets } from "./target.ts";

const mostOrigins = 256;
const mostConnections = 128;
/** So long the addresses of a name are believed. */
const pinnedMs = 30 * second;
const connectMs = 10 * second;
/** Shorter than most servers wait (5 s), so that a call seldom meets a connection that is just being closed. */
const idleMs = 4 * second;
const longestIdleMs = 30 * second;
/** Between two pieces of a body. */
const stalledMs = 5 * minute;

/** Opens connections for an origin that go to these addresses only. */
type OpenPool = (origin: string, addresses: readonly string[]) => Pool;

type PoolDeps = {
  readonly targets: Targets;
  readonly clock: Clock;
  readonly openPool: OpenPool;
};

export type Pools = {
  /** The pool of an origin whose addresses are still believed. @throws OutboundFault for a user name in the URL */
  readonly known: (url: URL) => Pool | undefined;
  /** @throws OutboundFault when the address is refused, or the name leads nowhere; and the reason of the signal */
  readonly find: (url: URL, options?: LookUpOptions) => Promise<Pool>;
  /** Cuts off what is still running. */
  readonly close: () => Promise<void>;
};

/**
 * Answers the question for any name with the addresses that were checked; nobody is asked a second time. Never at once,
 * as no look-up does: a connection that fails within the call that opens it has nobody yet who listens for that.
 */
const pinnedTo = (addresses: readonly string[]): LookupFunction => {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first = { address: "", family: 0 }] = entries;
  return (_host, { all }, answer) => {
    if (all === true) process.nextTick(answer, null, entries);
    else process.nextTick(answer, null, first.address, first.family);
  };
};

/** @param authorities PEM certificates to believe besides those that Node does (NODE_EXTRA_CA_CERTS included). */
export const poolOpener =
  (authorities: readonly string[] = []): OpenPool =>
  (origin, addresses) =>
    new Pool(origin, {
      connections: mostConnections,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: longestIdleMs,
      // Waiting for the head is limited by who asks.
      headersTimeout: 0,
      bodyTimeout: stalledMs,
      allowH2: false,
      connect: buildConnector({
        lookup: pinnedTo(addresses),
        timeout: connectMs,
        allowH2: false,
        ...(authorities.length > 0 && { ca: [...authorities] }),
      }),
    });

type Pinned = { readonly pool: Pool; readonly addresses: string; until: number };

export const createPools = ({ targets, clock, openPool }: PoolDeps): Pools => {
  const leaving = new Set<Pool>();
  const pinned = new LRUCache<string, Pinned>({
    max: mostOrigins,
    dispose: ({ pool }) => {
      leaving.add(pool);
      void pool.close().then(() => leaving.delete(pool));
    },
  });
  const closing = new AbortController();

  const known = (url: URL): Pool | undefined => {
    targets.refuseUserinfo(url);
    const found = pinned.get(url.origin);
    return found !== undefined && clock.now() < found.until ? found.pool : undefined;
  };

  const pin = async (url: URL, { asker, signal }: LookUpOptions): Promise<Pool> => {
    const ended = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
    const checked = await targets.addressesOf(url, { asker, signal: ended });
    closing.signal.throwIfAborted();
    const addresses = checked.toSorted().join(" ");
    const until = clock.now() + pinnedMs;
    const before = pinned.get(url.origin);
    if (before?.addresses === addresses) {
      before.until = until;
      return before.pool;
    }
    const pool = openPool(url.origin, checked);
    pinned.set(url.origin, { pool, addresses, until });
    return pool;
  };

  return {
    known,
    find: async (url, options = {}) => known(url) ?? pin(url, options),
    close: async () => {
      closing.abort(new OutboundFault("unreachable", "The server is being stopped."));
      const pools = [...leaving, ...[...pinned.values()].map(({ pool }) => pool)];
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
};
