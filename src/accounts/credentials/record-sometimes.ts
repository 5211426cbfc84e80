import { LRUCache } from "lru-cache";
import type { AuditEvent } from "../../kernel/telemetry/audit.ts";
import type { AccountDeps } from "../deps.ts";
import type { AccountAudit } from "../model/audit-events.ts";
import { atMost } from "../../kernel/at-most.ts";

/** @param what the same for events of which one in `everyMs` is enough */
export type RecordSometimes = (
  what: string,
  everyMs: number,
  event: AuditEvent<AccountAudit>,
) => Promise<void>;

/** What may come with every call is written down once in a while, so that nobody can fill the store with it. */
export const recordSometimes = ({
  store,
  clock,
  audit,
}: Pick<AccountDeps, "store" | "clock" | "audit">): RecordSometimes => {
  const recordedAt = new LRUCache<string, number>(atMost(10_000));
  return async (what, everyMs, event) => {
    const now = clock.now();
    if (now - (recordedAt.get(what) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    recordedAt.set(what, now);
    await audit.record(store.query, event);
  };
};
