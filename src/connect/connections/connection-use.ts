import { minute } from "../../kernel/clock.ts";
import type { AuditEvent } from "../../kernel/telemetry/audit.ts";
import type { Connection } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import type { KeyHolder } from "../model/environment.ts";
import { touchConnections } from "../store/connection-changes.ts";
import type { ConnectAudit } from "../model/audit-events.ts";

type Used = Pick<Connection, "id" | "connectionId" | "integrationKey">;

/** What is noted of calls that must not wait for the store: it is written together, at `flush`. */
export type ConnectionUse = {
  /** A call was made with its credentials. */
  readonly noteUse: (connectionRow: number) => void;
  /** The credentials were shown to an app. @param address where it called from */
  readonly noteRead: (holder: KeyHolder, connection: Used, address: () => string) => void;
  readonly flush: () => Promise<void>;
};

/** One event tells of all reads of a key and a connection within it. */
const readAgainMs = minute;
/** More is not kept waiting for the next flush. */
const mostWaiting = 1000;

type Deps = Pick<ConnectDeps, "store" | "clock" | "audit" | "log">;

export const createConnectionUse = ({ store, clock, audit, log }: Deps): ConnectionUse => {
  let used = new Map<number, number>();
  let events: AuditEvent<ConnectAudit>[] = [];
  const lastRead = new Map<string, number>();

  const write = async (): Promise<void> => {
    const now = clock.now();
    for (const [name, at] of lastRead) if (now - at >= readAgainMs) lastRead.delete(name);
    if (used.size === 0 && events.length === 0) return;
    const [usedNow, eventsNow] = [used, events];
    used = new Map();
    events = [];
    try {
      await store.transaction(async (tx) => {
        await touchConnections(tx.query, usedNow);
        for (const event of eventsNow) await audit.record(tx.query, event);
      }, "patient");
    } catch (error) {
      // Who read what, and what is in use, is not to be lost because the store was away for a moment.
      events = [...eventsNow, ...events];
      used = new Map([...usedNow, ...used]);
      throw error;
    }
  };

  let writing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    const next = writing.then(write);
    writing = next.catch(() => undefined);
    return next;
  };

  return {
    noteUse: (row) => void used.set(row, clock.now()),
    noteRead: (holder, connection, address) => {
      const now = clock.now();
      used.set(connection.id, now);
      const name = `${holder.keyId}/${connection.id}`;
      const last = lastRead.get(name);
      if (last !== undefined && now - last < readAgainMs) return;
      lastRead.set(name, now);
      events.push({
        event: "credentials_read",
        outcome: "done",
        channel: "key",
        at: now,
        address: address(),
        details: {
          environment: holder.environment.name,
          key: holder.keyName,
          integration: connection.integrationKey,
          connection: connection.connectionId,
        },
      });
      if (events.length === mostWaiting) {
        void flush().catch((error: unknown) => log.warn("reads_not_written", { error }));
      }
    },
    flush,
  };
};
