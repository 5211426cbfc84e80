import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import {
  listDeliveries as listRows,
  type Delivery,
  type DeliveryFilter,
} from "../store/webhook-deliveries.ts";
import { webhookSettings, type WebhookSettings } from "../store/webhooks.ts";

/** The former secret signs for a day; after that there is nothing to tell of it. */
export const withoutEndedSecret = (settings: WebhookSettings, now: number): WebhookSettings =>
  settings.formerUntil === null || settings.formerUntil > now ? settings : { ...settings, formerUntil: null };

/** Where an environment wants to be told, and of what; undefined as long as it has not said so. */
export const readWebhookSettings =
  ({ store, clock }: Pick<ConnectDeps, "store" | "clock">) =>
  async ({ id }: Environment): Promise<WebhookSettings | undefined> => {
    const settings = await webhookSettings(store.query, id);
    return settings && withoutEndedSecret(settings, clock.now());
  };

export type DeliveryPage = {
  readonly deliveries: readonly Delivery[];
  /** The `before` of the page that follows; null when there is none. */
  readonly next: string | null;
};

/** Newest first. */
export const listDeliveries =
  ({ store }: Pick<ConnectDeps, "store">) =>
  async ({ id }: Environment, filter: DeliveryFilter): Promise<DeliveryPage> => {
    const { limit } = filter;
    const found = await listRows(store.query, id, { ...filter, limit: limit + 1 });
    const deliveries = found.slice(0, limit);
    return { deliveries, next: found.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
  };
