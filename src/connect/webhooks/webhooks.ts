import { day, hour } from "../../kernel/clock.ts";
import type { Timetable } from "../../kernel/jobs.ts";
import { pieceByPiece } from "../../kernel/piece-by-piece.ts";
import type { ConnectDeps } from "../deps.ts";
import { eraseSomeContents, purgeDeliveries } from "../store/webhook-deliveries.ts";
import { dropFormerSecrets } from "../store/webhooks.ts";
import { createWebhookCourier, type WebhookCourier } from "./courier.ts";
import { tellApp, type Tell } from "./tell.ts";

export type Webhooks = {
  /** Within the transaction of what is told: both are committed, or neither. */
  readonly tell: Tell;
  readonly courier: WebhookCourier;
  readonly registerJobs: (timetable: Timetable) => void;
};

/** How long after its end a delivery can be repeated, and how long it is listed. */
const contentsKeptMs = 3 * day;
const listedMs = 30 * day;

export const createWebhooks = (deps: ConnectDeps): Webhooks => {
  const { store, clock } = deps;
  const courier = createWebhookCourier(deps);
  return {
    tell: tellApp({ ...deps, wake: courier.wake }),
    courier,
    registerJobs: (timetable) => {
      timetable.register("erase-webhooks", hour, async (signal) => {
        const now = clock.now();
        await dropFormerSecrets(store.query, now);
        await pieceByPiece(() => eraseSomeContents(store.query, now - contentsKeptMs), signal);
        await purgeDeliveries(store.query, now - listedMs, signal);
      });
    },
  };
};
