/** Brings what apps are to be told out of the house: nothing is lost while a receiver is down, nothing goes out of two processes. */
import { hour, minute, second } from "../../kernel/clock.ts";
import { backoff, createWorker, type Worker } from "../../kernel/work/leased-work.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Delivery } from "../store/webhook-deliveries.ts";
import { deliveryQueue, endDelivery, postponeDelivery } from "../store/webhook-queue.ts";
import { attemptDelivery, brokenOff, longestAttemptMs, type AttemptResult } from "./attempt.ts";

export type WebhookCourier = Pick<Worker, "wake" | "start" | "stop"> & {
  /** Delivers what is due now, and resolves when that is over. Never rejects: what fails is due again later. */
  readonly deliverDue: () => Promise<void>;
};

type Deps = Pick<ConnectDeps, "store" | "rootKeys" | "clock" | "outbound" | "policy" | "log">;

const waits = [5 * second, minute, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 8 * hour];
const waitAfter = backoff(waits);
const mostAttempts = waits.length + 1;

const lanes = 32;
/** A receiver that hangs must not keep the others from being told. */
const lanesOfReceiver = 4;
/** Only a process that died leaves a lease to run out. */
const leaseMs = 6 * longestAttemptMs;
const lookEveryMs = 5 * second;

export const createWebhookCourier = (deps: Deps): WebhookCourier => {
  const { store, clock, log } = deps;
  const { query } = store;
  const send = attemptDelivery(deps);

  const settle = async (delivery: Delivery, result: AttemptResult): Promise<void> => {
    const now = clock.now();
    const { outcome, status, reason, waitMs } = result;
    const facts = {
      delivery: delivery.id,
      event: delivery.event,
      attempt: delivery.attempts,
      status,
      reason,
    };
    if (outcome === "delivered") {
      await endDelivery(query, delivery, result, { state: "delivered", at: now });
      log.debug("webhook_delivered", facts);
      return;
    }
    const wait = waitAfter(delivery.attempts);
    if (outcome === "failed_for_good" || wait === undefined) {
      await endDelivery(query, delivery, result, { state: "failed", at: now });
      log.warn("webhook_given_up", facts);
      return;
    }
    const dueAt = now + Math.max(wait, waitMs);
    await postponeDelivery(query, delivery, result, dueAt);
    log.warn("webhook_postponed", { ...facts, until: new Date(dueAt) });
  };

  const { wake, start, stop, runDue } = createWorker<Delivery>({
    ...deliveryQueue({ query, clock, leaseMs }),
    attempt: async (delivery) => {
      if (delivery.attempts <= mostAttempts) return settle(delivery, await send(delivery));
      // A process died in the last of its attempts: it may be what the process died of.
      const last = { ...delivery, attempts: mostAttempts };
      return settle(last, brokenOff(last));
    },
    onFault: (error, delivery) =>
      delivery === undefined
        ? log.error("webhooks_not_read", { error })
        : // The store did not take it. The lease runs out, and it is sent once more: with the same id.
          log.error("webhook_not_settled", { delivery, error }),
    lanes,
    lanesOfKey: lanesOfReceiver,
    lookEveryMs,
  });
  return { wake, start, stop, deliverDue: runDue };
};
