import { sql } from "kysely";
import type { Clock } from "../../kernel/clock.ts";
import { leaseTable } from "../../kernel/work/lease-table.ts";
import type { LeasedWork } from "../../kernel/work/leased-work.ts";
import { tables, type Queries, type WebhookDeliveryRow } from "./tables.ts";
import { deliveryOf, type Delivery } from "./webhook-deliveries.ts";

/** Deliveries as the courier sees them: claimed for a while, tried, and tried again or ended. */

/** What waits and nobody is sending. A receiver is the origin of its address. */
export const deliveryQueue = (deps: {
  readonly query: Queries;
  readonly clock: Clock;
  readonly leaseMs: number;
}): Pick<LeasedWork<Delivery>, "due" | "claim"> => {
  const { due, claim } = leaseTable<WebhookDeliveryRow>({
    ...deps,
    table: "webhook_deliveries",
    key: "url",
    waits: sql`state = 'pending'`,
  });
  return {
    due,
    claim: async (id) => {
      const row = await claim(id);
      return row && deliveryOf(row);
    },
  };
};

export type Attempted = {
  readonly origin: string;
  readonly status: number | null;
  readonly error: string | null;
};

const afterAttempt = ({ origin, status, error }: Attempted) => ({
  url: origin,
  last_status: status,
  last_error: error,
  leased_until: 0,
});

/** Not when the lease ran out and another process has it. */
export const postponeDelivery = async (
  query: Queries,
  delivery: Delivery,
  attempted: Attempted,
  dueAt: number,
): Promise<void> => {
  await tables(query)
    .updateTable("webhook_deliveries")
    .set({ ...afterAttempt(attempted), due_at: dueAt })
    .where("id", "=", delivery.id)
    .where("state", "=", "pending")
    .where("leased_until", "=", delivery.leasedUntil)
    .execute();
};

/** What was delivered is delivered, whoever holds the lease now; what failed is theirs to try. */
export const endDelivery = async (
  query: Queries,
  delivery: Delivery,
  attempted: Attempted,
  { state, at }: { readonly state: "delivered" | "failed"; readonly at: number },
): Promise<void> => {
  await tables(query)
    .updateTable("webhook_deliveries")
    .set({ ...afterAttempt(attempted), state, ended_at: at, attempts: delivery.attempts })
    .where("id", "=", delivery.id)
    .where("state", "=", "pending")
    .$if(state === "failed", (update) => update.where("leased_until", "=", delivery.leasedUntil))
    .execute();
};

export type WebhooksWaiting = {
  readonly waiting: number;
  /** Of these: those that were tried in vain. */
  readonly failing: number;
  /** When the oldest that waits was made. */
  readonly since: number | undefined;
  readonly givenUp: number;
};

/** Of all environments. @param endedAfter those that were given up before are not told of any more */
export const webhooksWaiting = async (query: Queries, endedAfter: number): Promise<WebhooksWaiting> => {
  const deliveries = tables(query).selectFrom("webhook_deliveries");
  const pending = await deliveries
    .select((eb) => [
      eb.fn.countAll<number>().as("waiting"),
      eb.fn.count<number>(eb.case().when("attempts", ">", 0).then(1).end()).as("failing"),
      eb.fn.min("created_at").as("since"),
    ])
    .where("state", "=", "pending")
    .executeTakeFirstOrThrow();
  const ended = await deliveries
    .select((eb) => eb.fn.countAll<number>().as("givenUp"))
    .where("state", "=", "failed")
    .where("ended_at", ">", endedAfter)
    .executeTakeFirstOrThrow();
  const { waiting, failing, since } = pending;
  return { waiting, failing, since: since ?? undefined, givenUp: ended.givenUp };
};
