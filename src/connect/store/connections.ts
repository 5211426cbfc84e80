import { z } from "zod";
import type { Connection, ConnectionState } from "../model/connection.ts";
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

/** With what a connection is linked by. Those of an integration that was deleted are nobody's, and wait to be erased. */
const joined = (query: Queries) =>
  tables(query)
    .selectFrom("connections")
    .innerJoin("integrations", "integrations.id", "connections.integration_id")
    .where("integrations.deleted_at", "is", null)
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

/** In the order of their numbers. */
export const connectionsBehind = async (
  query: Queries,
  row: number,
  most: number,
): Promise<readonly Connection[]> =>
  withTags(
    query,
    await joined(query).where("connections.id", ">", row).orderBy("connections.id").limit(most).execute(),
  );

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
