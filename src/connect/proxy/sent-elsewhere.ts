import { LRUCache } from "lru-cache";
import { minute } from "../../kernel/clock.ts";
import type { RoomDeps } from "../deps.ts";
import type { AdmittedCall } from "./admitted-call.ts";
import { atMost } from "../../kernel/at-most.ts";

const notedEveryMs = minute;

/**
 * Who sends credentials to an address of their choice could as well have read them: the audit tells of it, once a minute
 * for a key, a connection and an address.
 */
export const createElsewhereNotes = ({
  store,
  clock,
  audit,
}: Pick<RoomDeps, "store" | "clock" | "audit">) => {
  const notedAt = new LRUCache<string, number>(atMost(1000));
  return async ({ holder, connection, target, incoming }: AdmittedCall): Promise<void> => {
    const { origin } = target.url;
    const name = `${holder.keyId} ${connection.id} ${origin}`;
    const now = clock.now();
    if (now - (notedAt.get(name) ?? Number.NEGATIVE_INFINITY) < notedEveryMs) return;
    await audit.record(store.query, {
      event: "credentials_read",
      outcome: "done",
      channel: "key",
      address: incoming.client.address,
      details: {
        environment: holder.environment.name,
        key: holder.keyName,
        integration: connection.integrationKey,
        connection: connection.connectionId,
        sent_to: origin.slice(0, 255),
      },
    });
    notedAt.set(name, now);
  };
};
