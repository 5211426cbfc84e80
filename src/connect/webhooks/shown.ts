import { z } from "zod";
import { deliveryStates, type Delivery } from "../store/webhook-deliveries.ts";
import type { WebhookSettings } from "../store/webhooks.ts";
import type { ChangedWebhooks } from "./change-settings.ts";
import { webhookEvents } from "../model/event.ts";

/** What the calls about webhooks answer: never a body, and the secret only to whoever has it made. */

const settingsShown = z.object({
  primary_url: z.string().nullable(),
  secondary_url: z.string().nullable(),
  events: z.array(z.enum(webhookEvents)),
  former_secret_until: z.string().nullable(),
  updated_at: z.string().nullable(),
});

export const settingsAnswer = z.object({ data: settingsShown });

export const changedSettingsAnswer = z.object({
  data: settingsShown.extend({ signing_secret: z.string().optional() }),
});

const deliveryShown = z.object({
  id: z.string(),
  event: z.string(),
  url_origin: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.int(),
  last_status: z.int().nullable(),
  last_error: z.string().nullable(),
  next_attempt_at: z.string().nullable(),
  created_at: z.string(),
  ended_at: z.string().nullable(),
  can_redeliver: z.boolean(),
});

export const deliveryAnswer = z.object({ data: deliveryShown });

export const deliveriesAnswer = z.object({ data: z.array(deliveryShown), next: z.string().nullable() });

const timeOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const shownSettings = (settings: WebhookSettings | undefined): z.output<typeof settingsShown> => ({
  primary_url: settings?.primaryUrl ?? null,
  secondary_url: settings?.secondaryUrl ?? null,
  events: [...(settings?.events ?? [])],
  former_secret_until: timeOf(settings?.formerUntil ?? null),
  updated_at: timeOf(settings?.updatedAt ?? null),
});

export const shownChange = ({
  settings,
  secret,
}: ChangedWebhooks): z.output<typeof changedSettingsAnswer> => ({
  data: {
    ...shownSettings(settings),
    ...(secret === undefined ? {} : { signing_secret: secret.reveal() }),
  },
});

export const shownDelivery = (delivery: Delivery): z.output<typeof deliveryShown> => ({
  id: delivery.id,
  event: delivery.event,
  url_origin: delivery.origin,
  state: delivery.state,
  attempts: delivery.attempts,
  last_status: delivery.lastStatus,
  last_error: delivery.lastError,
  next_attempt_at: timeOf(delivery.state === "pending" ? delivery.dueAt : null),
  created_at: new Date(delivery.createdAt).toISOString(),
  ended_at: timeOf(delivery.endedAt),
  can_redeliver: delivery.sealed !== null,
});
