/** Brings what apps are to be told out of the house: nothing is lost while a receiver is down, nothing goes out of two processes. */
import { hour, minute, second } from "../../kernel/clock.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Delivery } from "../store/webhook-deliveries.ts";
import { claimDelivery, dueDeliveries, endDelivery, postponeDelivery } from "../store/webhook-queue.ts";
import { attemptDelivery, longestAttemptMs, type AttemptResult } from "./attempt.ts";

export type WebhookCourier = {
  /** Looks at the queue as soon as possible. Before `start` it does nothing. */
  readonly wake: () => void;
  readonly start: () => void;
  /** For good. Resolves when the deliveries that have begun are over; no other one begins. */
  readonly stop: () => Promise<void>;
  /** Delivers what is due now, and resolves when that is over. Never rejects: what fails is due again later. */
  readonly deliverDue: () => Promise<void>;
};

type Deps = Pick<ConnectDeps, "store" | "rootKeys" | "clock" | "outbound" | "policy" | "log">;

/** Behind each attempt that was in vain; with the last of them it is the end. */
const backoffMs = [5 * second, minute, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 8 * hour];

const mostAtOnce = 32;
/** A receiver that hangs must not keep the others from being told. */
const mostAtOneOrigin = 4;
/** Only a process that died leaves a lease to run out. */
const leaseMs = 6 * longestAttemptMs;
/** For retries, and for what a process that died had begun. */
const lookEveryMs = 5 * second;

type Flight = { readonly origin: string; readonly landed: Promise<void> };

export const createWebhookCourier = (deps: Deps): WebhookCourier => {
  const { store, clock, log } = deps;
  const attempt = attemptDelivery(deps);
  const flights = new Map<string, Flight>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let again = false;
  let looking: Promise<void> | undefined;

  const isBusy = (origin: string): boolean =>
    [...flights.values()].filter((flight) => flight.origin === origin).length >= mostAtOneOrigin;

  const settle = async (delivery: Delivery, result: AttemptResult): Promise<void> => {
    const now = clock.now();
    const { outcome, status, reason, waitMs } = result;
    const facts = {
      delivery: delivery.id,
      event: delivery.event,
      attempt: delivery.attempts + 1,
      status,
      reason,
    };
    if (outcome === "delivered") {
      await endDelivery(store.query, delivery, result, { state: "delivered", at: now });
      log.debug("webhook_delivered", facts);
      return;
    }
    const backoff = backoffMs[delivery.attempts];
    if (outcome === "failed_for_good" || backoff === undefined) {
      await endDelivery(store.query, delivery, result, { state: "failed", at: now });
      log.warn("webhook_given_up", facts);
      return;
    }
    const dueAt = now + Math.max(backoff, waitMs);
    await postponeDelivery(store.query, delivery, result, dueAt);
    log.warn("webhook_postponed", { ...facts, until: new Date(dueAt) });
  };

  const fly = async (delivery: Delivery): Promise<void> => {
    try {
      await settle(delivery, await attempt(delivery));
    } catch (error) {
      // The store did not take it. The lease runs out, and it is sent once more: with the same id.
      log.error("webhook_not_settled", { delivery: delivery.id, error });
    }
    flights.delete(delivery.id);
    look();
  };

  const begin = (delivery: Delivery): void => {
    const { promise: landed, resolve } = Promise.withResolvers<void>();
    flights.set(delivery.id, { origin: delivery.origin, landed });
    void fly(delivery).then(resolve);
  };

  /** Takes up what is due, as far as there is room. */
  const takeUp = async (): Promise<void> => {
    for (;;) {
      const most = mostAtOnce - flights.size;
      if (stopped || most <= 0) return;
      const without = [...new Set([...flights.values()].map(({ origin }) => origin))].filter(isBusy);
      const found = await dueDeliveries(store.query, clock.now(), { without, most });
      if (found.length === 0) return;
      for (const { id, origin } of found) {
        if (stopped) return;
        if (isBusy(origin)) continue;
        const delivery = await claimDelivery(store.query, id, clock.now(), leaseMs);
        if (delivery) begin(delivery);
      }
    }
  };

  const looks = async (): Promise<void> => {
    while (again && !stopped) {
      again = false;
      await takeUp().catch((error: unknown) => log.error("webhooks_not_read", { error }));
    }
    looking = undefined;
  };

  /** One look at a time; who asks during one gets another behind it. */
  const look = (): void => {
    if (stopped) return;
    again = true;
    looking ??= looks();
  };

  const settled = async (): Promise<void> => {
    while (looking || flights.size > 0) {
      await looking;
      await Promise.all([...flights.values()].map(({ landed }) => landed));
    }
  };

  return {
    wake: () => {
      if (timer) look();
    },
    start: () => {
      timer = setInterval(look, lookEveryMs);
      timer.unref();
      look();
    },
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await settled();
    },
    deliverDue: async () => {
      look();
      await settled();
    },
  };
};
