import { sql } from "kysely";
import { z } from "zod";
import type { Connection, ConnectionState, ProviderAccount } from "../model/connection.ts";
import type { EndUser } from "../model/end-user.ts";
import { isStorable, tables, type ConnectionRow, type Queries } from "./tables.ts";

const texts = z.record(z.string(), z.string());
const endUser = z.object({
  id: z.string(),
  email: z.string().nullable(),
  displayName: z.string().nullable(),
  tags: texts.nullable(),
  organization: z.object({ id: z.string(), displayName: z.string().nullable() }).nullable(),
}) satisfies z.ZodType<EndUser>;
const metadata = z.record(z.string(), z.unknown());
const state = z.enum(["live", "failing", "revoked"]) satisfies z.ZodType<ConnectionState>;

type Joined = ConnectionRow & { readonly unique_key: string; readonly provider: string };

const connectionOf = (row: Joined, tags: Readonly<Record<string, string>>): Connection => ({
  id: row.id,
  environmentId: row.environment_id,
  integrationId: row.integration_id,
  integrationKey: row.unique_key,
  provider: row.provider,
  connectionId: row.connection_id,
  shape: row.shape,
  sealed: row.sealed,
  sealedVersion: row.sealed_version,
  config: texts.parse(JSON.parse(row.config)),
  metadata: metadata.parse(JSON.parse(row.metadata)),
  endUser: row.end_user === null ? null : endUser.parse(JSON.parse(row.end_user)),
  tags,
  webhookUrlOverride: row.webhook_url_override,
  account:
    row.account_id === null
      ? null
      : {
          id: row.account_id,
          name: row.account_name,
          email: row.account_email,
          workspace: row.account_workspace,
        },
  state: state.parse(row.state),
  stateReason: row.state_reason,
  origin: row.origin,
  lastVerifiedAt: row.last_verified_at,
  lastUsedAt: row.last_used_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const joined = (query: Queries) =>
  tables(query)
    .selectFrom("connections")
    .innerJoin("integrations", "integrations.id", "connections.integration_id")
    .selectAll("connections")
    .select(["integrations.unique_key", "integrations.provider"]);

/** Rows whose tags are asked for by one statement: both stores bound how much a statement may name. */
const atOnce = 1000;

const withTags = async (query: Queries, rows: readonly Joined[]): Promise<readonly Connection[]> => {
  const tags: { connection_row: number; key: string; value: string }[] = [];
  for (let from = 0; from < rows.length; from += atOnce) {
    const ids = rows.slice(from, from + atOnce).map(({ id }) => id);
    const found = tables(query).selectFrom("connection_tags").selectAll().where("connection_row", "in", ids);
    tags.push(...(await found.execute()));
  }
  const byRow = Map.groupBy(tags, ({ connection_row: row }) => row);
  return rows.map((row) =>
    connectionOf(row, Object.fromEntries((byRow.get(row.id) ?? []).map(({ key, value }) => [key, value]))),
  );
};

export const connectionByKeys = async (
  query: Queries,
  environmentId: number,
  integrationKey: string,
  connectionId: string,
): Promise<Connection | undefined> => {
  if (!isStorable(integrationKey) || !isStorable(connectionId)) return undefined;
  const rows = await joined(query)
    .where("connections.environment_id", "=", environmentId)
    .where("integrations.unique_key", "=", integrationKey)
    .where("connections.connection_id", "=", connectionId)
    .execute();
  return (await withTags(query, rows))[0];
};

export const connectionByRow = async (query: Queries, row: number): Promise<Connection | undefined> =>
  (await withTags(query, await joined(query).where("connections.id", "=", row).execute()))[0];

/** Of up to a thousand rows; those that are gone are left out. */
export const connectionsByRow = async (
  query: Queries,
  rows: readonly number[],
): Promise<readonly Connection[]> =>
  withTags(query, await joined(query).where("connections.id", "in", rows).execute());

/** The oldest ones. */
export const someConnectionsOf = async (
  query: Queries,
  integrationId: number,
  most: number,
): Promise<readonly Connection[]> => {
  const some = joined(query).where("connections.integration_id", "=", integrationId);
  return withTags(query, await some.orderBy("connections.id").limit(most).execute());
};

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

const accountValues = (account: ProviderAccount | null) => ({
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
  row: number,
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  await tables(query).deleteFrom("connection_tags").where("connection_row", "=", row).execute();
  const values = Object.entries(tags).map(([key, value]) => ({ connection_row: row, key, value }));
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
    .returning("id")
    .executeTakeFirst();
  if (row) await putTags(query, row.id, draft.tags);
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
    .returning("id")
    .executeTakeFirst();
  if (row) await putTags(query, row.id, draft.tags);
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
    .returning("id")
    .executeTakeFirst();
  if (found) await putTags(query, row, labels.tags);
  return found !== undefined;
};

/** How the last check went, or a call through the proxy. @returns whether that is news */
export const setConnectionState = async (
  query: Queries,
  { id, sealedVersion }: Pick<Connection, "id" | "sealedVersion">,
  now: {
    readonly state: ConnectionState;
    readonly reason: string | null;
    readonly verifiedAt: number | null;
    /** Null: what is known of it stays. */
    readonly account: ProviderAccount | null;
  },
): Promise<boolean> => {
  const changed = await tables(query)
    .updateTable("connections")
    .set({ state: now.state, state_reason: now.reason })
    .where("id", "=", id)
    // Others were linked meanwhile, or it was revoked: then what was found out is of yesterday.
    .where("sealed_version", "=", sealedVersion)
    .where("state", "!=", "revoked")
    .where((eb) => eb.or([eb("state", "!=", now.state), eb("state_reason", "is distinct from", now.reason)]))
    .returning("id")
    .executeTakeFirst();
  if (now.verifiedAt !== null) {
    await tables(query)
      .updateTable("connections")
      .set({ last_verified_at: now.verifiedAt, ...(now.account && accountValues(now.account)) })
      .where("id", "=", id)
      .where("sealed_version", "=", sealedVersion)
      .execute();
  }
  return changed !== undefined;
};

export const touchConnections = async (query: Queries, used: ReadonlyMap<number, number>): Promise<void> => {
  for (const [id, at] of used) {
    await tables(query)
      .updateTable("connections")
      .set({ last_used_at: at })
      .where("id", "=", id)
      .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", at)]))
      .execute();
  }
};
