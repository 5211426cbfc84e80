import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { deliveryStates } from "../store/webhook-deliveries.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import { keyCallerOf } from "../wire/actor.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, connectQuery } from "../wire/input.ts";
import { webhooksBody } from "./change-settings.ts";
import { deliveryId } from "./redeliver.ts";
import {
  changedSettingsAnswer,
  deliveriesAnswer,
  deliveryAnswer,
  settingsAnswer,
  shownChange,
  shownDelivery,
  shownSettings,
} from "./shown.ts";
import { connectWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";

const deliveriesQuery = z.strictObject({
  state: z.enum(deliveryStates).describe("Without it, all").optional(),
  before: z
    .string()
    .regex(deliveryId, "must be the id of a delivery")
    .describe("The `next` of the page before: shows what is older")
    .optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "must be a number from 1 to 100")
    .meta({ type: "integer", pattern: undefined, minimum: 1, maximum: 100 })
    .describe("How many; 50 unless said")
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(50),
});

/** Where an app is told what becomes of its connections, and what it was told. */
export const webhookRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => {
  const reads = key("environment:webhooks:read");
  const writes = key("environment:webhooks:write");
  return [
    route({
      method: "GET",
      path: "/environment/webhooks",
      summary: "Where this environment's webhooks go",
      wire: connectWire,
      guard: reads,
      input: noBody,
      answers: {
        means: "The settings; all empty before the first change. The signing secret is not shown again.",
        schema: settingsAnswer,
      },
      run: async ({ principal }) => {
        const settings = await use.readWebhookSettings(principal.environment);
        return { json: { data: shownSettings(settings) } };
      },
    }),
    route({
      method: "PATCH",
      path: "/environment/webhooks",
      summary: "Say where webhooks go, and about which events",
      wire: connectWire,
      guard: writes,
      input: connectBody(webhooksBody),
      answers: {
        means: "The settings as they are now; after the first change with the secret that signs, this once.",
        schema: changedSettingsAnswer,
      },
      run: async ({ input, principal, incoming }) => {
        return { json: shownChange(await use.changeWebhooks(keyCallerOf(principal, incoming), input)) };
      },
    }),
    route({
      method: "POST",
      path: "/environment/webhooks/secret/rotate",
      summary: "Make a new signing secret; the one before signs too for a day",
      wire: connectWire,
      guard: writes,
      input: noBody,
      refuses: [refusals.not_found],
      answers: { means: "The settings with the new secret, this once.", schema: changedSettingsAnswer },
      run: async ({ principal, incoming }) => {
        return { json: shownChange(await use.rotateWebhookSecret(keyCallerOf(principal, incoming))) };
      },
    }),
    route({
      method: "GET",
      path: "/environment/webhooks/deliveries",
      summary: "What was sent and what waits, newest first",
      wire: connectWire,
      guard: reads,
      input: noBody,
      query: connectQuery(deliveriesQuery),
      answers: {
        means: "A page of deliveries, without their bodies; `next` is the `before` of the page that follows.",
        schema: deliveriesAnswer,
      },
      run: async ({ query, principal }) => {
        const { deliveries, next } = await use.listDeliveries(principal.environment, query);
        return { json: { data: deliveries.map(shownDelivery), next } };
      },
    }),
    route({
      method: "POST",
      path: "/environment/webhooks/deliveries/{id}/redeliver",
      summary: "Send one once more, under the same id",
      wire: connectWire,
      guard: writes,
      input: noBody,
      refuses: [refusals.not_found, refusals.delivery_erased],
      answers: { means: "The delivery, which is on its way.", schema: deliveryAnswer },
      run: async ({ params, principal }) => ({
        json: { data: shownDelivery(await use.redeliver(principal, params.id)) },
      }),
    }),
  ];
};
