import { sql } from "kysely";
import { z } from "zod";
import { purge } from "../../kernel/db/purge.ts";
import { tables, type Queries, type WebhookDeliveryRow } from "./tables.ts";

/** What was, and is to be, sent to apps. */

const deliveryState = z.enum(["pending", "delivered", "failed"]);
export const deliveryStates = deliveryState.options;
export type DeliveryState = z.infer<typeof deliveryState>;

export type Delivery = {
  readonly id: string;
  readonly environmentId: number;
  readonly event: string;
  /** Where it goes; the rest of the address is sealed. */
  readonly origin: string;
  /** Null when it is erased. */
  readonly sealed: string | null;
  /** With the one that is under way: each is counted before it is made. */
  readonly attempts: number;
  readonly dueAt: number;
  readonly leasedUntil: number;
  readonly state: DeliveryState;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
};

export const deliveryOf = (row: WebhookDeliveryRow): Delivery => ({
  id: row.id,
  environmentId: row.environment_id,
  event: row.event,
  origin: row.url,
  sealed: row.sealed,
  attempts: row.attempts,
  dueAt: row.due_at,
  leasedUntil: row.leased_until,
  state: deliveryState.parse(row.state),
  lastStatus: row.last_status,
  lastError: row.last_error,
  createdAt: row.created_at,
  endedAt: row.ended_at,
});

export type NewDelivery = Pick<Delivery, "id" | "environmentId" | "event" | "origin"> & {
  readonly sealed: string;
};

/** Rows of one statement: both stores bound how much a statement may name. */
const atOnce = 500;

export const insertDeliveries = async (
  query: Queries,
  deliveries: readonly NewDelivery[],
  now: number,
): Promise<void> => {
  for (let from = 0; from < deliveries.length; from += atOnce) {
    await insertSome(query, deliveries.slice(from, from + atOnce), now);
  }
};

const insertSome = async (query: Queries, deliveries: readonly NewDelivery[], now: number): Promise<void> => {
  await tables(query)
    .insertInto("webhook_deliveries")
    .values(
      deliveries.map(({ id, environmentId, event, origin, sealed }) => ({
        id,
        environment_id: environmentId,
        event,
        url: origin,
        sealed,
        attempts: 0,
        due_at: now,
        leased_until: 0,
        state: "pending",
        last_status: null,
        last_error: null,
        created_at: now,
        ended_at: null,
      })),
    )
    .execute();
};

export type DeliveryFilter = {
  readonly state?: DeliveryState | undefined;
  /** Those that are older than this one; none when the environment has no such delivery. */
  readonly before?: string | undefined;
  readonly limit: number;
};

/** Newest first. */
export const listDeliveries = async (
  query: Queries,
  environmentId: number,
  { state, before, limit }: DeliveryFilter,
): Promise<readonly Delivery[]> => {
  const from = before === undefined ? undefined : await deliveryById(query, environmentId, before);
  if (before !== undefined && from === undefined) return [];
  const rows = await tables(query)
    .selectFrom("webhook_deliveries")
    .selectAll()
    .where("environment_id", "=", environmentId)
    .$if(state !== undefined, (select) => select.where("state", "=", state ?? ""))
    .$if(from !== undefined, (select) =>
      select.where((eb) =>
        eb.or([
          eb("created_at", "<", from?.createdAt ?? 0),
          eb.and([eb("created_at", "=", from?.createdAt ?? 0), eb("id", "<", from?.id ?? "")]),
        ]),
      ),
    )
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(deliveryOf);
};

export const deliveryById = async (
  query: Queries,
  environmentId: number,
  id: string,
): Promise<Delivery | undefined> => {
  const row = await tables(query)
    .selectFrom("webhook_deliveries")
    .selectAll()
    .where("environment_id", "=", environmentId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && deliveryOf(row);
};

/** What has ended begins anew, what waits does not wait any longer. Undefined when its contents are erased. */
export const renewDelivery = async (
  query: Queries,
  environmentId: number,
  id: string,
  now: number,
): Promise<Delivery | undefined> => {
  const row = await tables(query)
    .updateTable("webhook_deliveries")
    .set((eb) => {
      const whileItWaits = (column: "attempts" | "leased_until") =>
        eb.case().when("state", "=", "pending").then(eb.ref(column)).else(0).end();
      return {
        state: "pending",
        attempts: whileItWaits("attempts"),
        leased_until: whileItWaits("leased_until"),
        due_at: now,
        ended_at: null,
      };
    })
    .where("environment_id", "=", environmentId)
    .where("id", "=", id)
    .where("sealed", "is not", null)
    .returningAll()
    .executeTakeFirst();
  return row && deliveryOf(row);
};

/** Rows that are purged at once: all else that wants to write waits for them. */
const piece = 500;

/** Of what ended before. @returns whether there may be more */
export const eraseSomeContents = async (query: Queries, before: number): Promise<boolean> => {
  const { numUpdatedRows } = await tables(query)
    .updateTable("webhook_deliveries")
    .set({ sealed: null })
    .where("id", "in", (eb) =>
      eb
        .selectFrom("webhook_deliveries")
        .select("id")
        .where("ended_at", "<", before)
        .where("sealed", "is not", null)
        .orderBy("ended_at")
        .limit(piece),
    )
    // Not when it is being sent once more since.
    .where("ended_at", "<", before)
    .executeTakeFirst();
  return numUpdatedRows >= piece;
};

/** Of what ended before. */
export const purgeDeliveries = async (
  query: Queries,
  before: number,
  signal?: AbortSignal,
): Promise<void> => {
  const where = sql<boolean>`ended_at < ${before}`;
  await purge(query, { table: "webhook_deliveries", key: ["id"], where, by: "ended_at" }, signal);
};
