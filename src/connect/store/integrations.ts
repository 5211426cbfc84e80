import { z } from "zod";
import type { Integration } from "../model/connection.ts";
import { isStorable, tables, type IntegrationRow, type Queries } from "./tables.ts";

const config = z.record(z.string(), z.union([z.string(), z.boolean()]));

const integrationOf = (row: IntegrationRow): Integration => ({
  id: row.id,
  environmentId: row.environment_id,
  uniqueKey: row.unique_key,
  provider: row.provider,
  displayName: row.display_name,
  forwardWebhooks: row.forward_webhooks === 1,
  config: config.parse(JSON.parse(row.config)),
  sealedConfig: row.sealed_config,
  configVersion: row.config_version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const integrationsOf = async (
  query: Queries,
  environmentId: number,
): Promise<readonly Integration[]> =>
  (
    await tables(query)
      .selectFrom("integrations")
      .selectAll()
      .where("environment_id", "=", environmentId)
      .where("deleted_at", "is", null)
      .orderBy("id")
      .execute()
  ).map(integrationOf);

/** Of all environments. */
export const allIntegrations = async (query: Queries): Promise<readonly Integration[]> =>
  (await tables(query).selectFrom("integrations").selectAll().where("deleted_at", "is", null).execute()).map(
    integrationOf,
  );

export const setSealedConfig = async (query: Queries, id: number, sealed: string): Promise<void> => {
  await tables(query)
    .updateTable("integrations")
    .set({ sealed_config: sealed })
    .where("id", "=", id)
    .execute();
};

export const integrationByKey = async (
  query: Queries,
  environmentId: number,
  uniqueKey: string,
): Promise<Integration | undefined> => {
  if (!isStorable(uniqueKey)) return undefined;
  const row = await tables(query)
    .selectFrom("integrations")
    .selectAll()
    .where("environment_id", "=", environmentId)
    .where("unique_key", "=", uniqueKey)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return row && integrationOf(row);
};

type NewIntegration = Omit<Integration, "id" | "createdAt" | "updatedAt">;

const valuesOf = (integration: NewIntegration) => ({
  environment_id: integration.environmentId,
  unique_key: integration.uniqueKey,
  provider: integration.provider,
  display_name: integration.displayName,
  forward_webhooks: integration.forwardWebhooks ? 1 : 0,
  config: JSON.stringify(integration.config),
  sealed_config: integration.sealedConfig,
  config_version: integration.configVersion,
});

/** Undefined when the environment has one of that key. */
export const insertIntegration = async (
  query: Queries,
  integration: NewIntegration,
  now: number,
): Promise<Integration | undefined> => {
  const row = await tables(query)
    .insertInto("integrations")
    .values({ ...valuesOf(integration), created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.columns(["environment_id", "unique_key"]).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row && integrationOf(row);
};

export const updateIntegration = async (
  query: Queries,
  integration: Integration,
  now: number,
): Promise<Integration | undefined> => {
  const row = await tables(query)
    .updateTable("integrations")
    .set({ ...valuesOf(integration), updated_at: now })
    .where("id", "=", integration.id)
    .where("deleted_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  return row && integrationOf(row);
};

export const hasConnections = async (query: Queries, integrationId: number): Promise<boolean> =>
  (await tables(query)
    .selectFrom("connections")
    .select("id")
    .where("integration_id", "=", integrationId)
    .limit(1)
    .executeTakeFirst()) !== undefined;
