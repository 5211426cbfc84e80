/** How many connections may be open at once, and of whom. */

import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { createSampling } from "../telemetry/sampling.ts";
import type { ClientAddress } from "./client-address.ts";

export type ConnectionCaps = {
  /** Of all networks. */
  readonly most: number;
  /** Of one network (an IPv4 address, an IPv6 /64) that is no trusted proxy: behind a proxy there are many people. */
  readonly ofNetwork: number;
};

const usual: ConnectionCaps = { most: 10_000, ofNetwork: 2500 };

/** Four fifths of the descriptors are for connections; files, the database and outbound calls need the rest. */
const shareOfDescriptors = 0.8;

/** The descriptors that this process may have (getrlimit(2)); undefined where the system does not tell it in a file. */
const descriptorLimit = (): number | undefined => {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
};

/** 10,000 connections, 2,500 of one network; fewer where the process may not have the descriptors for them. */
export const usualCaps = (descriptors = descriptorLimit()): ConnectionCaps => {
  const most = Math.min(usual.most, Math.floor((descriptors ?? usual.most * 2) * shareOfDescriptors));
  return { most, ofNetwork: Math.min(usual.ofNetwork, Math.ceil(most / 4)) };
};

type Deps = {
  readonly caps: ConnectionCaps;
  readonly clientAddress: (socketAddress: string | undefined, forwardedFor: undefined) => ClientAddress;
  readonly isTrustedProxy: (socketAddress: string | undefined) => boolean;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Closes connections over the caps, and says so in the log a few times a minute. When all places are taken, whoever has
 * the most of them gives one up: who comes from a network with fewer gets in.
 */
export const capConnections = (server: Server, deps: Deps): void => {
  const { caps, clock, log } = deps;
  const open = new Map<string, Set<Socket>>();
  const sampling = createSampling(clock, { ofOneKey: 1, ofAll: 10 });
  let count = 0;

  const close = (socket: Socket, network: string, cap: keyof ConnectionCaps): void => {
    const leftOut = sampling.pass(`${cap} ${network}`);
    if (leftOut !== undefined) {
      log.warn("connection_over_cap", { network, cap: caps[cap], open: count, leftOut });
    }
    socket.destroy();
  };

  const largest = (): readonly [network: string, sockets: ReadonlySet<Socket>] | undefined => {
    let found: readonly [string, ReadonlySet<Socket>] | undefined;
    for (const entry of open) if (entry[1].size > (found?.[1].size ?? 0)) found = entry;
    return found;
  };

  const keep = (socket: Socket, network: string): void => {
    const own = open.get(network) ?? new Set<Socket>();
    open.set(network, own.add(socket));
    count += 1;
    socket.once("close", () => {
      count -= 1;
      own.delete(socket);
      if (own.size === 0 && open.get(network) === own) open.delete(network);
    });
  };

  server.on("connection", (socket) => {
    const { remoteAddress } = socket;
    const { network } = deps.clientAddress(remoteAddress, undefined);
    const own = open.get(network)?.size ?? 0;
    if (own >= caps.ofNetwork && !deps.isTrustedProxy(remoteAddress)) {
      close(socket, network, "ofNetwork");
      return;
    }
    if (count >= caps.most) {
      const [crowd, sockets] = largest() ?? [network, new Set<Socket>()];
      const [oldest] = sockets;
      if (oldest === undefined || sockets.size <= own + 1) {
        close(socket, network, "most");
        return;
      }
      close(oldest, crowd, "most");
    }
    keep(socket, network);
  });
};
