import { z } from "zod";
import { isWebhookEvent, type WebhookEvent } from "../model/event.ts";
import { tables, type Queries } from "./tables.ts";

/** Where an environment wants to be told, and of what. */

export type WebhookSettings = {
  readonly environmentId: number;
  readonly environment: string;
  readonly primaryUrl: string | null;
  readonly secondaryUrl: string | null;
  readonly events: readonly WebhookEvent[];
  readonly sealedSecret: string;
  readonly secretVersion: number;
  /** Of the version before. */
  readonly sealedFormerSecret: string | null;
  /** Epoch milliseconds. */
  readonly formerUntil: number | null;
  readonly updatedAt: number;
};

const texts = z.array(z.string());

/** Undefined when the environment never said that it wants to be told. */
export const webhookSettings = async (
  query: Queries,
  environmentId: number,
): Promise<WebhookSettings | undefined> => {
  const row = await tables(query)
    .selectFrom("webhook_settings")
    .innerJoin("environments", "environments.id", "webhook_settings.environment_id")
    .selectAll("webhook_settings")
    .select("environments.name")
    .where("webhook_settings.environment_id", "=", environmentId)
    .executeTakeFirst();
  return (
    row && {
      environmentId,
      environment: row.name,
      primaryUrl: row.primary_url,
      secondaryUrl: row.secondary_url,
      events: texts.parse(JSON.parse(row.events)).filter(isWebhookEvent),
      sealedSecret: row.sealed_secret,
      secretVersion: row.secret_version,
      sealedFormerSecret: row.sealed_former_secret,
      formerUntil: row.former_until,
      updatedAt: row.updated_at,
    }
  );
};

export const putWebhookSettings = async (
  query: Queries,
  settings: Omit<WebhookSettings, "environment">,
): Promise<void> => {
  const values = {
    primary_url: settings.primaryUrl,
    secondary_url: settings.secondaryUrl,
    events: JSON.stringify(settings.events),
    sealed_secret: settings.sealedSecret,
    secret_version: settings.secretVersion,
    sealed_former_secret: settings.sealedFormerSecret,
    former_until: settings.formerUntil,
    updated_at: settings.updatedAt,
  };
  await tables(query)
    .insertInto("webhook_settings")
    .values({ environment_id: settings.environmentId, ...values })
    .onConflict((conflict) => conflict.column("environment_id").doUpdateSet(values))
    .execute();
};

/** A secret that signs nothing any more need not lie there. */
export const dropFormerSecrets = async (query: Queries, now: number): Promise<void> => {
  await tables(query)
    .updateTable("webhook_settings")
    .set({ sealed_former_secret: null, former_until: null })
    .where("former_until", "<=", now)
    .execute();
};
