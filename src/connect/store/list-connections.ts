import { sql } from "kysely";
import type { Connection } from "../model/connection.ts";
import { joined, withTags } from "./connections.ts";
import { tables, type Queries } from "./tables.ts";

export type ConnectionFilter = {
  readonly connectionId?: string | undefined;
  readonly search?: string | undefined;
  readonly endUserId?: string | undefined;
  readonly organizationId?: string | undefined;
  readonly integrationKeys?: readonly string[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly limit: number;
  /** From 0 on. */
  readonly page: number;
};

/** Newest first. */
export const listConnections = async (
  query: Queries,
  environmentId: number,
  filter: ConnectionFilter,
): Promise<readonly Connection[]> => {
  let selected = joined(query)
    .where("connections.environment_id", "=", environmentId)
    .orderBy("connections.id", "desc")
    .limit(filter.limit)
    .offset(filter.page * filter.limit);
  if (filter.connectionId !== undefined)
    selected = selected.where("connections.connection_id", "=", filter.connectionId);
  if (filter.endUserId !== undefined)
    selected = selected.where("connections.end_user_id", "=", filter.endUserId);
  if (filter.organizationId !== undefined) {
    selected = selected.where("connections.organization_id", "=", filter.organizationId);
  }
  if (filter.integrationKeys !== undefined) {
    selected = selected.where("integrations.unique_key", "in", filter.integrationKeys);
  }
  if (filter.search !== undefined) {
    const escaped = filter.search.toLowerCase().replaceAll(/[\\%_]/g, (character) => `\\${character}`);
    selected = selected.where(sql<boolean>`connections.search_text like ${`%${escaped}%`} escape '\\'`);
  }
  for (const [key, value] of Object.entries(filter.tags ?? {})) {
    selected = selected.where((eb) =>
      eb.exists(
        eb
          .selectFrom("connection_tags")
          .select("connection_tags.key")
          .whereRef("connection_tags.connection_row", "=", "connections.id")
          .where("connection_tags.key", "=", key)
          .where("connection_tags.value", "=", value),
      ),
    );
  }
  return withTags(query, await selected.execute());
};

/** Integrations, by their rows, that a person has linked an account of. */
export const integrationsLinkedBy = async (
  query: Queries,
  environmentId: number,
  endUserId: string,
): Promise<readonly number[]> =>
  (
    await tables(query)
      .selectFrom("connections")
      .select("integration_id")
      .distinct()
      .where("environment_id", "=", environmentId)
      .where("end_user_id", "=", endUserId)
      .execute()
  ).map((row) => row.integration_id);
