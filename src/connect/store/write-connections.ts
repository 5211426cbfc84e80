import { sql } from "kysely";
import type { Connection, ProviderAccount } from "../model/connection.ts";
import { connectionByRow } from "./connections.ts";
import { tables, type Queries } from "./tables.ts";

/** A connection as a whole, or what an app says of it. */

export type ConnectionDraft = Omit<
  Connection,
  "id" | "integrationKey" | "provider" | "lastUsedAt" | "createdAt" | "updatedAt"
>;

/** What an app says of the connection, and may change without its credentials. */
export type ConnectionLabels = Pick<Connection, "connectionId" | "endUser" | "tags" | "webhookUrlOverride">;

/** Who linked it is said by the end user, or by the tags alone: both are found. */
const labelsOf = ({ connectionId, endUser: who, tags, webhookUrlOverride }: ConnectionLabels) => ({
  end_user: who === null ? null : JSON.stringify(who),
  end_user_id: who?.id ?? tags["end_user_id"] ?? null,
  organization_id: who?.organization?.id ?? tags["organization_id"] ?? null,
  webhook_url_override: webhookUrlOverride,
  search_text: [
    connectionId,
    who?.displayName ?? tags["end_user_display_name"] ?? "",
    who?.email ?? tags["end_user_email"] ?? "",
  ]
    .join("\n")
    .toLowerCase(),
});

export const accountValues = (account: ProviderAccount | null) => ({
  account_id: account?.id ?? null,
  account_name: account?.name ?? null,
  account_email: account?.email ?? null,
  account_workspace: account?.workspace ?? null,
});

const valuesOf = (draft: ConnectionDraft) => ({
  environment_id: draft.environmentId,
  integration_id: draft.integrationId,
  connection_id: draft.connectionId,
  shape: draft.shape,
  sealed: draft.sealed,
  sealed_version: draft.sealedVersion,
  config: JSON.stringify(draft.config),
  metadata: JSON.stringify(draft.metadata),
  ...labelsOf(draft),
  ...accountValues(draft.account),
  state: draft.state,
  state_reason: draft.stateReason,
  origin: draft.origin,
  last_verified_at: draft.lastVerifiedAt,
});

const putTags = async (
  query: Queries,
  { id: row, environment_id }: { readonly id: number; readonly environment_id: number },
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  await tables(query).deleteFrom("connection_tags").where("connection_row", "=", row).execute();
  const values = Object.entries(tags).map(([key, value]) => ({
    connection_row: row,
    environment_id,
    key,
    value,
  }));
  if (values.length > 0) await tables(query).insertInto("connection_tags").values(values).execute();
};

/** Undefined when the integration has a connection of that id. */
export const insertConnection = async (
  query: Queries,
  draft: ConnectionDraft,
  now: number,
): Promise<number | undefined> => {
  const row = await tables(query)
    .insertInto("connections")
    .values({ ...valuesOf(draft), last_used_at: null, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.columns(["integration_id", "connection_id"]).doNothing())
    .returning(["id", "environment_id"])
    .executeTakeFirst();
  if (row) await putTags(query, row, draft.tags);
  return row?.id;
};

/** The connection as it is, and stays for all others until the end of the transaction; undefined when it is gone. */
export const holdConnection = async (query: Queries, row: number): Promise<Connection | undefined> => {
  await tables(query)
    .updateTable("connections")
    .set({ updated_at: sql`updated_at` })
    .where("id", "=", row)
    .execute();
  return connectionByRow(query, row);
};

/** For who holds it: everything is written anew. False when it is gone. */
export const updateConnection = async (
  query: Queries,
  id: number,
  draft: ConnectionDraft,
  now: number,
): Promise<boolean> => {
  const row = await tables(query)
    .updateTable("connections")
    .set({ ...valuesOf(draft), updated_at: now })
    .where("id", "=", id)
    .returning(["id", "environment_id"])
    .executeTakeFirst();
  if (row) await putTags(query, row, draft.tags);
  return row !== undefined;
};

/** False when it is gone. */
export const relabelConnection = async (
  query: Queries,
  row: number,
  labels: ConnectionLabels,
  now: number,
): Promise<boolean> => {
  const found = await tables(query)
    .updateTable("connections")
    .set({ ...labelsOf(labels), updated_at: now })
    .where("id", "=", row)
    .returning(["id", "environment_id"])
    .executeTakeFirst();
  if (found) await putTags(query, found, labels.tags);
  return found !== undefined;
};
