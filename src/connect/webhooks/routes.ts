import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { ConnectDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import type { KeyHolder } from "../model/environment.ts";
import { connectBody, noQuery, parseQuery } from "../wire/input.ts";
import { deliveryStates, listDeliveries } from "../store/webhook-deliveries.ts";
import { webhookSettings } from "../store/webhooks.ts";
import { changeWebhooks, webhooksBody } from "./change-settings.ts";
import { deliveryId, redeliver } from "./redeliver.ts";
import { rotateWebhookSecret } from "./rotate-secret.ts";
import {
  changedSettingsAnswer,
  deliveriesAnswer,
  deliveryAnswer,
  settingsAnswer,
  shownChange,
  shownDelivery,
  shownSettings,
} from "./shown.ts";
import type { Webhooks } from "./webhooks.ts";

const deliveriesQuery = z.strictObject({
  state: z.enum(deliveryStates).optional(),
  before: z.string().regex(deliveryId, "must be the id of a delivery").optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "must be a number from 1 to 100")
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(50),
});

const whoOf = (holder: KeyHolder, incoming: Incoming) => ({ holder, address: incoming.client.address });

type Deps = Pick<ConnectDeps, "store" | "clock" | "random" | "rootKeys" | "audit" | "policy">;

/** Where an app is told what becomes of its connections, and what it was told. */
export const webhookRoutes = (
  deps: Deps,
  keys: EnvironmentKeys,
  { courier }: Pick<Webhooks, "courier">,
): readonly Route[] => {
  const { store, clock } = deps;
  const reads = keys.guard("environment:webhooks:read");
  const writes = keys.guard("environment:webhooks:write");
  const change = changeWebhooks(deps);
  const rotate = rotateWebhookSecret(deps);
  const again = redeliver({ store, clock, wake: courier.wake });
  return [
    route({
      method: "GET",
      path: "/environment/webhooks",
      summary: "Where this environment's webhooks go",
      wire: "connect",
      guard: reads,
      input: noBody,
      answers: {
        means: "The settings; all empty before the first change. The signing secret is not shown again.",
        schema: settingsAnswer,
      },
      run: async ({ principal, incoming }) => {
        noQuery(incoming);
        const settings = await webhookSettings(store.query, principal.environment.id);
        return { json: { data: shownSettings(settings, clock.now()) } };
      },
    }),
    route({
      method: "PATCH",
      path: "/environment/webhooks",
      summary: "Say where webhooks go, and about which events",
      wire: "connect",
      guard: writes,
      input: connectBody(webhooksBody),
      answers: {
        means: "The settings as they are now; after the first change with the secret that signs, this once.",
        schema: changedSettingsAnswer,
      },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        return { json: shownChange(await change(whoOf(principal, incoming), input), clock.now()) };
      },
    }),
    route({
      method: "POST",
      path: "/environment/webhooks/secret/rotate",
      summary: "Make a new signing secret; the one before signs too for a day",
      wire: "connect",
      guard: writes,
      input: noBody,
      answers: { means: "The settings with the new secret, this once.", schema: changedSettingsAnswer },
      run: async ({ principal, incoming }) => {
        noQuery(incoming);
        return { json: shownChange(await rotate(whoOf(principal, incoming)), clock.now()) };
      },
    }),
    route({
      method: "GET",
      path: "/environment/webhooks/deliveries",
      summary: "What was sent and what waits, newest first",
      wire: "connect",
      guard: reads,
      input: noBody,
      answers: {
        means: "A page of deliveries, without their bodies; `next` is the `before` of the page that follows.",
        schema: deliveriesAnswer,
      },
      run: async ({ principal, incoming }) => {
        const { state, before, limit } = parseQuery(deliveriesQuery, incoming);
        const found = await listDeliveries(store.query, principal.environment.id, {
          state,
          before,
          limit: limit + 1,
        });
        const page = found.slice(0, limit);
        const next = found.length > limit ? (page.at(-1)?.id ?? null) : null;
        return { json: { data: page.map(shownDelivery), next } };
      },
    }),
    route({
      method: "POST",
      path: "/environment/webhooks/deliveries/{id}/redeliver",
      summary: "Send one once more, under the same id",
      wire: "connect",
      guard: writes,
      input: noBody,
      answers: { means: "The delivery, which is on its way.", schema: deliveryAnswer },
      run: async ({ principal, incoming }) => {
        noQuery(incoming);
        return { json: { data: shownDelivery(await again(principal, incoming.param("id"))) } };
      },
    }),
  ];
};
