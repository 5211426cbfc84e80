import { z } from "zod";
import type { Connection, ConnectionState, ProviderAccount } from "../model/connection.ts";
import { tables, type Queries } from "./tables.ts";
import { accountValues } from "./write-connections.ts";

/** Changes of a part of a connection, which leave what others write at the same time alone. */

const metadata = z.record(z.string(), z.unknown());
export type Metadata = Readonly<z.output<typeof metadata>>;

type MetadataRow = { readonly id: number; readonly metadata: string };

/** By the connections' ids; those that are not there are left out. */
export const rowsWithMetadata = async (
  query: Queries,
  environmentId: number,
  integrationKey: string,
  connectionIds: readonly string[],
): Promise<readonly MetadataRow[]> =>
  tables(query)
    .selectFrom("connections")
    .innerJoin("integrations", "integrations.id", "connections.integration_id")
    .select(["connections.id", "connections.metadata"])
    .where("connections.environment_id", "=", environmentId)
    .where("integrations.unique_key", "=", integrationKey)
    .where("integrations.deleted_at", "is", null)
    .where("connections.connection_id", "in", connectionIds)
    // One order for all who lock several of them.
    .orderBy("connections.id")
    .execute();

/** False when they are not what `change` was made of any more, or the connection is gone. */
export const changeMetadata = async (
  query: Queries,
  row: MetadataRow,
  change: (before: Metadata) => Metadata,
  now: number,
): Promise<boolean> => {
  const after = JSON.stringify(change(metadata.parse(JSON.parse(row.metadata))));
  const changed = await tables(query)
    .updateTable("connections")
    .set({ metadata: after, updated_at: now })
    .where("id", "=", row.id)
    .where("metadata", "=", row.metadata)
    .returning("id")
    .executeTakeFirst();
  return changed !== undefined;
};

/**
 * The connections of an integration whose credentials were accepted by another origin than its calls now go to; by any,
 * where that depends on the connection. @returns the rows for which that is news
 */
export const failConnectionsElsewhere = async (
  query: Queries,
  integrationId: number,
  origin: string | undefined,
): Promise<readonly number[]> => {
  let update = tables(query)
    .updateTable("connections")
    .set({ state: "failing", state_reason: "origin_changed" })
    .where("integration_id", "=", integrationId)
    .where("state", "!=", "revoked")
    .where((eb) =>
      eb.or([eb("state", "!=", "failing"), eb("state_reason", "is distinct from", "origin_changed")]),
    );
  if (origin !== undefined) update = update.where("origin", "!=", origin);
  return (await update.returning("id").execute()).map(({ id }) => id);
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

/** The same credentials under another seal; nothing happens when they are others by now. */
export const setSealed = async (
  query: Queries,
  { id, sealed: former }: Pick<Connection, "id" | "sealed">,
  sealed: string,
): Promise<void> => {
  await tables(query)
    .updateTable("connections")
    .set({ sealed })
    .where("id", "=", id)
    .where("sealed", "=", former)
    .execute();
};
