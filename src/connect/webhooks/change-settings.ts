import { z } from "zod";
import type { Secret } from "../../kernel/secret.ts";
import type { ConnectDeps } from "../deps.ts";
import type { KeyHolder } from "../model/environment.ts";
import type { KeyCaller } from "../wire/actor.ts";
import { invalidBody } from "../wire/input.ts";
import { putWebhookSettings, webhookSettings, type WebhookSettings } from "../store/webhooks.ts";
import { webhookAddressIssue } from "./address.ts";
import { webhookEvents } from "../model/event.ts";
import { withoutEndedSecret } from "./read-webhooks.ts";
import { sealSecret } from "./seals.ts";
import { newSigningSecret } from "./signature.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "random" | "rootKeys" | "audit" | "policy">;

const address = z.string().max(2048).nullable().optional();

export const webhooksBody = z
  .strictObject({
    /** Null or empty: nowhere. */
    primary_url: address,
    /** Is told the same as the primary one. */
    secondary_url: address,
    events: z
      .array(z.enum(webhookEvents))
      .max(webhookEvents.length)
      .transform((events) => webhookEvents.filter((event) => events.includes(event)))
      .optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    message: "must say what to change: primary_url, secondary_url or events",
  });

export type WebhooksBody = z.output<typeof webhooksBody>;

/** Settings as they are now, and a secret that is told this once. */
export type ChangedWebhooks = { readonly settings: WebhookSettings; readonly secret: Secret | undefined };

const addressIn = (
  body: WebhooksBody,
  field: "primary_url" | "secondary_url",
  policy: Deps["policy"],
): string | null | undefined => {
  const given = body[field];
  if (given === undefined) return undefined;
  if (given === null || given === "") return null;
  const issue = webhookAddressIssue(given, policy);
  if (issue !== undefined) throw invalidBody([field], issue);
  return given;
};

const firstSettings = (deps: Deps, { environment }: KeyHolder): ChangedWebhooks => {
  const secret = newSigningSecret(deps.random);
  const environmentId = environment.id;
  return {
    secret,
    settings: {
      environmentId,
      environment: environment.name,
      primaryUrl: null,
      secondaryUrl: null,
      events: webhookEvents,
      sealedSecret: sealSecret(deps, { environmentId, version: 1 }, secret),
      secretVersion: 1,
      sealedFormerSecret: null,
      formerUntil: null,
      updatedAt: deps.clock.now(),
    },
  };
};

/** What is not named stays. The first change makes the secret. @throws Refusal input_invalid */
export const changeWebhooks =
  (deps: Deps) =>
  async ({ holder, address: from }: KeyCaller, body: WebhooksBody): Promise<ChangedWebhooks> => {
    const primaryUrl = addressIn(body, "primary_url", deps.policy);
    const secondaryUrl = addressIn(body, "secondary_url", deps.policy);
    return deps.store.transaction(async (tx) => {
      await tx.alone();
      const before = await webhookSettings(tx.query, holder.environment.id);
      const { settings, secret } = before
        ? { settings: before, secret: undefined }
        : firstSettings(deps, holder);
      const now = deps.clock.now();
      const changed = {
        ...settings,
        ...(primaryUrl === undefined ? {} : { primaryUrl }),
        ...(secondaryUrl === undefined ? {} : { secondaryUrl }),
        events: body.events ?? settings.events,
        updatedAt: now,
      };
      await putWebhookSettings(tx.query, changed);
      await deps.audit.record(tx.query, {
        event: "webhooks_changed",
        outcome: "done",
        channel: "key",
        address: from,
        details: {
          environment: holder.environment.name,
          key: holder.keyName,
          fields: Object.keys(body).toSorted().join(", "),
        },
      });
      return { settings: withoutEndedSecret(changed, now), secret };
    });
  };
